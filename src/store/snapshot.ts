import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { decodeRecord, encodeRecord } from './mvcc/record.ts';
import { type Entry, type Store, StoreCorruptError } from './store.ts';

/**
 * A snapshot is every entry of a store as of one revision, in a file that any driver can be filled from: a line that names the format, a
 * line of JSON (`SnapshotHead`), for each entry the lengths of key and record (4 bytes each, little endian), key and record, then two
 * zero lengths, the number of entries, and the SHA-256 of all before.
 */
export interface SnapshotHead {
  readonly revision: number;
  /** RFC 3339, when it was taken. */
  readonly taken: string;
}

const formatLine = 'coracle snapshot 1\n';
const pageKeys = 500;
const end = '\u{ffff}';

/** Writes to a file through a hash; the file appears under its name only when it is whole and on disk. */
async function writeWhole(
  path: string,
  work: (write: (bytes: Uint8Array) => Promise<void>, hash: Hash) => Promise<void>,
) {
  const part = `${path}.part`;
  const file = await open(part, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    let waiting: Uint8Array[] = [];
    let size = 0;
    const flush = async (): Promise<void> => {
      const all = Buffer.concat(waiting);
      waiting = [];
      size = 0;
      hash.update(all);
      await file.write(all);
    };
    await work(async (bytes) => {
      waiting.push(bytes);
      size += bytes.length;
      if (size > 1 << 20) await flush();
    }, hash);
    await flush();
    await file.write(hash.digest());
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(part, { force: true });
    throw error;
  }
  await file.close();
  await rename(part, path);
}

const lengths = (a: number, b: number): Buffer => {
  const out = Buffer.allocUnsafe(8);
  out.writeUInt32LE(a, 0);
  out.writeUInt32LE(b, 4);
  return out;
};

/**
 * Writes all entries as of `revision` (0 = now) into `path` while the store goes on working. Throws `CompactedError` where the revision is
 * gone, also when a compaction overtakes it.
 */
export async function writeSnapshot(
  store: Store,
  path: string,
  clock: Clock,
  revision = 0,
): Promise<{ readonly revision: number; readonly entries: number }> {
  const found = await store.range({ start: '/', end }, { keysOnly: true, revision });
  const at = revision || found.revision;
  const head: SnapshotHead = { revision: at, taken: new Date(clock.now()).toISOString() };
  let entries = 0;
  await writeWhole(path, async (write) => {
    await write(Buffer.from(`${formatLine}${JSON.stringify(head)}\n`));
    const keys = found.entries.map(({ key }) => key);
    for (let first = 0; first < keys.length; first += pageKeys) {
      const range = { start: keys[first] ?? '', end: keys[first + pageKeys] ?? end };
      for (const entry of (await store.range(range, { revision: at })).entries) {
        const key = Buffer.from(entry.key);
        const record = encodeRecord(entry, false);
        await write(lengths(key.length, record.length));
        await write(key);
        await write(record);
        entries += 1;
      }
    }
    await write(lengths(0, 0));
    await write(lengths(entries, 0));
  });
  return { revision: at, entries };
}

/** Reads a file piece by piece. */
function reader(file: FileHandle, hash: Hash) {
  let buffer: Buffer = Buffer.alloc(0);
  const fill = async (wanted: number): Promise<boolean> => {
    while (buffer.length < wanted) {
      const chunk = Buffer.allocUnsafe(1 << 20);
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return false;
      buffer = Buffer.concat([buffer, chunk.subarray(0, bytesRead)]);
    }
    return true;
  };
  const take = (length: number, hashed: boolean): Buffer => {
    const taken = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    if (hashed) hash.update(taken);
    return taken;
  };
  return {
    async exactly(length: number, hashed = true): Promise<Buffer> {
      if (!(await fill(length))) throw new StoreCorruptError('the snapshot has been cut off');
      return take(length, hashed);
    },
    async line(): Promise<string> {
      for (let wanted = 1; ; wanted = buffer.length + 1) {
        const at = buffer.indexOf(10);
        if (at >= 0) return take(at + 1, true).toString();
        if (buffer.length > 4096 || !(await fill(wanted))) throw new StoreCorruptError('this is not a snapshot');
      }
    },
    async isOver(): Promise<boolean> {
      return !(await fill(1));
    },
  };
}

/**
 * Reads a snapshot; `each` gets its entries in order, and must keep none of them where this rejects: only at the end is it known that
 * the whole is sound. Throws `StoreCorruptError` for anything else than a whole snapshot.
 */
export async function readSnapshot(
  path: string,
  each: (entry: Entry, head: SnapshotHead) => void | Promise<void>,
): Promise<SnapshotHead & { readonly entries: number }> {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const read = reader(file, hash);
    if ((await read.line()) !== formatLine) throw new StoreCorruptError(`${path} is not a snapshot`);
    const head = JSON.parse(await read.line()) as SnapshotHead;
    if (!Number.isSafeInteger(head.revision)) throw new StoreCorruptError(`${path} is not a snapshot`);
    let entries = 0;
    for (;;) {
      const sizes = await read.exactly(8);
      const [keyLength, recordLength] = [sizes.readUInt32LE(0), sizes.readUInt32LE(4)];
      if (keyLength === 0) break;
      const key = (await read.exactly(keyLength)).toString();
      const { entry } = decodeRecord(key, Buffer.from(await read.exactly(recordLength)));
      entries += 1;
      await each(entry, head);
    }
    const counted = (await read.exactly(8)).readUInt32LE(0);
    const sum = hash.digest();
    if (counted !== entries || !sum.equals(await read.exactly(32, false)) || !(await read.isOver()))
      throw new StoreCorruptError(`${path} is damaged`);
    return { ...head, entries };
  } finally {
    await file.close();
  }
}
