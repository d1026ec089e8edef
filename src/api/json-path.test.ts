import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonPathError, parseJsonPath, printJsonPath, relaxedJsonPath, valuesAt } from './json-path.ts';

const data = {
  kind: 'List',
  items: [
    {
      kind: 'None',
      metadata: { name: '127.0.0.1', labels: { 'a.b/c': 'x' } },
      status: { capacity: { cpu: '4' }, ready: true, n: 1 },
    },
    { kind: 'None', metadata: { name: '127.0.0.2' }, status: { capacity: { cpu: '8' }, ready: false, n: 2 } },
  ],
  users: [
    { name: 'myself', user: {} },
    { name: 'e2e', user: { username: 'admin', password: 'secret' } },
  ],
};
const print = (template: string): string => printJsonPath(parseJsonPath(template), data);

describe('jsonpath', () => {
  it.each([
    ['kind is {.kind}', 'kind is List'],
    ['{$.kind} {@.kind}', 'List List'],
    ['{.items[*].metadata.name}', '127.0.0.1 127.0.0.2'],
    ['{.items[0].metadata.name}', '127.0.0.1'],
    ['{.items[-1:].metadata.name}', '127.0.0.2'],
    ['{.items[-1].metadata.name}', '127.0.0.2'],
    ['{.items[0:2:2].metadata.name}', '127.0.0.1'],
    ["{.items[*]['metadata.name','status.capacity']}", '127.0.0.1 127.0.0.2 {"cpu":"4"} {"cpu":"8"}'],
    ['{.users[?(@.name=="e2e")].user.password}', 'secret'],
    ['{.items[?(@.status.n>1)].metadata.name}', '127.0.0.2'],
    ['{.items[?(@.status.ready==true)].metadata.name}', '127.0.0.1'],
    ['{.users[?(@.user.username)].name}', 'e2e'],
    [
      '{range .items[*]}[{.metadata.name}, {.status.capacity}] {end}',
      '[127.0.0.1, {"cpu":"4"}] [127.0.0.2, {"cpu":"8"}] ',
    ],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.status.n}{"\\n"}{end}done', '127.0.0.1\t1\n127.0.0.2\t2\ndone'],
    ['{range .none[*]}{.x}{end}end', 'end'],
    ['{..name}', '127.0.0.1 127.0.0.2 myself e2e'],
    ['{.items[0].metadata.labels.a\\.b/c}', 'x'],
    ['{.missing}', ''],
    ['{range .items[*]}{range .status.capacity}{.cpu}{end};{end}', '4;8;'],
  ])('%s', (template, text) => {
    expect(print(template)).toBe(text);
  });

  it.each([
    ['{.items', 'unclosed action'],
    ['{.items[0', 'unterminated array'],
    ['{.items[x]}', 'invalid array index x'],
    ['{"abc}', 'unterminated quoted string'],
    ['{....a}', 'invalid multiple recursive descent'],
    ['{end}', 'not in range, nothing to end'],
    ['{foo}', 'unrecognized identifier foo'],
    ['{.items[9]}', 'array index out of bounds: index 9, length 2'],
    ['{.kind[0]}', 'is not array or slice'],
    ['{.users[?(@.name=="a"', 'unterminated filter'],
    ['{*}', "unrecognized character in action: U+002A '*'"],
  ])('%s is refused', (template, message) => {
    expect(() => print(template)).toThrow(message);
  });

  it('complains of missing fields when asked', () => {
    expect(() => printJsonPath(parseJsonPath('{.missing}'), data, { allowMissing: false })).toThrow(
      'missing is not found',
    );
    expect(valuesAt(parseJsonPath('{.items[5].x}'), data)).toEqual([]);
  });

  it('is lenient about braces', () => {
    for (const text of ['kind', '.kind', '{kind}', '{.kind}']) expect(print(relaxedJsonPath(text))).toBe('List');
    expect(() => relaxedJsonPath('{{x}}')).toThrow('unexpected path string');
  });

  it('answers any template with text or a JsonPathError', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '{',
            '}',
            '.',
            '[',
            ']',
            '*',
            'a',
            'items',
            '"',
            "'",
            '?(',
            ')',
            '==',
            '1',
            ':',
            ',',
            'range ',
            'end',
            '@',
            '..',
          ),
        ),
        (parts) => {
          try {
            print(parts.join(''));
          } catch (error) {
            expect(error).toBeInstanceOf(JsonPathError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
