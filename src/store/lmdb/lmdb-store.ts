import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { BackendWrite } from '../mvcc/backend.ts';
import { type EmbeddedStore, type MvccOptions, mvccStore } from '../mvcc/mvcc-store.ts';
import { StoreCorruptError } from '../store.ts';
import { examineLmdbFile } from './lmdb-file.ts';
import { type LmdbTables, lmdbTables } from './lmdb-tables.ts';
import { appliedRow, loggedBackend } from './logged-backend.ts';
import { openLog } from './write-ahead-log.ts';

/** Raised when files of an older version can no longer be read. */
const format = '2';
export const tablesFile = 'store.lmdb';
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();

/** The store's own name, made at first; refuses files of another format. */
export async function identify(tables: LmdbTables, dir: string): Promise<string> {
  const found = text(tables.get('meta', 'id'));
  const version = text(tables.get('meta', 'format'));
  if (found && version === format) return found;
  if (tables.count('meta', '', '\u{ffff}') > 0)
    throw new StoreCorruptError(`the store in ${dir} has format ${version ?? '1'}; this version reads ${format} only`);
  const id = randomBytes(8).toString('hex');
  await tables.apply([{ table: 'meta', key: 'id', value: Buffer.from(id) }], {
    table: 'meta',
    key: 'format',
    value: Buffer.from(format),
  });
  return id;
}

/**
 * The embedded store below `dir`, created where it is missing (mode 0700): a write-ahead log and an LMDB file. A commit resolves when
 * it is on disk; commits that wait together share one write. One process at a time may open it. Rejects with `StoreCorruptError` for
 * files that are damaged or of something else.
 */
export async function lmdbStore(
  dir: string,
  clock: Clock = systemClock,
  options: MvccOptions = {},
): Promise<EmbeddedStore> {
  assert(dir !== '', 'the store needs a directory');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, tablesFile);
  const suspect = examineLmdbFile(file);
  const tables = lmdbTables(file);
  try {
    const id = await identify(tables, dir);
    const applied = Number(text(tables.get('meta', appliedRow)) ?? '0');
    const recovered: BackendWrite[] = [];
    const log = openLog(dir, id, applied, (frame) => {
      for (const write of frame.writes) recovered.push(write);
    });
    const store = mvccStore(loggedBackend(tables, log, recovered, clock), clock, options);
    if (suspect) await refuseFaults(store, dir);
    return store;
  } catch (error) {
    await tables.close();
    throw error;
  }
}

async function refuseFaults(store: EmbeddedStore, dir: string): Promise<void> {
  const [fault] = (await store.verify()).faults;
  if (fault === undefined) return;
  await store.close();
  throw new StoreCorruptError(`the store in ${dir} is damaged: ${fault}`);
}
