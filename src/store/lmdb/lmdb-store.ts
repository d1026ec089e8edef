import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { assert } from '../../base/assert.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { Backend, BackendKey, Table } from '../mvcc/backend.ts';
import { mvccStore } from '../mvcc/mvcc-store.ts';
import { type Store, StoreUnavailableError } from '../store.ts';

type LmdbKey = string | number | (string | number)[];
/** LMDB's types want mutable arrays; it never changes a key. */
const keyFor = (key: BackendKey): LmdbKey => key as LmdbKey;
const between = (start: BackendKey, end: BackendKey) => ({ start: keyFor(start), end: keyFor(end) });

/** Longer keys do not fit a page of the tree. Kubernetes' longest is about 600 bytes. */
const maxKeyBytes = 1500;

function lmdbBackend(file: string): Backend {
  const root: RootDatabase<Buffer, LmdbKey> = open({
    path: file,
    encoding: 'binary',
    maxDbs: 4,
    // A commit resolves only when it is on disk.
    overlappingSync: false,
    // Strings are compared in the order of their UTF-8 bytes.
    keyEncoding: 'ordered-binary',
    eventTurnBatching: false,
  });
  const table = (name: Table): Database<Buffer, LmdbKey> => root.openDB({ name, encoding: 'binary' });
  const tables: Readonly<Record<Table, Database<Buffer, LmdbKey>>> = {
    current: table('current'),
    history: table('history'),
    log: table('log'),
    meta: table('meta'),
  };
  return {
    get: (name, key) => tables[name].getBinary(keyFor(key)),
    *scan(name, start, end) {
      for (const { key, value } of tables[name].getRange({ ...between(start, end), snapshot: true }))
        yield { key: key as BackendKey, value };
    },
    keys: (name, start, end) => tables[name].getKeys(between(start, end)) as Iterable<BackendKey>,
    count: (name, start, end) => tables[name].getKeysCount(between(start, end)),
    async write(writes) {
      for (const { key } of writes) {
        const text = typeof key === 'object' ? key[0] : key;
        if (typeof text === 'string' && Buffer.byteLength(text) > maxKeyBytes)
          throw new StoreUnavailableError('key is too long');
      }
      try {
        await root.transaction(() => {
          for (const { table: name, key, value } of writes) {
            if (value) tables[name].put(keyFor(key), value as Buffer);
            else tables[name].remove(keyFor(key));
          }
        });
      } catch (error) {
        throw new StoreUnavailableError(
          `the write did not reach the disk: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
    bytes: () => statSync(file).size,
    close: () => root.close(),
  };
}

/**
 * The embedded store in one LMDB file below `dir`, created where it is missing (mode 0700). A commit resolves when it is on disk;
 * commits that wait together share one flush. One process at a time may write.
 */
export function lmdbStore(dir: string, clock: Clock = systemClock): Store {
  assert(dir !== '', 'the store needs a directory');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return mvccStore(lmdbBackend(join(dir, 'store.lmdb')), clock);
}
