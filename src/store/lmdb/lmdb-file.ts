import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { StoreCorruptError } from '../store.ts';

/** struct MDB_meta of LMDB's data format 2, which follows a page header of 24 bytes (liblmdb/mdb.c). */
const metaAt = 24;
const magic = 0xbeefc0de;
const dataVersion = 2;
const pageSizeAt = metaAt + 24;
const lastPageAt = metaAt + 120;
const transactionAt = metaAt + 128;
const metaBytes = 160;

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
}

function readMeta(fd: number, at: number): Meta | undefined {
  const bytes = Buffer.alloc(metaBytes);
  if (readSync(fd, bytes, 0, metaBytes, at) < metaBytes) return undefined;
  if (bytes.readUInt32LE(metaAt) !== magic || bytes.readUInt32LE(metaAt + 4) !== dataVersion) return undefined;
  return {
    pageSize: bytes.readUInt32LE(pageSizeAt),
    lastPage: Number(bytes.readBigUInt64LE(lastPageAt)),
    transaction: bytes.readBigUInt64LE(transactionAt),
  };
}

/** LMDB leaves out pages at the end that it took and gave back at once; a file that lacks more has been cut off. */
const mostLooseBytes = 16 * 1024;

const newestMeta = (fd: number): Meta | undefined => {
  const first = readMeta(fd, 0);
  const second = first && readMeta(fd, first.pageSize);
  if (!first || !second || first.pageSize < 256 || first.pageSize > 65_536) return undefined;
  return first.transaction > second.transaction ? first : second;
};

/** The file grows by this much at least. */
const growth = 8 * 1024 * 1024;
const zeros = Buffer.alloc(1024 * 1024);

/**
 * Sees to it that an LMDB file has room on the disk beyond its last page, so that a full disk is met here, where it harms nothing, and
 * never inside LMDB: for `bytes` of new rows, and for copies of the `pages` at most that they change, or of all there are. Rejects with
 * the disk's error.
 */
export async function reserveRoom(file: FileHandle, pages: number, bytes: number): Promise<void> {
  const meta = newestMeta(file.fd);
  if (!meta) return;
  const { size } = await file.stat();
  const used = (meta.lastPage + 1) * meta.pageSize;
  const wanted = used + Math.min(pages * meta.pageSize, used) + bytes;
  if (size >= wanted) return;
  const end = Math.ceil(Math.max(wanted, size + growth) / meta.pageSize) * meta.pageSize;
  for (let at = size; at < end; ) at += (await file.write(zeros, 0, Math.min(zeros.length, end - at), at)).bytesWritten;
}

/**
 * Looks at an LMDB file before it is mapped into memory, since what lies behind a file's end cannot be read without a crash. Throws
 * `StoreCorruptError` for anything else than a whole LMDB file. True when a few pages at its end are missing: they are filled with
 * zeros, and the caller reads everything to see whether any of them mattered.
 */
export function examineLmdbFile(file: string): boolean {
  let fd: number;
  try {
    fd = openSync(file, 'r+');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return false;
    const newest = newestMeta(fd);
    if (!newest) throw new StoreCorruptError(`${file} is damaged or is not a store`);
    const wanted = (newest.lastPage + 1) * newest.pageSize;
    if (size >= wanted) return false;
    if (wanted - size > mostLooseBytes)
      throw new StoreCorruptError(`${file} has been cut off: ${wanted - size} bytes of ${wanted} are missing`);
    ftruncateSync(fd, wanted);
    return true;
  } finally {
    closeSync(fd);
  }
}
