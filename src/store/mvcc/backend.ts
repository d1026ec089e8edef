/**
 * What the MVCC core needs of a disk: four ordered tables and atomic, durable batches of changes. Keys order by bytes of their
 * UTF-8 form, then by number. Values given out are never changed.
 */
export type Table = 'current' | 'history' | 'log' | 'meta';

/** A text key, or text and number, or number alone; each table uses one shape only. */
export type BackendKey = string | number | readonly [string | number, string | number];

export interface BackendWrite {
  readonly table: Table;
  readonly key: BackendKey;
  /** Undefined removes the key. */
  readonly value: Uint8Array | undefined;
}

export interface Backend {
  get(table: Table, key: BackendKey): Uint8Array | undefined;
  /** Entries with start <= key < end, in order. Stopped early by the reader. */
  scan(
    table: Table,
    start: BackendKey,
    end: BackendKey,
  ): Iterable<{ readonly key: BackendKey; readonly value: Uint8Array }>;
  /** The keys alone; cheaper than `scan`. */
  keys(table: Table, start: BackendKey, end: BackendKey): Iterable<BackendKey>;
  count(table: Table, start: BackendKey, end: BackendKey): number;
  /** All or nothing, and on disk when it resolves. Called one at a time. */
  write(writes: readonly BackendWrite[]): Promise<void>;
  bytes(): number;
  close(): Promise<void>;
}
