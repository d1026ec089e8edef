/**
 * The store's model is etcd's (etcd v3 API, api/etcdserverpb/rpc.proto): one revision counter for the whole store, keys with
 * create revision, modification revision and version, transactions of compares and operations, watches from a
 * revision, compaction. Every driver passes `conformance.ts` beside this file.
 */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The revision that created the key's present life. */
  readonly createRevision: number;
  /** The revision of its last change. */
  readonly modRevision: number;
  /** 1 at creation, one more for each change. */
  readonly version: number;
  /** The lease it hangs on, '' for none. */
  readonly lease: string;
}

/** Keys from `start` (included) to `end` (excluded), in byte order. `prefixRange` builds one for a prefix. */
export interface KeyRange {
  readonly start: string;
  readonly end: string;
}

/** `modRevision` 0 means: the key must not exist. */
export interface Compare {
  readonly key: string;
  readonly modRevision: number;
}

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: string }
  | { readonly type: 'delete'; readonly key: string };

export interface Transaction {
  /** All must hold. */
  readonly compares: readonly Compare[];
  /** Done together under one new revision when they do. No key twice. */
  readonly operations: readonly Operation[];
}

export interface TransactionResult {
  /** True when every compare held; then `operations` are durable and visible. */
  readonly succeeded: boolean;
  /** The revision that the operations made; where nothing was changed, the store's present revision. */
  readonly revision: number;
  /** When a compare failed: the present entry of each compared key (undefined = absent), in order of `compares`. */
  readonly current: readonly (Entry | undefined)[];
}

export interface RangeOptions {
  /** Read as of this revision; 0 or absent = now. Throws `CompactedError` or `FutureRevisionError`. */
  readonly revision?: number;
  /** At most this many entries; 0 or absent = no limit. */
  readonly limit?: number;
  readonly keysOnly?: boolean;
}

export interface RangeResult {
  /** The store's revision when the range was read (not the revision asked for). */
  readonly revision: number;
  readonly entries: readonly Entry[];
  /** True when the limit cut the answer. */
  readonly more: boolean;
  /** How many keys the whole range has at that revision. */
  readonly count: number;
}

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** The new entry; for a delete the key with an empty value, `modRevision` being the deletion's. */
  readonly entry: Entry;
  /** The entry before, where the driver still has it. */
  readonly previous?: Entry;
}

/**
 * The embedded drivers put the very `Uint8Array` of the put operation into the event's entry, so a cache that remembers what it
 * wrote by that array (a WeakMap) need not parse it again. Watchers hear of a commit before its writer's promise resolves.
 *
 * Called in order of revision; all events of one revision come in one batch. Must not throw.
 */
export interface WatchSink {
  events(batch: readonly StoreEvent[], revision: number): void;
  /** Nothing in the range changed up to this revision. */
  progress?(revision: number): void;
  /** The watch has ended by itself; `CompactedError` when the start revision is gone. Not called after `cancel`. */
  closed(error: Error): void;
}

export interface StoreWatch {
  cancel(): void;
  /** Asks for a `progress` call that reflects everything committed before this call. */
  requestProgress(): void;
}

export interface StoreStats {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly keys: number;
  /** Bytes on disk (memory driver: bytes of values held). */
  readonly bytes: number;
}

export interface Store {
  get(key: string, revision?: number): Promise<{ readonly revision: number; readonly entry: Entry | undefined }>;
  range(range: KeyRange, options?: RangeOptions): Promise<RangeResult>;
  /** Resolves when the outcome is durable. */
  commit(transaction: Transaction): Promise<TransactionResult>;
  /** Events with revision >= `startRevision` (0 = from the next change on). */
  watch(range: KeyRange, startRevision: number, sink: WatchSink): StoreWatch;
  /** Forgets what only revisions before `revision` need. Later reads below it throw `CompactedError`. */
  compact(revision: number): Promise<void>;
  /** Keys of a lease vanish `ttlSeconds` after its last keep-alive. */
  grantLease(ttlSeconds: number): Promise<string>;
  keepAlive(lease: string): Promise<void>;
  revokeLease(lease: string): Promise<void>;
  stats(): Promise<StoreStats>;
  /** Ends watches and releases files and connections; pending commits are settled first. */
  close(): Promise<void>;
}

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: string): KeyRange {
  const last = prefix.charCodeAt(prefix.length - 1);
  return { start: prefix, end: prefix.slice(0, -1) + String.fromCharCode(last + 1) };
}

/** The revision asked for has been compacted away. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super('required revision has been compacted');
    this.compactedRevision = compactedRevision;
  }
}

/** The revision asked for does not exist yet. */
export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
  readonly currentRevision: number;
  constructor(currentRevision: number) {
    super('required revision is a future revision');
    this.currentRevision = currentRevision;
  }
}

/** The store cannot take the write now: disk full, quota, no leader. Reads may still work. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** What is on disk is not what was written: torn, damaged, or not a store of ours. It is never served. */
export class StoreCorruptError extends Error {
  override readonly name = 'StoreCorruptError';
}

/** The lease does not exist (any more). */
export class LeaseNotFoundError extends Error {
  override readonly name = 'LeaseNotFoundError';
}
