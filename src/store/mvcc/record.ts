import type { Entry } from '../store.ts';

/**
 * How an entry lies in a backend: create revision, modification revision and version as little-endian doubles (exact up to 2^53),
 * one flag byte (1 = tombstone), one byte of lease length, the lease, then the value as it was given.
 */
const fixed = 26;

export function encodeRecord(entry: Entry, tombstone: boolean): Uint8Array {
  const lease = Buffer.from(entry.lease);
  const out = Buffer.allocUnsafe(fixed + lease.length + entry.value.length);
  out.writeDoubleLE(entry.createRevision, 0);
  out.writeDoubleLE(entry.modRevision, 8);
  out.writeDoubleLE(entry.version, 16);
  out[24] = tombstone ? 1 : 0;
  out[25] = lease.length;
  lease.copy(out, fixed);
  out.set(entry.value, fixed + lease.length);
  return out;
}

/** The value is copied out of `record` unless `keysOnly`, since a backend may reuse its memory. */
export function decodeRecord(
  key: string,
  record: Uint8Array,
  keysOnly = false,
): { readonly entry: Entry; readonly tombstone: boolean } {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const leaseLength = bytes[25] ?? 0;
  const start = fixed + leaseLength;
  return {
    entry: {
      key,
      value: keysOnly ? empty : Uint8Array.prototype.slice.call(bytes, start),
      createRevision: bytes.readDoubleLE(0),
      modRevision: bytes.readDoubleLE(8),
      version: bytes.readDoubleLE(16),
      lease: leaseLength === 0 ? '' : bytes.toString('utf8', fixed, start),
    },
    tombstone: bytes[24] === 1,
  };
}

/** The modification revision alone. */
export function modRevisionOf(record: Uint8Array): number {
  return Buffer.from(record.buffer, record.byteOffset, record.byteLength).readDoubleLE(8);
}

const empty = new Uint8Array(0);
