/** The few shapes of ASN.1's distinguished encoding (X.690) that certificates and requests are made of. */

/** One encoded value: its tag byte, its content, and where it lies in the buffer it was read from. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content together. */
  readonly raw: Buffer;
}

/** Thrown for bytes that are not the encoding they should be. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

export const tags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const lengthBytes = (length: number): Buffer => {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
};

/** Wraps content in tag and length. */
export function encode(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthBytes(body.length), body]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => encode(tags.sequence, ...parts);
export const setOf = (...parts: readonly Uint8Array[]): Buffer => encode(tags.set, ...parts);
export const octets = (content: Uint8Array): Buffer => encode(tags.octetString, content);
export const utf8 = (text: string): Buffer => encode(tags.utf8String, Buffer.from(text, 'utf8'));
/** A bit string; `unused` low bits of its last byte do not count. */
export const bits = (content: Uint8Array, unused = 0): Buffer => encode(tags.bitString, Buffer.from([unused]), content);
export const boolean = (value: boolean): Buffer => encode(0x01, Buffer.from([value ? 0xff : 0]));
/** A context-specific, constructed value `[n]`. */
export const explicit = (n: number, ...parts: readonly Uint8Array[]): Buffer => encode(0xa0 | n, ...parts);
/** A context-specific, primitive value `[n]`. */
export const implicit = (n: number, content: Uint8Array): Buffer => encode(0x80 | n, content);

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  return (trimmed[0] ?? 0) >= 0x80 ? encode(tags.integer, Buffer.from([0]), trimmed) : encode(tags.integer, trimmed);
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left % 128) | 0x80);
    bytes.push(...groups);
  }
  return encode(tags.oid, Buffer.from(bytes));
}

/** A moment as RFC 5280 wants it: UTCTime before 2050, GeneralizedTime after. */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return ms < Date.UTC(2050, 0, 1)
    ? encode(tags.utcTime, Buffer.from(digits.slice(2)))
    : encode(tags.generalizedTime, Buffer.from(digits));
}

/** Reads the value that begins at `offset`; throws `DerError` where it does not fit into the buffer. */
export function readAt(buffer: Buffer, offset: number): DerValue {
  const tag = buffer[offset];
  const first = buffer[offset + 1];
  if (tag === undefined || first === undefined) throw new DerError('unexpected end of data');
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4 || start + count > buffer.length) throw new DerError('bad length');
    length = buffer.readUIntBE(start, count);
    start += count;
  }
  const end = start + length;
  if (end > buffer.length) throw new DerError('value runs past the end of the data');
  return { tag, content: buffer.subarray(start, end), raw: buffer.subarray(offset, end) };
}

/** Reads one value that must have `tag`. */
export function readOne(buffer: Buffer, tag: number): DerValue {
  const value = readAt(buffer, 0);
  if (value.tag !== tag) throw new DerError(`expected tag ${tag}, found ${value.tag}`);
  return value;
}

/** The values that a constructed value holds, in order. */
export function children(value: DerValue): readonly DerValue[] {
  const found: DerValue[] = [];
  for (let offset = 0; offset < value.content.length; ) {
    const child = readAt(value.content, offset);
    found.push(child);
    offset += child.raw.length;
  }
  return found;
}

/** The dotted form of an object identifier's value. */
export function oidText(value: DerValue): string {
  if (value.tag !== tags.oid) throw new DerError('expected an object identifier');
  const first = value.content[0] ?? 0;
  const parts = [Math.min(Math.floor(first / 40), 2), first < 80 ? first % 40 : first - 80];
  let current = 0;
  for (const byte of value.content.subarray(1)) {
    current = current * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      parts.push(current);
      current = 0;
    }
  }
  return parts.join('.');
}

/** The text of any of the string types. */
export const textOf = (value: DerValue): string => value.content.toString('utf8');

/** A PEM block. */
export function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** The first PEM block of one of the labels; undefined where there is none. */
export function pemBlock(text: string, ...labels: readonly string[]): Buffer | undefined {
  for (const match of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g)) {
    if (labels.includes(match[1] ?? '')) return Buffer.from((match[2] ?? '').replace(/^.*:.*$/gm, ''), 'base64');
  }
  return undefined;
}
