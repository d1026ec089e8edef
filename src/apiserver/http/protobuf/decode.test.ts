import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from './decode.ts';

const field = (number: number, body: Buffer | string): Buffer => {
  const bytes = Buffer.from(body);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
};
const number = (at: number, value: number): Buffer => Buffer.concat([varint(at * 8), varint(value)]);
const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
};
const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);
const wrapped = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  join(Buffer.from('k8s\0'), field(1, join(field(1, apiVersion), field(2, kind))), field(2, raw));
const entry = (key: string, value: Buffer): Buffer => join(field(1, key), field(2, value));

/** The schema of a custom resource whose openAPIV3Schema is this message. */
function schemaOf(schema: Buffer): unknown {
  const version = join(field(1, 'v1'), number(2, 1), number(3, 1), field(4, field(1, schema)));
  const crd = join(
    field(1, field(1, 'widgets.example.com')),
    field(2, join(field(1, 'example.com'), field(7, version))),
  );
  const decoded = decodeProtobuf(wrapped('apiextensions.k8s.io/v1', 'CustomResourceDefinition', crd)) as {
    spec: { versions: { schema: { openAPIV3Schema: unknown } }[] };
  };
  return decoded.spec.versions[0]?.schema.openAPIV3Schema;
}
const text = field(5, 'string');

describe('protobuf bodies', () => {
  it('may be custom resource definitions', () => {
    const properties = field(29, entry('a', join(text, field(8, field(1, '"x"')), field(20, field(1, '"x"')))));
    expect(schemaOf(join(field(5, 'object'), properties, number(38, 1)))).toEqual({
      type: 'object',
      properties: { a: { type: 'string', default: 'x', enum: ['x'] } },
      'x-kubernetes-preserve-unknown-fields': true,
    });
  });

  it.each([
    ['items: a schema', field(24, field(1, text)), { items: { type: 'string' } }],
    [
      'items: schemas',
      field(24, join(field(2, text), field(2, text))),
      { items: [{ type: 'string' }, { type: 'string' }] },
    ],
    [
      'additionalProperties: a schema',
      field(30, join(number(1, 1), field(2, text))),
      { additionalProperties: { type: 'string' } },
    ],
    ['additionalProperties: true', field(30, number(1, 1)), { additionalProperties: true }],
    ['additionalProperties: false', field(30, number(1, 0)), { additionalProperties: false }],
    ['dependencies: names', field(32, entry('a', field(2, 'b'))), { dependencies: { a: ['b'] } }],
  ])('say %s', (_, schema, expected) => {
    expect(schemaOf(schema)).toEqual(expected);
  });
});
