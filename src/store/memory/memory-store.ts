import { type Clock, systemClock } from '../../base/clock.ts';
import type { Backend, BackendKey, Table } from '../mvcc/backend.ts';
import { mvccStore } from '../mvcc/mvcc-store.ts';
import type { Store } from '../store.ts';
import { compareKeys } from './compare-keys.ts';
import { sortedMap } from './sorted-map.ts';

function memoryBackend(): Backend {
  const tables: Readonly<Record<Table, ReturnType<typeof sortedMap<BackendKey, Uint8Array>>>> = {
    current: sortedMap(compareKeys),
    history: sortedMap(compareKeys),
    log: sortedMap(compareKeys),
    meta: sortedMap(compareKeys),
  };
  let bytes = 0;
  return {
    get: (table, key) => tables[table].get(key),
    *scan(table, start, end) {
      for (const [key, value] of tables[table].entries(start, end)) yield { key, value };
    },
    *keys(table, start, end) {
      for (const [key] of tables[table].entries(start, end)) yield key;
    },
    count: (table, start, end) => tables[table].count(start, end),
    async write(writes) {
      for (const { table, key, value } of writes) {
        bytes += (value?.length ?? 0) - (tables[table].get(key)?.length ?? 0);
        if (value) tables[table].set(key, value);
        else tables[table].delete(key);
      }
    },
    bytes: () => bytes,
    close: async () => undefined,
  };
}

/** A store that lives and dies with the process. For tests and throw-away clusters. */
export function memoryStore(clock: Clock = systemClock): Store {
  return mvccStore(memoryBackend(), clock);
}
