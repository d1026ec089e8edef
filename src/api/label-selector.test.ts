import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeFieldValue, matchesFields, parseFieldSelector, unescapeFieldValue } from './field-selector.ts';
import {
  formatSelector,
  labelSelectorErrors,
  matchesLabels,
  parseLabelSelector,
  requirementsOf,
  SelectorError,
} from './label-selector.ts';

const matches = (selector: string, labels: Record<string, string>): boolean =>
  matchesLabels(parseLabelSelector(selector), labels);

describe('parseLabelSelector', () => {
  it.each([
    ['', ''],
    ['x=a,y=b', 'x=a,y=b'],
    ['y==b, x != a', 'x!=a,y==b'],
    ['!x', '!x'],
    ['x', 'x'],
    ['x in (b,a,a)', 'x in (a,b)'],
    ['x notin ()', 'x notin ()'],
    ['x in (,a)', 'x in (,a)'],
    ['x in (a,)', 'x in (,a)'],
    ['x=', 'x='],
    ['x=,y=1', 'x=,y=1'],
    ['x>5,y<7', 'x>5,y<7'],
    ['in=in', 'in=in'],
    ['notin in (in, notin)', 'notin in (in,notin)'],
    ['example.com/name=v', 'example.com/name=v'],
  ])('%j reads as %j', (text, canonical) => {
    expect(formatSelector(parseLabelSelector(text))).toBe(canonical);
  });

  it.each([
    ['x=a||y=b', "found '||y', expected: ',' or 'end of string'"],
    ['x==a==b', "found '==', expected: ',' or 'end of string'"],
    [',x=a', "found ',', expected: !, identifier, or 'end of string'"],
    ['x=a,', "found '', expected: identifier after ','"],
    ['x a', "unable to parse requirement: found 'a', expected: in, notin, =, ==, !=, gt, lt"],
    ['x in a', "unable to parse requirement: found 'a' expected: '('"],
    ['x in (a b)', "unable to parse requirement: found 'b', expected: ',' or ')'"],
    ['!x=a', "found '=', expected: ',' or 'end of string'"],
    ['x=(', "unable to parse requirement: found '(', expected: identifier"],
    [
      'x>a',
      "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    [
      '-x=a',
      "unable to parse requirement: <nil>: Invalid value: \"-x\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
  ])('%j is refused', (text, message) => {
    const full = text === 'x=a||y=b' ? /values\[0\]\[x\]: Invalid value: "a\|\|y"|found/ : message;
    expect(() => parseLabelSelector(text)).toThrow(full);
  });

  it('matches labels', () => {
    expect(matches('a=1', { a: '1' })).toBe(true);
    expect(matches('a=1', {})).toBe(false);
    expect(matches('a!=1', {})).toBe(true);
    expect(matches('a notin (1,2)', { a: '3' })).toBe(true);
    expect(matches('a,!b', { a: '' })).toBe(true);
    expect(matches('a>5', { a: '6' })).toBe(true);
    expect(matches('a>5', { a: 'x' })).toBe(false);
    expect(matches('constructor', {})).toBe(false);
    expect(matchesLabels(undefined, { a: '1' })).toBe(false);
    expect(matchesLabels(requirementsOf({}), {})).toBe(true);
    expect(matchesLabels(requirementsOf(undefined), {})).toBe(false);
  });

  it('reads selector objects', () => {
    const requirements = requirementsOf({
      matchLabels: { b: '2', a: '1' },
      matchExpressions: [{ key: 'c', operator: 'DoesNotExist' }],
    });
    expect(formatSelector(requirements ?? [])).toBe('a=1,b=2,!c');
    expect(() => requirementsOf({ matchExpressions: [{ key: 'c', operator: 'Like' }] })).toThrow(
      '"Like" is not a valid label selector operator',
    );
    expect(labelSelectorErrors({ matchExpressions: [{ key: 'c', operator: 'In' }] }, 'spec.selector')).toEqual([
      {
        type: 'FieldValueRequired',
        field: 'spec.selector.matchExpressions[0].values',
        detail: "must be specified when `operator` is 'In' or 'NotIn'",
      },
    ]);
  });

  it('answers any text, and reads back what it writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', '=', '==', '!', ',', 'in', 'notin', '(', ')', ' ', '>', '5')),
        (parts) => {
          try {
            const first = formatSelector(parseLabelSelector(parts.join('')));
            expect(formatSelector(parseLabelSelector(first))).toBe(first);
          } catch (error) {
            expect(error).toBeInstanceOf(SelectorError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('parseFieldSelector', () => {
  it('reads terms, operators and escapes', () => {
    expect(parseFieldSelector('spec.nodeName=a,status.phase!=Running,x==a\\,b')).toEqual([
      { field: 'spec.nodeName', operator: '=', value: 'a' },
      { field: 'status.phase', operator: '!=', value: 'Running' },
      { field: 'x', operator: '=', value: 'a,b' },
    ]);
    expect(() => parseFieldSelector('abc')).toThrow("invalid selector: 'abc'; can't understand 'abc'");
    expect(() => parseFieldSelector('a=b=c')).toThrow('invalid field selector: unescaped character in value: 61');
    expect(() => parseFieldSelector('a=\\x')).toThrow('invalid field selector: invalid escape sequence: \\x');
    expect(matchesFields(parseFieldSelector('a=1,b!=2'), (field) => (field === 'a' ? '1' : ''))).toBe(true);
  });
  it('unescapes what it escapes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(unescapeFieldValue(escapeFieldValue(text))).toBe(text);
      }),
    );
  });
});
