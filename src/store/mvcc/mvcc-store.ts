import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import {
  type Entry,
  FutureRevisionError,
  LeaseNotFoundError,
  type Store,
  StoreUnavailableError,
  type Transaction,
  type TransactionResult,
} from '../store.ts';
import type { Backend, BackendWrite } from './backend.ts';
import { leases as leaseTable } from './leases.ts';
import { type Bounds, checkRevision, readAt, readRange } from './reader.ts';
import { decodeRecord } from './record.ts';
import { type Verification, verifyBackend } from './verify.ts';
import { watchers as watcherSet } from './watchers.ts';
import { planCompaction, planGroup } from './writer.ts';

interface Waiting {
  readonly transaction: Transaction;
  readonly resolve: (result: TransactionResult) => void;
  readonly reject: (error: unknown) => void;
}

/** At most this many transactions wait; one more is refused. */
const queueLimit = 100_000;
/** At most this many transactions share one write, so that the first of them does not wait for ever. */
const groupLimit = 2048;
const compactionChunk = 5000;

export interface MvccOptions {
  /** Writes that add are refused while the store has more bytes than this (etcd's --quota-backend-bytes); 0 = no limit. */
  readonly quotaBytes?: number;
}

/** A store of this process, which can be looked into and copied. */
export interface EmbeddedStore extends Store {
  /** Reads everything and tells what is wrong with it. Writes go on meanwhile; what they change may be missed. */
  verify(): Promise<Verification>;
}

/** Longer keys do not fit a page of a tree. Kubernetes' longest is about 600 bytes. */
const maxKeyBytes = 1500;

/** Why a key cannot be stored, or undefined. Surrogates are refused since UTF-8 orders them otherwise than JavaScript does. */
function keyFault(key: string): string | undefined {
  if (key === '') return 'key is not provided';
  if (key.length > maxKeyBytes || Buffer.byteLength(key) > maxKeyBytes) return 'key is too long';
  return /[\ud800-\udfff\u{ffff}]/u.test(key) ? 'key has characters that cannot be stored' : undefined;
}

/** etcd's model over a backend: group commit, so that many writers share one flush. */
export function mvccStore(backend: Backend, clock: Clock, options: MvccOptions = {}): EmbeddedStore {
  const quota = options.quotaBytes ?? 0;
  let bounds: Bounds = { revision: readNumber(backend, 'revision', 1), compacted: readNumber(backend, 'compacted', 0) };
  let queue: Waiting[] = [];
  let draining: Promise<void> | undefined;
  let closed = false;
  /** Writes outside a group (leases, compaction) take turns with groups here. */
  let turn: Promise<unknown> = Promise.resolve();

  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const readCommitted = (key: string): Entry | undefined => {
    const record = backend.get('current', key);
    return record && decodeRecord(key, record).entry;
  };

  const watchers = watcherSet(backend, () => bounds);
  const leases = leaseTable(
    backend,
    clock,
    (write) => exclusively(() => backend.write([write])),
    (id) => void revoke(id).catch(() => undefined),
  );
  if (leases.size > 0) {
    for (const { key, value } of backend.scan('current', '', '\u{10ffff}')) {
      const { entry } = decodeRecord(String(key), value, true);
      if (entry.lease) leases.moved(entry.key, undefined, entry.lease);
    }
  }

  const commitGroup = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const plan = planGroup(
        group.map((one) => one.transaction),
        bounds.revision,
        readCommitted,
      );
      if (plan.writes.length > 0) {
        await backend.write([...plan.writes, numberWrite('revision', plan.revision)]);
        bounds = { ...bounds, revision: plan.revision };
      }
      for (const { events } of plan.batches) {
        for (const event of events) {
          if (event.previous?.lease || event.entry.lease) leases.moved(event.key, event.previous, event.entry.lease);
        }
      }
      watchers.publish(plan.batches);
      for (const [index, one] of group.entries()) one.resolve(plan.results[index] as TransactionResult);
    } catch (error) {
      for (const one of group) one.reject(error);
    }
  };

  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      const group = queue.slice(0, groupLimit);
      queue = queue.slice(groupLimit);
      await exclusively(() => commitGroup(group));
    }
    draining = undefined;
  };

  const commit = (transaction: Transaction): Promise<TransactionResult> => {
    if (closed) return Promise.reject(new StoreUnavailableError('the store is closed'));
    if (queue.length >= queueLimit) return Promise.reject(new StoreUnavailableError('too many writes are waiting'));
    if (quota > 0 && backend.bytes() > quota && transaction.operations.some(({ type }) => type === 'put'))
      return Promise.reject(new StoreUnavailableError('mvcc: database space exceeded'));
    for (const operation of transaction.operations) {
      const fault = keyFault(operation.key);
      if (fault) return Promise.reject(new StoreUnavailableError(fault));
      if (operation.type === 'put' && operation.lease && !leases.has(operation.lease)) {
        return Promise.reject(new LeaseNotFoundError(`lease ${operation.lease} not found`));
      }
    }
    return new Promise((resolve, reject) => {
      queue.push({ transaction, resolve, reject });
      draining ??= Promise.resolve().then(drain);
    });
  };

  const revoke = async (id: string): Promise<void> => {
    const keys = leases.keysOf(id);
    if (keys.length > 0) await commit({ compares: [], operations: keys.map((key) => ({ type: 'delete', key })) });
    await leases.drop(id);
  };

  const compactTo = async (revision: number): Promise<void> => {
    if (revision > bounds.revision) throw new FutureRevisionError(bounds.revision);
    if (revision <= bounds.compacted) return;
    const from = bounds.compacted;
    await exclusively(() => backend.write([numberWrite('compacted', revision)]));
    bounds = { ...bounds, compacted: revision };
    for (let at = from; at < revision; ) {
      const reached = await exclusively(async () => {
        const plan = planCompaction(backend, at, revision, compactionChunk);
        if (plan.writes.length > 0) await backend.write(plan.writes);
        return plan.reached;
      });
      at = reached + 1;
    }
  };

  return {
    async get(key, revision = 0) {
      if (revision !== 0) checkRevision(revision, bounds);
      const entry = revision === 0 ? readCommitted(key) : readAt(backend, key, revision);
      return { revision: bounds.revision, entry };
    },
    range: async (range, options = {}) => readRange(backend, bounds, range, options),
    commit,
    watch: (range, startRevision, sink) => watchers.add(range, startRevision, sink),
    compact: compactTo,
    grantLease: (ttlSeconds) => leases.grant(ttlSeconds),
    keepAlive: async (id) => leases.keepAlive(id),
    revokeLease: revoke,
    async stats() {
      return {
        revision: bounds.revision,
        compactedRevision: bounds.compacted,
        keys: backend.count('current', '', '\u{10ffff}'),
        bytes: backend.bytes(),
      };
    },
    verify: () => exclusively(() => verifyBackend(backend, bounds)),
    async close() {
      if (closed) return;
      closed = true;
      await draining;
      await turn;
      leases.close();
      watchers.close(new StoreUnavailableError('the store is closed'));
      await backend.close();
    },
  };
}

function readNumber(backend: Backend, key: string, fallback: number): number {
  const value = backend.get('meta', key);
  if (!value) return fallback;
  const number = Number(Buffer.from(value).toString());
  assert(Number.isSafeInteger(number), `the store's ${key} is not a number`);
  return number;
}

function numberWrite(key: string, value: number): BackendWrite {
  return { table: 'meta', key, value: Buffer.from(String(value)) };
}
