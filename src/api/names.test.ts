import { describe, expect, it } from 'vitest';
import * as allNames from './names.ts';

const names = { ...allNames };

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

describe('names', () => {
  it.each([
    ['dns1123Label', 'web-0', []],
    ['dns1123Label', 'a.b', ['must not contain dots']],
    [
      'dns1123Label',
      'Web',
      [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    ['dns1123Label', 'a'.repeat(64), ['must be no more than 63 characters']],
    ['dns1123Subdomain', 'a.b-c.d', []],
    ['dns1123Subdomain', 'A', [subdomain]],
    ['dns1123Subdomain', 'a..b', [subdomain]],
    ['dns1035Label', 'a-b', []],
    ['qualifiedName', 'example.com/a_B.c', []],
    ['qualifiedName', '/a', ['prefix part must be non-empty']],
    ['qualifiedName', 'a'.repeat(64), ['name part must be no more than 63 bytes']],
    ['labelValue', '', []],
    ['labelValue', 'a'.repeat(64), ['must be no more than 63 bytes']],
    ['relaxedEnvVarName', 'a b', []],
    [
      'relaxedEnvVarName',
      'a=b',
      ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
    ],
    ['configMapKey', '..data', ["must not start with '..'"]],
    ['configMapKey', 'a.json', []],
    ['portName', 'http', []],
    ['portName', '80', ['must contain at least one letter (a-z)']],
    ['portName', 'a--b', ['must not contain consecutive hyphens']],
    ['pathSegmentName', '..', ["may not be '..'"]],
    ['pathSegmentName', 'a/b', ["may not contain '/'"]],
  ] as const)('%s(%j)', (check, value, reasons) => {
    expect(names[check](value)).toEqual(reasons);
  });

  it('cuts the trailing dash of a generateName', () => {
    expect(names.nameIsDns1123Subdomain('web-', true)).toEqual([]);
    expect(names.nameIsDns1123Subdomain('web-', false)).toEqual([subdomain]);
    expect(names.portNumber(0)).toEqual(['must be between 1 and 65535, inclusive']);
  });

  it('answers long hostile input at once', () => {
    expect(names.dns1123Subdomain(`${'a-'.repeat(50_000)}!`).length).toBe(2);
  });
});
