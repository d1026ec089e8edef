import { compareKeys } from '../memory/compare-keys.ts';
import { type SortedMap, sortedMap } from '../memory/sorted-map.ts';
import type { BackendKey, BackendWrite, Table } from '../mvcc/backend.ts';

/** A removed row. */
export const removed = Symbol('removed');
export type Row = Uint8Array | typeof removed;

/** Rows that are in the log but not yet in the tables, the newest of each key, in order. */
export interface Memtable {
  readonly bytes: number;
  readonly size: number;
  /** Those that lie scattered over the tables; the log of revisions grows at its end. */
  readonly scattered: number;
  get(table: Table, key: BackendKey): Row | undefined;
  entries(table: Table, start: BackendKey, end: BackendKey): Iterable<readonly [BackendKey, Row]>;
  add(writes: readonly BackendWrite[]): void;
  writes(): Iterable<BackendWrite>;
}

const everything: Readonly<Record<Table, readonly [BackendKey, BackendKey]>> = {
  current: ['', '\u{ffff}'],
  history: [
    ['', 0],
    ['\u{ffff}', 0],
  ],
  log: [
    [0, 0],
    [Number.MAX_SAFE_INTEGER, 0],
  ],
  meta: ['', '\u{ffff}'],
};
const names = Object.keys(everything) as Table[];
const rowOverhead = 64;

export function memtable(): Memtable {
  const tables: Readonly<Record<Table, SortedMap<BackendKey, Row>>> = {
    current: sortedMap(compareKeys),
    history: sortedMap(compareKeys),
    log: sortedMap(compareKeys),
    meta: sortedMap(compareKeys),
  };
  let bytes = 0;
  let size = 0;
  let scattered = 0;
  return {
    get bytes() {
      return bytes;
    },
    get size() {
      return size;
    },
    get scattered() {
      return scattered;
    },
    get: (table, key) => tables[table].get(key),
    entries: (table, start, end) => tables[table].entries(start, end),
    add(writes) {
      for (const { table, key, value } of writes) {
        tables[table].set(key, value ?? removed);
        if (table !== 'log') scattered += 1;
        bytes += rowOverhead + (value?.length ?? 0);
      }
      size += writes.length;
    },
    *writes() {
      for (const table of names) {
        for (const [key, row] of tables[table].entries(...everything[table]))
          yield { table, key, value: row === removed ? undefined : row };
      }
    },
  };
}

/** Merges rows in order; where both have a key, the upper one counts. Removed rows are given too. */
export function* mergeRows(
  upper: Iterable<readonly [BackendKey, Row]>,
  lower: Iterable<readonly [BackendKey, Row]>,
): Iterable<readonly [BackendKey, Row]> {
  const below = lower[Symbol.iterator]();
  let under = below.next();
  try {
    for (const row of upper) {
      while (!under.done) {
        const order = compareKeys(under.value[0], row[0]);
        if (order > 0) break;
        if (order < 0) yield under.value;
        under = below.next();
      }
      yield row;
    }
    while (!under.done) {
      yield under.value;
      under = below.next();
    }
  } finally {
    below.return?.();
  }
}
