/**
 * The v2 document in the protobuf form that kubectl up to 1.29 asks for (gnostic's openapiv2.proto): definitions in full, and of the operations
 * what kubectl looks for, which is the query parameters of PATCH by kind.
 */
import { type Draft, isRecord } from '../../api/draft.ts';

type Field = Buffer;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

const tag = (field: number, wire: number): Buffer => varint(field * 8 + wire);
const bytesField = (field: number, content: Buffer): Field =>
  Buffer.concat([tag(field, 2), varint(content.length), content]);
const text = (field: number, value: unknown): Field[] =>
  typeof value === 'string' && value !== '' ? [bytesField(field, Buffer.from(value))] : [];
const texts = (field: number, values: unknown): Field[] =>
  Array.isArray(values) ? values.flatMap((value) => text(field, value)) : [];
const flag = (field: number, value: unknown): Field[] => (value === true ? [tag(field, 0), varint(1)] : []);
const whole = (field: number, value: unknown): Field[] =>
  typeof value === 'number' && value >= 0 ? [tag(field, 0), varint(value)] : [];
const double = (field: number, value: unknown): Field[] => {
  if (typeof value !== 'number') return [];
  const content = Buffer.alloc(8);
  content.writeDoubleLE(value);
  return [tag(field, 1), content];
};
const message = (field: number, ...parts: readonly Field[]): Field => bytesField(field, Buffer.concat(parts));

/** gnostic's Any: the value as YAML, of which JSON is a part. */
const any = (field: number, value: unknown): Field[] =>
  value === undefined ? [] : [message(field, ...text(2, JSON.stringify(value)))];

const named = (field: number, name: string, ...value: readonly Field[]): Field =>
  message(field, ...text(1, name), message(2, ...value));

const extensions = (field: number, source: Draft): Field[] =>
  Object.entries(source)
    .filter(([key]) => key.startsWith('x-'))
    .map(([key, value]) => message(field, ...text(1, key), ...any(2, value)));

function schema(source: Draft): Field[] {
  const { additionalProperties, properties, items, type } = source;
  return [
    ...text(1, source['$ref']),
    ...text(2, source['format']),
    ...text(3, source['title']),
    ...text(4, source['description']),
    ...any(5, source['default']),
    ...double(6, source['multipleOf']),
    ...double(7, source['maximum']),
    ...flag(8, source['exclusiveMaximum']),
    ...double(9, source['minimum']),
    ...flag(10, source['exclusiveMinimum']),
    ...whole(11, source['maxLength']),
    ...whole(12, source['minLength']),
    ...text(13, source['pattern']),
    ...whole(14, source['maxItems']),
    ...whole(15, source['minItems']),
    ...flag(16, source['uniqueItems']),
    ...whole(17, source['maxProperties']),
    ...whole(18, source['minProperties']),
    ...texts(19, source['required']),
    ...(Array.isArray(source['enum']) ? source['enum'].flatMap((value) => any(20, value)) : []),
    ...(isRecord(additionalProperties) ? [message(21, message(1, ...schema(additionalProperties)))] : []),
    ...(additionalProperties === true ? [message(21, ...flag(2, true))] : []),
    ...(typeof type === 'string' ? [message(22, ...text(1, type))] : []),
    ...(isRecord(items) ? [message(23, message(1, ...schema(items)))] : []),
    ...(isRecord(properties)
      ? [
          message(
            25,
            ...Object.entries(properties).map(([name, value]) =>
              named(1, name, ...(isRecord(value) ? schema(value) : [])),
            ),
          ),
        ]
      : []),
    ...any(30, source['example']),
    ...extensions(31, source),
  ];
}

/** A query parameter, wrapped as ParametersItem, Parameter and NonBodyParameter. */
function parameter(field: number, source: unknown): Field[] {
  if (!isRecord(source) || source['in'] !== 'query') return [];
  const sub = [
    ...text(2, 'query'),
    ...text(3, source['description']),
    ...text(4, source['name']),
    ...text(6, source['type']),
  ];
  return [message(field, message(1, message(2, message(3, ...sub))))];
}

function pathItem(source: Draft): Field[] {
  const patch = source['patch'];
  if (!isRecord(patch)) return [];
  const parameters = Array.isArray(patch['parameters']) ? patch['parameters'] : [];
  const operation = [
    ...text(5, patch['operationId']),
    ...texts(7, patch['consumes']),
    ...parameters.flatMap((it) => parameter(8, it)),
    ...extensions(13, patch),
  ];
  return [message(8, ...operation)];
}

/** Writes the document as gnostic's `openapi.v2.Document`. */
export function openApiV2Protobuf(document: Draft): Buffer {
  const definitions = isRecord(document['definitions']) ? document['definitions'] : {};
  const paths = isRecord(document['paths']) ? document['paths'] : {};
  return Buffer.concat([
    ...text(1, '2.0'),
    message(2, ...text(1, 'Kubernetes'), ...text(2, 'unversioned')),
    message(
      8,
      ...Object.entries(paths).flatMap(([name, value]) => {
        const item = isRecord(value) ? pathItem(value) : [];
        return item.length > 0 ? [named(2, name, ...item)] : [];
      }),
    ),
    message(
      9,
      ...Object.entries(definitions).map(([name, value]) => named(1, name, ...(isRecord(value) ? schema(value) : []))),
    ),
  ]);
}
