import type { Entry, StoreEvent, Transaction, TransactionResult } from '../store.ts';
import type { Backend, BackendWrite } from './backend.ts';
import { encodeRecord, isTombstone } from './record.ts';

/** What one group of transactions does: one answer each, one batch of writes, events by revision. */
export interface GroupPlan {
  readonly results: readonly TransactionResult[];
  readonly writes: readonly BackendWrite[];
  readonly batches: readonly { readonly revision: number; readonly events: readonly StoreEvent[] }[];
  readonly revision: number;
}

const nothing = new Uint8Array(0);

/**
 * Works out a group of waiting transactions in their order, each seeing what those before it did, as if they had been committed
 * one by one. `read` gives the committed entry of a key.
 */
export function planGroup(
  transactions: readonly Transaction[],
  startRevision: number,
  read: (key: string) => Entry | undefined,
): GroupPlan {
  const overlay = new Map<string, Entry | undefined>();
  const current = (key: string): Entry | undefined => (overlay.has(key) ? overlay.get(key) : read(key));
  const writes: BackendWrite[] = [];
  const batches: { revision: number; events: StoreEvent[] }[] = [];
  const results: TransactionResult[] = [];
  let revision = startRevision;
  for (const transaction of transactions) {
    const held = transaction.compares.every(({ key, modRevision }) => (current(key)?.modRevision ?? 0) === modRevision);
    if (!held) {
      results.push({ succeeded: false, revision, current: transaction.compares.map(({ key }) => current(key)) });
      continue;
    }
    const events = applyOperations(transaction, revision + 1, current, overlay, writes);
    if (events.length > 0) {
      revision += 1;
      batches.push({ revision, events });
    }
    results.push({ succeeded: true, revision, current: [] });
  }
  return { results, writes, batches, revision };
}

function applyOperations(
  transaction: Transaction,
  revision: number,
  current: (key: string) => Entry | undefined,
  overlay: Map<string, Entry | undefined>,
  writes: BackendWrite[],
): StoreEvent[] {
  const events: StoreEvent[] = [];
  for (const operation of transaction.operations) {
    const { key } = operation;
    const previous = current(key);
    if (operation.type === 'delete' && !previous) continue;
    if (previous)
      writes.push({ table: 'history', key: [key, previous.modRevision], value: encodeRecord(previous, false) });
    const entry: Entry =
      operation.type === 'put'
        ? {
            key,
            value: operation.value,
            createRevision: previous?.createRevision ?? revision,
            modRevision: revision,
            version: (previous?.version ?? 0) + 1,
            lease: operation.lease ?? '',
          }
        : { key, value: nothing, createRevision: 0, modRevision: revision, version: 0, lease: '' };
    writes.push({ table: 'log', key: [revision, events.length], value: Buffer.from(key) });
    if (operation.type === 'put') {
      writes.push({ table: 'current', key, value: encodeRecord(entry, false) });
      overlay.set(key, entry);
    } else {
      writes.push({ table: 'history', key: [key, revision], value: encodeRecord(entry, true) });
      writes.push({ table: 'current', key, value: undefined });
      overlay.set(key, undefined);
    }
    events.push({ type: operation.type, key, entry, ...(previous && { previous }) });
  }
  return events;
}

/** The writes that forget what only revisions below `revision` need, for log entries from `from` on, at most `limit` of them. */
export function planCompaction(
  backend: Backend,
  from: number,
  revision: number,
  limit: number,
): { readonly writes: readonly BackendWrite[]; readonly reached: number } {
  const writes: BackendWrite[] = [];
  let reached = from;
  for (const { key: logKey, value } of backend.scan('log', [from, 0], [revision + 1, 0])) {
    const [at, index] = logKey as readonly [number, number];
    if (writes.length >= limit && index === 0) break;
    const key = Buffer.from(value).toString();
    for (const old of backend.keys('history', [key, 0], [key, at]))
      writes.push({ table: 'history', key: old, value: undefined });
    // At the compaction revision itself a deleted key reads as absent with or without its tombstone.
    const tombstone = backend.get('history', [key, at]);
    if (tombstone && isTombstone(tombstone)) writes.push({ table: 'history', key: [key, at], value: undefined });
    // The change made at the compaction revision can still be watched from.
    if (at < revision) writes.push({ table: 'log', key: logKey, value: undefined });
    reached = at;
  }
  return { writes, reached };
}
