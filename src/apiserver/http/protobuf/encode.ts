import { isRecord } from '../../../api/draft.ts';
import type { KubeObject, Live, ObjectList } from '../../../api/resource.ts';
import { wireProtobuf } from '../../storage/wire.ts';
import { type Field, fieldsFromLast, messageName, messageOf } from './messages.ts';
import { type MessageWriter, messageWriter } from './writer.ts';

/** How every object in this form begins (apimachinery/pkg/runtime/serializer/protobuf). */
const magic = Buffer.from('k8s\0');

/** True where objects of this kind have a protobuf form. */
export const hasProtobuf = (apiVersion: string, kind: string): boolean => nameOf(apiVersion, kind) !== undefined;

function nameOf(apiVersion = '', kind = ''): string | undefined {
  const name = messageName(apiVersion, kind);
  if (name !== undefined && messageOf(name)) return name;
  return apiVersion === 'v1' || apiVersion.startsWith('meta.k8s.io/') ? metaName(kind) : undefined;
}

const metaName = (kind: string): string | undefined => (messageOf(`meta.v1.${kind}`) ? `meta.v1.${kind}` : undefined);

/** An object in protobuf: `k8s\0`, then a runtime.Unknown around the message. Undefined for kinds without such a form. */
export function encodeProtobuf(object: KubeObject): Buffer | undefined {
  const { apiVersion = '', kind = '' } = object;
  const body = bodyOf(object);
  return body && wrap(apiVersion, kind, [body], body.length);
}

/** The same for a list, put together from what its items have been encoded to already. */
export function encodeProtobufList(list: ObjectList): Buffer {
  const { apiVersion = '', kind = '', metadata, items } = list;
  const parts: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer): void => {
    parts.push(part);
    size += part.length;
  };
  const head = messageWriter();
  writeMessage(head, 'meta.v1.ListMeta', metadata as Readonly<Record<string, unknown>>);
  head.close(1, 0);
  add(head.take());
  for (const item of items) {
    const body = bodyOf(item) ?? Buffer.alloc(0);
    const opening = messageWriter(12);
    opening.varint(body.length);
    opening.tag(2, 2);
    add(opening.take());
    add(body);
  }
  return wrap(apiVersion, kind, parts, size);
}

/** One event of a watch: four bytes of length, then a meta.v1.WatchEvent whose object is in protobuf again. */
export function protobufFrame(type: string, object: Live | KubeObject): Buffer {
  const bytes = encodeProtobuf(object) ?? Buffer.alloc(0);
  const writer = messageWriter(bytes.length + 64);
  writer.bytes(bytes);
  writer.close(1, 0);
  writer.close(2, 0);
  const from = writer.size;
  writer.text(type);
  writer.close(1, from);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(writer.size);
  writer.bytes(length);
  return writer.take();
}

/** The message alone; made once for an object that is shared. */
function bodyOf(object: KubeObject): Buffer | undefined {
  const name = nameOf(object.apiVersion, object.kind);
  if (name === undefined) return undefined;
  return wireProtobuf(object, () => {
    const writer = messageWriter();
    writeMessage(writer, name, object as Readonly<Record<string, unknown>>);
    // A copy of just its size: it may be kept for long.
    return Buffer.from(writer.take());
  });
}

function wrap(apiVersion: string, kind: string, body: readonly Buffer[], size: number): Buffer {
  const opening = messageWriter(64);
  opening.varint(size);
  opening.tag(2, 2);
  const from = opening.size;
  opening.text(kind);
  opening.close(2, from);
  const middle = opening.size;
  opening.text(apiVersion);
  opening.close(1, middle);
  opening.close(1, from);
  return Buffer.concat([magic, opening.take(), ...body]);
}

type Values = Readonly<Record<string, unknown>>;

/** Writes the fields of a message, the last first. What JSON leaves out is left out. */
function writeMessage(writer: MessageWriter, name: string, values: Values): void {
  for (const field of fieldsFromLast(name)) {
    if (field.name === '') {
      const from = writer.size;
      writeMessage(writer, field.message, values);
      if (writer.size > from) writer.close(field.number, from);
      continue;
    }
    const value = values[field.name];
    if (value === undefined || value === null) continue;
    writeField(writer, field, value);
  }
}

function writeField(writer: MessageWriter, field: Field, value: unknown): void {
  switch (field.shape) {
    case 'one':
      writeValue(writer, field, field.number, value);
      return;
    case 'list': {
      const items = Array.isArray(value) ? value : [];
      for (let i = items.length - 1; i >= 0; i--) writeValue(writer, field, field.number, items[i]);
      return;
    }
    case 'map': {
      if (!isRecord(value)) return;
      for (const key of Object.keys(value).sort().reverse()) {
        const from = writer.size;
        writeValue(writer, field, 2, value[key]);
        const middle = writer.size;
        writer.text(key);
        writer.close(1, middle);
        writer.close(field.number, from);
      }
    }
  }
}

function writeValue(writer: MessageWriter, field: Field, number: number, value: unknown): void {
  const from = writer.size;
  switch (field.scalar) {
    case 'bool':
      writer.varint(value === true ? 1 : 0);
      writer.tag(number, 0);
      return;
    case 'integer':
      writer.varint(Math.trunc(Number(value)));
      writer.tag(number, 0);
      return;
    case 'double':
      writer.double(Number(value));
      writer.tag(number, 1);
      return;
    case 'text':
      writer.text(String(value));
      break;
    case 'bytes':
      writer.bytes(Buffer.from(String(value), 'base64'));
      break;
    case 'message':
      if (isRecord(value)) writeMessage(writer, field.message, value);
      break;
    case 'time':
    case 'micro-time':
      writeTime(writer, String(value));
      break;
    case 'quantity':
      writeText(writer, 1, String(value));
      break;
    case 'int-or-string':
      if (typeof value === 'string') writeText(writer, 3, value);
      else writeNumber(writer, 2, Number(value));
      writeNumber(writer, 1, typeof value === 'string' ? 1 : 0);
      break;
    case 'fields':
    case 'raw':
      writeText(writer, 1, JSON.stringify(value));
      break;
    case 'duration':
      writeNumber(writer, 1, nanoseconds(String(value)));
      break;
    case 'text-list':
      for (const text of [...(value as readonly string[])].reverse()) writeText(writer, 1, text);
      break;
    case 'schema-or-list':
      if (Array.isArray(value)) for (const schema of [...value].reverse()) writeSchema(writer, 2, schema);
      else writeSchema(writer, 1, value);
      break;
    case 'schema-or-bool':
      if (isRecord(value)) writeSchema(writer, 2, value);
      writeNumber(writer, 1, value === false ? 0 : 1);
      break;
    case 'schema-or-texts':
      if (Array.isArray(value)) for (const text of [...value].reverse()) writeText(writer, 2, String(text));
      else writeSchema(writer, 1, value);
      break;
  }
  writer.close(number, from);
}

function writeText(writer: MessageWriter, number: number, text: string): void {
  const from = writer.size;
  writer.text(text);
  writer.close(number, from);
}

function writeNumber(writer: MessageWriter, number: number, value: number): void {
  writer.varint(value);
  writer.tag(number, 0);
}

function writeSchema(writer: MessageWriter, number: number, schema: unknown): void {
  const from = writer.size;
  if (isRecord(schema)) writeMessage(writer, 'apiextensions.v1.JSONSchemaProps', schema);
  writer.close(number, from);
}

/** A Timestamp: seconds, then what is left in nanoseconds. */
function writeTime(writer: MessageWriter, text: string): void {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  const nanos = Number(fraction.padEnd(9, '0').slice(0, 9));
  if (nanos !== 0) writeNumber(writer, 2, nanos);
  writeNumber(writer, 1, Math.floor(Date.parse(text) / 1000));
}

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Go's text of a duration: `1h2m3.5s`. */
function nanoseconds(text: string): number {
  let sum = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(amount) * (units[unit] ?? 0);
  return Math.round(text.startsWith('-') ? -sum : sum);
}
