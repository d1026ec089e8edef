import type { Clock, Timer } from '../../base/clock.ts';
import type { Backend, BackendKey, BackendWrite, Table } from '../mvcc/backend.ts';
import { StoreUnavailableError } from '../store.ts';
import type { LmdbTables } from './lmdb-tables.ts';
import { type Memtable, memtable, mergeRows, type Row, removed } from './memtable.ts';
import type { WriteAheadLog } from './write-ahead-log.ts';

/** Rows are moved into the tables when so many bytes or rows have come together, or after this time in milliseconds. */
const flushBytes = 4 * 1024 * 1024;
const flushRows = 8192;
const flushAfter = 1_000;
/** Writers wait while so much is on its way into the tables, and are refused when the tables do not take it. */
const mostBytes = 32 * 1024 * 1024;
const retryAfter = 1_000;

/** The row of the meta table that tells up to which frame of the log the tables are complete. */
export const appliedRow = 'applied';

const pairs = function* (
  rows: Iterable<{ readonly key: BackendKey; readonly value: Uint8Array }>,
): Iterable<readonly [BackendKey, Row]> {
  for (const { key, value } of rows) yield [key, value];
};

/**
 * Tables behind a write-ahead log. A write is durable, and answered, when it is in the log; it goes into the tables later, many at
 * a time, and is served from memory until then. After a crash the log is read again, so the tables may hold a part of what the log
 * has, but never lack what it no longer has.
 */
export function loggedBackend(
  tables: LmdbTables,
  log: WriteAheadLog,
  recovered: readonly BackendWrite[],
  clock: Clock,
): Backend {
  let active: Memtable = memtable();
  let frozen: Memtable | undefined;
  let flushing: Promise<void> | undefined;
  let failure: unknown;
  let timer: Timer | undefined;
  active.add(recovered);

  const flushOnce = async (): Promise<void> => {
    if (!frozen) {
      if (active.size === 0) return;
      frozen = active;
      frozenUpTo = log.sequence;
      active = memtable();
    }
    const last: BackendWrite = { table: 'meta', key: appliedRow, value: Buffer.from(String(frozenUpTo)) };
    await tables.reserve(frozen.scattered, frozen.bytes);
    await tables.apply(frozen.writes(), last);
    frozen = undefined;
    log.forget(frozenUpTo);
  };
  let frozenUpTo = 0;
  /** Never rejects; `failure` tells. One at a time. */
  const flush = (): Promise<void> => {
    timer?.cancel();
    timer = undefined;
    flushing ??= flushOnce()
      .then(
        () => {
          failure = undefined;
        },
        (error: unknown) => {
          failure = error ?? new Error('the tables refused a write');
        },
      )
      .finally(() => {
        flushing = undefined;
        if (failure !== undefined || active.size > 0) flushSoon();
      });
    return flushing;
  };
  const flushSoon = (): void => {
    if (failure === undefined && (active.bytes >= flushBytes || active.size >= flushRows)) void flush();
    else
      timer ??= clock.after(failure === undefined ? flushAfter : retryAfter, () => void flush(), { background: true });
  };
  if (active.size > 0) flushSoon();

  const overlay = (table: Table, start: BackendKey, end: BackendKey): Iterable<readonly [BackendKey, Row]> => {
    const newest = active.entries(table, start, end);
    return frozen ? mergeRows(newest, frozen.entries(table, start, end)) : newest;
  };
  const settle = async (): Promise<void> => {
    await flush();
    while (failure === undefined && (frozen || active.size > 0)) await flush();
  };

  return {
    get(table, key) {
      const row = active.get(table, key) ?? frozen?.get(table, key) ?? tables.get(table, key);
      return row === removed ? undefined : row;
    },
    *scan(table, start, end) {
      for (const [key, value] of mergeRows(overlay(table, start, end), pairs(tables.scan(table, start, end))))
        if (value !== removed) yield { key, value };
    },
    *keys(table, start, end) {
      const below = function* (): Iterable<readonly [BackendKey, Row]> {
        for (const key of tables.keys(table, start, end)) yield [key, present];
      };
      for (const [key, value] of mergeRows(overlay(table, start, end), below())) if (value !== removed) yield key;
    },
    count(table, start, end) {
      let total = tables.count(table, start, end);
      for (const [key, row] of overlay(table, start, end)) {
        const there = tables.has(table, key);
        if (row === removed && there) total -= 1;
        else if (row !== removed && !there) total += 1;
      }
      return total;
    },
    async write(writes) {
      if (active.bytes + (frozen?.bytes ?? 0) > mostBytes) {
        await flush();
        if (failure !== undefined)
          throw new StoreUnavailableError(
            `the store cannot move its log into its tables: ${failure instanceof Error ? failure.message : String(failure)}`,
          );
      }
      await log.append(writes);
      active.add(writes);
      flushSoon();
    },
    bytes: () => tables.bytes() + log.bytes,
    async close() {
      await settle();
      timer?.cancel();
      // Where the tables refuse to the last, the log keeps what they lack.
      await log.close(failure === undefined ? log.sequence : 0);
      await tables.close();
    },
  };
}

const present = new Uint8Array(0);
