import { statSync } from 'node:fs';
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { BackendKey, BackendWrite, Table } from '../mvcc/backend.ts';
import { reserveRoom } from './lmdb-file.ts';

type LmdbKey = string | number | (string | number)[];
/** LMDB's types want mutable arrays; it never changes a key. */
const keyFor = (key: BackendKey): LmdbKey => key as LmdbKey;
const between = (start: BackendKey, end: BackendKey) => ({ start: keyFor(start), end: keyFor(end) });

/** Rows handed to LMDB between turns of the event loop. */
const slice = 256;

/** The trees' upper pages and the list of free pages. */
const treeBytes = 2 * 1024 * 1024;

/** LMDB tells the cause of a failed commit by a second promise, which must be listened to. */
async function causeOf(reason: unknown): Promise<unknown> {
  if (!(reason instanceof Error) || !('commitError' in reason)) return reason;
  return Promise.resolve(reason.commitError).then(
    () => reason,
    (cause: unknown) => cause,
  );
}

/** The four tables in one LMDB file. */
export interface LmdbTables {
  get(table: Table, key: BackendKey): Uint8Array | undefined;
  has(table: Table, key: BackendKey): boolean;
  scan(
    table: Table,
    start: BackendKey,
    end: BackendKey,
  ): Iterable<{ readonly key: BackendKey; readonly value: Uint8Array }>;
  keys(table: Table, start: BackendKey, end: BackendKey): Iterable<BackendKey>;
  count(table: Table, start: BackendKey, end: BackendKey): number;
  /** Makes sure of room for rows of so many bytes in all. Rejects where the disk is full; nothing is harmed then. */
  reserve(rows: number, bytes: number): Promise<void>;
  /**
   * Writes rows and resolves when they are on disk. Not atomic: a crash may leave some of them. The last row is written after all
   * others.
   */
  apply(writes: Iterable<BackendWrite>, last: BackendWrite): Promise<void>;
  /** Writes a compacted copy to another file. */
  copyTo(path: string): Promise<void>;
  bytes(): number;
  close(): Promise<void>;
}

/** Opens `file`, made where it is missing. */
export function lmdbTables(file: string): LmdbTables {
  const root: RootDatabase<Buffer, LmdbKey> = open({
    path: file,
    encoding: 'binary',
    maxDbs: 4,
    // A commit resolves only when it is on disk.
    overlappingSync: false,
    // Text is compared in the order of its UTF-8 bytes.
    keyEncoding: 'ordered-binary',
    eventTurnBatching: false,
    // Dense for objects of a few kilobytes. (LMDB's own compression is not used: it crashed under load.)
    pageSize: 8192,
  });
  const table = (name: Table): Database<Buffer, LmdbKey> => root.openDB({ name, encoding: 'binary' });
  const tables: Readonly<Record<Table, Database<Buffer, LmdbKey>>> = {
    current: table('current'),
    history: table('history'),
    log: table('log'),
    meta: table('meta'),
  };
  let handle: FileHandle | undefined;
  const put = ({ table: name, key, value }: BackendWrite): Promise<boolean> =>
    value ? tables[name].put(keyFor(key), value as Buffer) : tables[name].remove(keyFor(key));
  const putAll = async (writes: readonly BackendWrite[]): Promise<void> => {
    const outcomes = await Promise.allSettled(writes.map(put));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw await causeOf(failed.reason);
  };
  return {
    get: (name, key) => tables[name].getBinary(keyFor(key)),
    has: (name, key) => tables[name].doesExist(keyFor(key)),
    *scan(name, start, end) {
      for (const { key, value } of tables[name].getRange({ ...between(start, end), snapshot: true }))
        yield { key: key as BackendKey, value };
    },
    keys: (name, start, end) => tables[name].getKeys(between(start, end)) as Iterable<BackendKey>,
    count: (name, start, end) => tables[name].getKeysCount(between(start, end)),
    async reserve(rows, bytes) {
      handle ??= await openFile(file, 'r+');
      await reserveRoom(handle, rows, bytes * 2 + treeBytes);
    },
    async apply(writes, last) {
      const slices: Promise<void>[] = [];
      let rows: BackendWrite[] = [];
      for (const write of writes) {
        rows.push(write);
        if (rows.length < slice) continue;
        slices.push(putAll(rows));
        rows = [];
        await new Promise(setImmediate);
      }
      slices.push(putAll(rows));
      const outcomes = await Promise.allSettled(slices);
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
      await putAll([last]);
    },
    copyTo: (path) => root.backup(path, true),
    bytes: () => statSync(file).size,
    async close() {
      await handle?.close();
      await root.close();
    },
  };
}
