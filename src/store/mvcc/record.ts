import { crc32 } from 'node:zlib';
import { type Entry, StoreCorruptError } from '../store.ts';

/**
 * How an entry lies in a backend: a CRC-32 of key and all that follows, create revision, modification revision and version as
 * little-endian doubles (exact up to 2^53), one flag byte (1 = tombstone), one byte of lease length, the lease, then the value as
 * it was given.
 */
const fixed = 30;
const flagAt = 28;
const leaseAt = 29;

const sum = (key: string, record: Buffer): number => crc32(record.subarray(4), crc32(key));

export function encodeRecord(entry: Entry, tombstone: boolean): Uint8Array {
  const lease = Buffer.from(entry.lease);
  const out = Buffer.allocUnsafe(fixed + lease.length + entry.value.length);
  out.writeDoubleLE(entry.createRevision, 4);
  out.writeDoubleLE(entry.modRevision, 12);
  out.writeDoubleLE(entry.version, 20);
  out[flagAt] = tombstone ? 1 : 0;
  out[leaseAt] = lease.length;
  lease.copy(out, fixed);
  out.set(entry.value, fixed + lease.length);
  out.writeUInt32LE(sum(entry.key, out), 0);
  return out;
}

/**
 * The value is a part of `record`, left out where `keysOnly`. Throws `StoreCorruptError` where the
 * bytes are not those that were written; with `keysOnly` only a record too short to be one is told.
 */
export function decodeRecord(
  key: string,
  record: Uint8Array,
  keysOnly = false,
): { readonly entry: Entry; readonly tombstone: boolean } {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const leaseLength = bytes[leaseAt] ?? 0;
  const start = fixed + leaseLength;
  if (bytes.length < start || (!keysOnly && bytes.readUInt32LE(0) !== sum(key, bytes)))
    throw new StoreCorruptError(`the record of ${key} is damaged`);
  return {
    entry: {
      key,
      value: keysOnly ? empty : bytes.subarray(start),
      createRevision: bytes.readDoubleLE(4),
      modRevision: bytes.readDoubleLE(12),
      version: bytes.readDoubleLE(20),
      lease: leaseLength === 0 ? '' : bytes.toString('utf8', fixed, start),
    },
    tombstone: bytes[flagAt] === 1,
  };
}

/** The modification revision alone. */
export function modRevisionOf(record: Uint8Array): number {
  return Buffer.from(record.buffer, record.byteOffset, record.byteLength).readDoubleLE(12);
}

/** True for what marks a deletion. */
export const isTombstone = (record: Uint8Array): boolean => record[flagAt] === 1;

const empty = new Uint8Array(0);
