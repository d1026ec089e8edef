import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { BackendWrite } from '../mvcc/backend.ts';
import { encodeRecord } from '../mvcc/record.ts';
import { readSnapshot } from '../snapshot.ts';
import type { Entry } from '../store.ts';
import { examineLmdbFile } from './lmdb-file.ts';
import { identify, lmdbStore, tablesFile } from './lmdb-store.ts';
import { lmdbTables } from './lmdb-tables.ts';

/** Leases of other stores begin anew with the life of the objects that hang on them: events, an hour. */
const leaseSeconds = 3600;
const batchRows = 2000;

/**
 * Makes a store below `dir` of the entries that `feed` gives, with the revisions they have. What lies before `revision` is compacted. The
 * store appears only when it is complete; `dir` must not hold one.
 */
async function build(
  dir: string,
  feed: (each: (entry: Entry) => void | Promise<void>) => Promise<number>,
): Promise<{ readonly revision: number; readonly entries: number }> {
  const part = `${dir}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(dirname(dir), { recursive: true, mode: 0o700 });
  mkdirSync(part, { mode: 0o700 });
  const tables = lmdbTables(join(part, tablesFile));
  try {
    await identify(tables, part);
    const leases = new Map<string, string>();
    let rows: BackendWrite[] = [];
    let entries = 0;
    const row = (key: string, value: number): BackendWrite => ({
      table: 'meta',
      key,
      value: Buffer.from(String(value)),
    });
    const revision = await feed(async (entry) => {
      let lease = '';
      if (entry.lease !== '') {
        lease = leases.get(entry.lease) ?? String(leases.size + 1);
        leases.set(entry.lease, lease);
      }
      rows.push({ table: 'current', key: entry.key, value: encodeRecord({ ...entry, lease }, false) });
      entries += 1;
      if (rows.length < batchRows) return;
      const full = rows;
      rows = [];
      await tables.apply(full, row('compacted', 0));
    });
    for (const lease of leases.values()) rows.push(row(`lease/${lease}`, leaseSeconds));
    rows.push(row('compacted', revision));
    await tables.apply(rows, row('revision', revision));
    await tables.close();
    rmSync(dir, { recursive: true, force: true });
    renameSync(part, dir);
    return { revision, entries };
  } catch (error) {
    await tables.close();
    rmSync(part, { recursive: true, force: true });
    throw error;
  }
}

/** True when `dir` holds a store, or anything else. */
export const isOccupied = (dir: string): boolean => existsSync(dir) && readdirSync(dir).length > 0;

/** Makes a store below `dir` of a snapshot. Throws `StoreCorruptError` for a damaged one, and makes nothing then. */
export const restoreSnapshot = (dir: string, file: string) =>
  build(dir, async (each) => (await readSnapshot(file, each)).revision);

/** Makes a store below `dir` of entries that were read elsewhere at `revision`. */
export const restoreEntries = (dir: string, entries: readonly Entry[], revision: number) =>
  build(dir, async (each) => {
    for (const entry of entries) await each(entry);
    return revision;
  });

/** Rewrites the tables of a store that nobody has open, so that the file has no unused pages. Returns its size before and after. */
export async function defragment(
  dir: string,
  clock: Clock,
): Promise<{ readonly before: number; readonly after: number }> {
  const file = join(dir, tablesFile);
  // Opening and closing moves the log into the tables.
  const store = await lmdbStore(dir, clock);
  await store.close();
  examineLmdbFile(file);
  const tables = lmdbTables(file);
  const before = tables.bytes();
  const copy = `${file}.compact`;
  rmSync(copy, { force: true });
  await tables.copyTo(copy);
  await tables.close();
  renameSync(copy, file);
  rmSync(`${file}-lock`, { force: true });
  const again = lmdbTables(file);
  const after = again.bytes();
  await again.close();
  return { before, after };
}
