import { setOwn } from '../../../api/draft.ts';
import { rfc3339 } from '../../../base/clock.ts';
import type { Draft } from '../../../kinds/kind.ts';
import { type Field, messageName, messageOf } from './messages.ts';
import { ProtobufError, type WireField, wireFields } from './reader.ts';

const magic = Buffer.from('k8s\0');
const deepest = 64;

/**
 * Reads an object in Kubernetes' protobuf form (runtime.Unknown behind `k8s\0`) into the JSON form that everything here works with.
 * kubectl 1.32 and later and client-go's typed clients send it. Throws `ProtobufError`, also for types that have no such form.
 */
export function decodeProtobuf(bytes: Buffer): Draft {
  if (bytes.length < 4 || !bytes.subarray(0, 4).equals(magic)) {
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, value } of wireFields(bytes.subarray(4))) {
    if (!Buffer.isBuffer(value)) continue;
    if (number === 1) {
      for (const inner of wireFields(value)) {
        if (inner.number === 1) apiVersion = textOf(inner);
        else if (inner.number === 2) kind = textOf(inner);
      }
    } else if (number === 2) raw = value;
  }
  const message = [messageName(apiVersion, kind), `meta.v1.${kind}`].find((it) => it !== undefined && messageOf(it));
  if (message === undefined) throw new ProtobufError(`no kind ${JSON.stringify(kind)} of ${apiVersion} in protobuf`);
  return { kind, apiVersion, ...decodeMessage(message, raw, 0) };
}

const textOf = ({ value }: WireField): string => (Buffer.isBuffer(value) ? value.toString('utf8') : String(value));

function decodeMessage(name: string, bytes: Buffer, depth: number): Draft {
  const message = messageOf(name);
  if (!message) throw new ProtobufError(`unknown message ${name}`);
  if (depth > deepest) throw new ProtobufError('exceeded max depth');
  const out: Draft = {};
  for (const wire of wireFields(bytes)) {
    const field = message.get(wire.number);
    if (field) addField(out, field, wire, depth);
  }
  return out;
}

function addField(out: Draft, field: Field, wire: WireField, depth: number): void {
  if (field.name === '') {
    if (Buffer.isBuffer(wire.value)) Object.assign(out, decodeMessage(field.message, wire.value, depth + 1));
    return;
  }
  switch (field.shape) {
    case 'one': {
      const value = decodeValue(field, wire, depth);
      if (value !== undefined && (field.optional || !isZero(value))) out[field.name] = value;
      return;
    }
    case 'list': {
      const list = (out[field.name] ?? []) as unknown[];
      const value = decodeValue(field, wire, depth);
      list.push(value === undefined ? {} : value);
      out[field.name] = list;
      return;
    }
    case 'map': {
      const map = (out[field.name] ?? {}) as Draft;
      const { key, value } = decodeEntry(field, wire, depth);
      setOwn(map, key, value);
      out[field.name] = map;
    }
  }
}

function decodeEntry(field: Field, wire: WireField, depth: number): { readonly key: string; readonly value: unknown } {
  let key = '';
  let value: unknown;
  if (Buffer.isBuffer(wire.value)) {
    for (const inner of wireFields(wire.value)) {
      if (inner.number === 1) key = textOf(inner);
      else if (inner.number === 2) value = decodeValue(field, inner, depth);
    }
  }
  return { key, value: value ?? (field.scalar === 'message' ? {} : '') };
}

/** What Go's JSON leaves out of a field that is not a pointer. Messages that say nothing are left out with them. */
const isZero = (value: unknown): boolean =>
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0);

function decodeValue(field: Field, wire: WireField, depth: number): unknown {
  const { value } = wire;
  if (!Buffer.isBuffer(value)) {
    if (field.scalar === 'bool') return value !== 0n;
    return Number(BigInt.asIntN(64, value));
  }
  switch (field.scalar) {
    case 'message':
      return decodeMessage(field.message, value, depth + 1);
    case 'text':
      return value.toString('utf8');
    case 'bytes':
      return value.toString('base64');
    case 'double':
      return value.length === 8 ? value.readDoubleLE() : value.readFloatLE();
    case 'time':
      return timeOf(value, false);
    case 'micro-time':
      return timeOf(value, true);
    case 'quantity':
      return firstText(value) ?? '0';
    case 'int-or-string':
      return intOrString(value);
    case 'fields':
    case 'raw':
      return json(firstText(value));
    case 'duration':
      return `${numbers(value)[1] ?? 0}ns`;
    case 'text-list':
      return [...wireFields(value)].map(textOf);
    case 'schema-or-list': {
      const schemas = schemasIn(value, 2, depth);
      return schemas.length > 0 ? schemas : (schemasIn(value, 1, depth)[0] ?? null);
    }
    case 'schema-or-bool':
      return schemasIn(value, 2, depth)[0] ?? numbers(value)[1] === 1;
    case 'schema-or-texts':
      return schemasIn(value, 1, depth)[0] ?? [...wireFields(value)].filter((it) => it.number === 2).map(textOf);
    case 'bool':
    case 'integer':
      return packed(value);
  }
}

/** The schemas under one number of an apiextensions JSONSchemaPropsOr… message. */
function schemasIn(bytes: Buffer, number: number, depth: number): readonly Draft[] {
  return [...wireFields(bytes)].flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value)
      ? [decodeMessage('apiextensions.v1.JSONSchemaProps', field.value, depth + 1)]
      : [],
  );
}

/** Lists of numbers may come packed; a single one is what Kubernetes writes. */
const packed = (bytes: Buffer): unknown => {
  throw new ProtobufError(`unexpected packed field of ${bytes.length} bytes`);
};

const firstText = (bytes: Buffer): string | undefined => {
  for (const field of wireFields(bytes)) if (field.number === 1) return textOf(field);
  return undefined;
};

/** The integer fields of a message by number. */
function numbers(bytes: Buffer): Readonly<Record<number, number>> {
  const found: Record<number, number> = {};
  for (const { number, value } of wireFields(bytes)) {
    if (typeof value === 'bigint') found[number] = Number(BigInt.asIntN(64, value));
  }
  return found;
}

function timeOf(bytes: Buffer, micro: boolean): string | undefined {
  if (bytes.length === 0) return undefined;
  const { 1: seconds = 0, 2: nanos = 0 } = numbers(bytes);
  // Go's zero time is what an unset one is written as.
  if (seconds === -62135596800) return undefined;
  const text = rfc3339(seconds * 1000);
  // Taken apart: milliseconds with a fraction would not carry the sixth digit.
  return micro ? `${text.slice(0, -1)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : text;
}

function intOrString(bytes: Buffer): string | number {
  let isText = false;
  let number = 0;
  let text = '';
  for (const field of wireFields(bytes)) {
    if (field.number === 1) isText = field.value === 1n;
    else if (field.number === 2 && typeof field.value === 'bigint') number = Number(BigInt.asIntN(32, field.value));
    else if (field.number === 3) text = textOf(field);
  }
  return isText ? text : number;
}

function json(text: string | undefined): unknown {
  if (text === undefined || text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtobufError('a raw field holds no JSON');
  }
}
