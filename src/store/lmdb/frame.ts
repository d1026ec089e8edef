import { crc32 } from 'node:zlib';
import type { BackendKey, BackendWrite, Table } from '../mvcc/backend.ts';

/**
 * One group of writes in the write-ahead log: magic, length of the payload, CRC-32 of the payload (each 4 bytes, little endian),
 * then the payload: sequence number (double), then row after row: table (1 byte, +128 where the row is removed), the key
 * (shape byte; text as length and UTF-8, numbers as doubles), length of the value and the value.
 */
export interface Frame {
  readonly sequence: number;
  readonly writes: readonly BackendWrite[];
}

/** In the order of their number in the log; never reordered. */
const tables: readonly Table[] = ['current', 'history', 'log', 'meta'];
export const frameMagic = Buffer.from([0xc0, 0x7a, 0xc1, 0xe5]);
export const frameHead = 12;
const removedFlag = 128;

interface Cursor {
  at: number;
}

/** Upper bound of the encoded length of a key part. */
const partSize = (part: string | number): number => (typeof part === 'string' ? 3 + part.length * 3 : 9);
const keySize = (key: BackendKey): number =>
  1 + (typeof key === 'object' ? partSize(key[0]) + partSize(key[1]) : partSize(key));

function writePart(out: Buffer, cursor: Cursor, part: string | number): void {
  if (typeof part === 'number') {
    out[cursor.at] = 0;
    out.writeDoubleLE(part, cursor.at + 1);
    cursor.at += 9;
    return;
  }
  const length = out.write(part, cursor.at + 3);
  out[cursor.at] = 1;
  out.writeUInt16LE(length, cursor.at + 1);
  cursor.at += 3 + length;
}

function readPart(bytes: Buffer, cursor: Cursor): string | number {
  const { at } = cursor;
  if (bytes[at] === 0) {
    cursor.at += 9;
    return bytes.readDoubleLE(at + 1);
  }
  const length = bytes.readUInt16LE(at + 1);
  cursor.at += 3 + length;
  return bytes.toString('utf8', at + 3, at + 3 + length);
}

export function encodeFrame({ sequence, writes }: Frame): Buffer {
  let size = frameHead + 8;
  for (const { key, value } of writes) size += 5 + keySize(key) + (value?.length ?? 0);
  const out = Buffer.allocUnsafe(size);
  out.writeDoubleLE(sequence, frameHead);
  const cursor = { at: frameHead + 8 };
  for (const { table, key, value } of writes) {
    out[cursor.at++] = tables.indexOf(table) + (value ? 0 : removedFlag);
    out[cursor.at++] = typeof key === 'object' ? 2 : 1;
    if (typeof key === 'object') {
      writePart(out, cursor, key[0]);
      writePart(out, cursor, key[1]);
    } else writePart(out, cursor, key);
    out.writeUInt32LE(value?.length ?? 0, cursor.at);
    cursor.at += 4;
    if (value) {
      out.set(value, cursor.at);
      cursor.at += value.length;
    }
  }
  const frame = out.subarray(0, cursor.at);
  frameMagic.copy(frame, 0);
  frame.writeUInt32LE(cursor.at - frameHead, 4);
  frame.writeUInt32LE(crc32(frame.subarray(frameHead)), 8);
  return frame;
}

/** The frame at `at` and where the next begins; undefined where no whole, undamaged frame lies there. */
export function decodeFrame(bytes: Buffer, at: number): { readonly frame: Frame; readonly next: number } | undefined {
  if (at + frameHead + 8 > bytes.length || bytes.compare(frameMagic, 0, 4, at, at + 4) !== 0) return undefined;
  const length = bytes.readUInt32LE(at + 4);
  const next = at + frameHead + length;
  if (length < 8 || next > bytes.length) return undefined;
  const payload = bytes.subarray(at + frameHead, next);
  if (crc32(payload) !== bytes.readUInt32LE(at + 8)) return undefined;
  const cursor = { at: 8 };
  const writes: BackendWrite[] = [];
  while (cursor.at < payload.length) {
    const head = payload[cursor.at] ?? 0;
    const pair = payload[cursor.at + 1] === 2;
    cursor.at += 2;
    const first = readPart(payload, cursor);
    const key: BackendKey = pair ? [first, readPart(payload, cursor)] : first;
    const size = payload.readUInt32LE(cursor.at);
    cursor.at += 4;
    const removed = head >= removedFlag;
    const value = removed ? undefined : payload.subarray(cursor.at, cursor.at + size);
    cursor.at += size;
    writes.push({ table: tables[removed ? head - removedFlag : head] as Table, key, value });
  }
  return { frame: { sequence: payload.readDoubleLE(0), writes }, next };
}
