import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropNulls, fillDefaults } from './default-fill.ts';
import { showFieldError } from './field-error.ts';
import { hasFormat } from './formats.ts';
import { goRegExp } from './go-regexp.ts';
import { prune } from './prune.ts';
import type { StructuralSchema } from './schema.ts';
import { validateListTypes, validateSchema } from './validate-schema.ts';

const schema: StructuralSchema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 10 },
        color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
        name: { type: 'string', pattern: '^[a-z]+$', maxLength: 5, minLength: 2 },
        port: { 'x-kubernetes-int-or-string': true },
        when: { type: 'string', format: 'date-time' },
        note: { type: 'string', nullable: true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'object' } } },
        template: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
        nested: { type: 'object', default: {}, properties: { depth: { type: 'integer', default: 3 } } },
        tags: { type: 'array', items: { type: 'string' }, maxItems: 2, 'x-kubernetes-list-type': 'set' },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { name: { type: 'string' }, n: { type: 'integer', maximum: 5 } } },
        },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        either: {
          type: 'object',
          oneOf: [{ required: ['a'] }, { required: ['b'] }],
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
      },
    },
  },
};
const errors = (value: unknown, old?: unknown): readonly string[] =>
  validateSchema(value, schema, old === undefined ? {} : { old }).map(showFieldError);

describe('validateSchema', () => {
  it.each([
    [{ spec: { size: 1 } }, []],
    [{}, ['spec: Required value']],
    [{ spec: {} }, ['spec.size: Required value']],
    [
      { spec: { size: 'x' } },
      ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
    ],
    [
      { spec: { size: 1.5 } },
      ['spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"'],
    ],
    [{ spec: { size: 0 } }, ['spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1']],
    [{ spec: { size: 11 } }, ['spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10']],
    [
      { spec: { size: 1, color: 'green' } },
      ['spec.color: Unsupported value: "green": supported values: "red", "blue"'],
    ],
    [
      { spec: { size: 1, name: 'A!' } },
      ['spec.name: Invalid value: "A!": spec.name in body should match \'^[a-z]+$\''],
    ],
    [{ spec: { size: 1, name: 'abcdef' } }, ['spec.name: Too long: may not be more than 5 bytes']],
    [
      { spec: { size: 1, name: 'a' } },
      ['spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long'],
    ],
    [
      { spec: { size: 1, port: true } },
      ['spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'],
    ],
    [{ spec: { size: 1, note: null } }, []],
    [{ spec: { size: null } }, ['spec.size: Invalid value: "null": spec.size in body must be of type integer: "null"']],
    [
      { spec: { size: 1, when: 'now' } },
      ['spec.when: Invalid value: "now": spec.when in body must be of type date-time: "now"'],
    ],
    [{ spec: { size: 1, tags: ['a', 'b', 'c'] } }, ['spec.tags: Too many: 3: must have at most 2 items']],
    [
      { spec: { size: 1, ports: [{ n: 9 }] } },
      ['spec.ports[0].n: Invalid value: 9: spec.ports[0].n in body should be less than or equal to 5'],
    ],
    [
      { spec: { size: 1, labels: { a: 1 } } },
      ['spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"'],
    ],
    [
      { spec: { size: 1, either: { a: '', b: '' } } },
      [
        '<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
  ])('%j', (value, expected) => {
    expect(errors(value)).toEqual(expected);
  });

  it('lets an update keep what was wrong before, not make it worse', () => {
    const old = { spec: { size: 99, ports: [{ name: 'a', n: 9 }] } };
    expect(
      errors(
        {
          spec: {
            size: 99,
            color: 'red',
            ports: [
              { name: 'b', n: 1 },
              { name: 'a', n: 9 },
            ],
          },
        },
        old,
      ),
    ).toEqual([]);
    expect(errors({ spec: { size: 98 } }, old)).toHaveLength(1);
  });

  it('finds repetitions in sets and maps', () => {
    const found = validateListTypes({ spec: { tags: ['a', 'a', 'a'], ports: [{ name: 'x' }, { name: 'x' }] } }, schema);
    expect(found.map(showFieldError)).toEqual([
      'spec.tags[1]: Duplicate value: "a"',
      'spec.ports[1]: Duplicate value: {"name":"x"}',
    ]);
  });
});

describe('prune', () => {
  it('removes unknown fields, sparing what is to be kept', () => {
    const value = {
      apiVersion: 'x/v1',
      kind: 'X',
      metadata: { name: 'a', any: 1 },
      junk: 1,
      spec: {
        size: 1,
        junk: 2,
        free: { any: { thing: 1 }, a: { gone: 1 } },
        template: { apiVersion: 'v1', kind: 'Pod', metadata: {}, other: 1, spec: { gone: 1 } },
        ports: [{ name: 'a', junk: 1 }],
        labels: { x: 'y' },
      },
    };
    expect(prune(value, schema)).toEqual([
      'junk',
      'spec.free.a.gone',
      'spec.junk',
      'spec.ports[0].junk',
      'spec.template.other',
      'spec.template.spec.gone',
    ]);
    expect(value).toEqual({
      apiVersion: 'x/v1',
      kind: 'X',
      metadata: { name: 'a', any: 1 },
      spec: {
        size: 1,
        free: { any: { thing: 1 }, a: {} },
        template: { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: {} },
        ports: [{ name: 'a' }],
        labels: { x: 'y' },
      },
    });
  });
  it('is done after one go', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('spec', 'size', 'free', 'x'), fc.jsonValue()), (value) => {
        prune(value, schema);
        expect(prune(value, schema)).toEqual([]);
      }),
    );
  });
});

describe('fillDefaults', () => {
  it('fills missing and null fields', () => {
    const value = { spec: { size: 1, color: null, note: null } };
    dropNulls(value, schema);
    fillDefaults(value, schema);
    expect(value).toEqual({ spec: { size: 1, color: 'red', note: null, nested: { depth: 3 } } });
  });
  it('drops nulls that nothing allows', () => {
    const value = { spec: { size: null, labels: { a: null } } };
    dropNulls(value, schema);
    expect(value).toEqual({ spec: { labels: {} } });
  });
});

it('knows formats and Go patterns', () => {
  expect(hasFormat('date-time', '2020-01-01T00:00:00Z')).toBe(true);
  expect(hasFormat('date', '2020-02-30')).toBe(false);
  expect(hasFormat('duration', '1h30m')).toBe(true);
  expect(hasFormat('uuid', '123')).toBe(false);
  expect(hasFormat('anything-else', '')).toBe(true);
  expect(goRegExp('^(?P<a>x)\\-[[:alpha:]]+\\z')?.test('x-ab')).toBe(true);
  expect(goRegExp('(?i)^abc$')?.test('ABC')).toBe(true);
  expect(goRegExp('(')).toBeUndefined();
});
