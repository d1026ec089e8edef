import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../../base/clock.ts';
import {
  CompactedError,
  type Entry,
  FutureRevisionError,
  type KeyRange,
  LeaseNotFoundError,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoreStats,
  StoreUnavailableError,
  type Transaction,
  type TransactionResult,
} from '../store.ts';
import { type EtcdAddress, EtcdError, etcdChannel, isTransient } from './channel.ts';
import { etcdWatch } from './etcd-watch.ts';
import { makeFence } from './fence.ts';
import { findOutcome, type Outcome, telling } from './outcome.ts';
import {
  entryOf,
  keyMap,
  kubernetesPrefix,
  type WireHeader,
  type WireRange,
  type WireTxn,
  type WireWatch,
} from './wire.ts';

export interface EtcdOptions extends EtcdAddress {
  /** Where Kubernetes' keys lie (kube-apiserver's --etcd-prefix). Default /registry. */
  readonly prefix?: string;
}

interface Note {
  readonly key: string;
  readonly value: Buffer;
}

/** Entries asked for at a time where a whole range is wanted. */
const page = 5000;
/** One transaction gets so long from one member, and so long in all, milliseconds. */
const attemptMs = 3000;
const patienceMs = 20_000;
const rangeMs = 30_000;
const mark = '.coracle-progress';

const unavailable = (error: unknown): Error => {
  if (error instanceof EtcdError) return new StoreUnavailableError(error.message);
  return error instanceof Error ? error : new StoreUnavailableError(String(error));
};

/** From these on a watch's progress never overtakes its events (etcd issue 15220). */
function progressIsSound(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major > 3 || (major === 3 && minor > 5)) return true;
  return major === 3 && ((minor === 5 && patch >= 8) || (minor === 4 && patch >= 25));
}

/**
 * The store in an etcd v3 cluster. Every endpoint may fail: requests move on to another, reads are linearizable, and a write whose answer
 * is lost is looked up before it is done again, so none is lost or doubled. Rejects with `StoreUnavailableError` when no member serves.
 */
export async function etcdStore(options: EtcdOptions, clock: Clock = systemClock): Promise<Store> {
  const keys = keyMap(options.prefix ?? kubernetesPrefix);
  const channel = await etcdChannel(options, clock);
  let newest = 0;
  let compacted = 0;
  const seen = (header: WireHeader): number => {
    const revision = Number(header.revision);
    if (revision > newest) newest = revision;
    return revision;
  };

  const translate = (error: unknown, revision = 0): Error => {
    if (error instanceof EtcdError) {
      if (/required revision has been compacted/.test(error.message))
        return new CompactedError(Math.max(compacted, revision + 1));
      if (/required revision is a future revision/.test(error.message)) return new FutureRevisionError(newest);
      if (/requested lease not found/.test(error.message)) return new LeaseNotFoundError(error.message);
    }
    return unavailable(error);
  };
  const rangeOnce = async (request: object, revision: number): Promise<WireRange> => {
    try {
      const reply = await channel.call<WireRange>('KV.Range', request, { timeoutMs: rangeMs });
      seen(reply.header);
      return reply;
    } catch (error) {
      throw translate(error, revision);
    }
  };
  const readAt = async (key: string, revision: number): Promise<{ revision: number; entry: Entry | undefined }> => {
    const reply = await rangeOnce({ key: keys.out(key), revision }, revision);
    const [kv] = reply.kvs;
    return { revision: Number(reply.header.revision), entry: kv && entryOf(kv, keys) };
  };

  let status: { version: string };
  try {
    status = await channel.call<{ version: string; header: WireHeader }>('Maintenance.Status', {});
  } catch (error) {
    channel.close();
    throw unavailable(error);
  }
  const id = randomBytes(8).toString('hex');
  const fence = await makeFence(channel, id);
  newest = fence.revision;

  const watchContext = {
    channel,
    clock,
    keys,
    newest: () => newest,
    readRevision: async () => (await readAt('/', 0)).revision,
    mark: progressIsSound(status.version)
      ? undefined
      : (range: KeyRange) => channel.call('KV.Put', { key: keys.out(range.start + mark), value: Buffer.alloc(0) }),
    isMark: (key: string) => key.endsWith(mark),
  };

  const watches = new Set<{ end(): void }>();

  const request = (transaction: Transaction, guard: number, note: Note | undefined): object => ({
    compare: [
      ...transaction.compares.map(({ key, modRevision }) => ({
        result: 'EQUAL',
        target: 'MOD',
        key: keys.out(key),
        modRevision,
      })),
      { result: 'EQUAL', target: 'MOD', key: fence.key, modRevision: guard },
    ],
    success: [
      ...transaction.operations.map((operation) =>
        operation.type === 'put'
          ? {
              requestPut: {
                key: keys.out(operation.key),
                value: operation.value,
                ...(operation.lease && { lease: operation.lease }),
              },
            }
          : { requestDeleteRange: { key: keys.out(operation.key) } },
      ),
      ...(note ? [{ requestPut: { key: Buffer.from(note.key), value: note.value, lease: fence.lease } }] : []),
    ],
    failure: [
      ...transaction.compares.map(({ key }) => ({ requestRange: { key: keys.out(key) } })),
      { requestRange: { key: fence.key, keysOnly: true } },
    ],
  });

  /** Keys in which transactions that make new keys leave a note, since a key that was made and deleted again tells nothing. */
  const freeNotes: string[] = [];
  let notes = 0;
  let serial = 0;
  const takeNote = (): Note => ({
    key: freeNotes.pop() ?? `coracle/done/${id}/${notes++}`,
    value: Buffer.from(String(++serial)),
  });

  /** Whether a transaction that can no longer be applied has been. */
  const lookUp = async (transaction: Transaction, note: Note | undefined, settled: number): Promise<Outcome> => {
    if (note) {
      const { kvs } = await rangeOnce({ key: Buffer.from(note.key), revision: settled }, settled);
      const [kv] = kvs;
      return kv && Buffer.compare(kv.value, note.value) === 0 ? Number(kv.modRevision) : 0;
    }
    const tells = telling(transaction);
    if (!tells) return 0;
    const { operation, expected } = tells;
    return findOutcome(operation, expected, settled, async (key, at) => (await readAt(key, at)).entry);
  };

  const commitNoted = async (transaction: Transaction, note: Note | undefined): Promise<TransactionResult> => {
    const until = clock.monotonic() + patienceMs;
    for (;;) {
      const guard = fence.revision;
      let reply: WireTxn;
      try {
        reply = await channel.attempt<WireTxn>('KV.Txn', request(transaction, guard, note), attemptMs);
      } catch (error) {
        if (!isTransient(error)) throw translate(error);
        if (clock.monotonic() > until) throw unavailable(error);
        const settled = await fence.raise(guard);
        const revision = await lookUp(transaction, note, settled).catch((fault: unknown) => {
          throw fault instanceof CompactedError ? new StoreUnavailableError('the outcome of a write is lost') : fault;
        });
        if (revision > 0) return { succeeded: true, revision, current: [] };
        continue;
      }
      const revision = seen(reply.header);
      if (reply.succeeded) return { succeeded: true, revision, current: [] };
      const found = reply.responses.map(({ responseRange }) => responseRange?.kvs[0]);
      if (Number(found.pop()?.modRevision ?? 0) !== guard) {
        // Shut out by ourselves while another write was looked up: surely not applied.
        if (clock.monotonic() > until) throw new StoreUnavailableError('etcd does not take the write');
        if (fence.revision === guard) await fence.raise(guard);
        continue;
      }
      return { succeeded: false, revision, current: found.map((kv) => kv && entryOf(kv, keys)) };
    }
  };
  const commit = async (transaction: Transaction): Promise<TransactionResult> => {
    if (telling(transaction) || !transaction.operations.some(({ type }) => type === 'put'))
      return commitNoted(transaction, undefined);
    const note = takeNote();
    try {
      return await commitNoted(transaction, note);
    } finally {
      freeNotes.push(note.key);
    }
  };

  const readRange = async (range: KeyRange, wanted: RangeOptions): Promise<RangeResult> => {
    const { rangeEnd } = keys.range(range);
    let { key } = keys.range(range);
    let at = wanted.revision ?? 0;
    const entries: Entry[] = [];
    let first: WireRange | undefined;
    for (;;) {
      const left = wanted.limit ? wanted.limit - entries.length : page;
      const limit = Math.min(left, page);
      const reply = await rangeOnce({ key, rangeEnd, limit, revision: at, keysOnly: wanted.keysOnly ?? false }, at);
      first ??= reply;
      at ||= Number(reply.header.revision);
      for (const kv of reply.kvs) {
        const entry = entryOf(kv, keys);
        if (!watchContext.isMark(entry.key)) entries.push(entry);
      }
      const last = reply.kvs.at(-1);
      const full = wanted.limit ? entries.length >= wanted.limit : false;
      if (!reply.more || !last || full) {
        return { revision: Number(first.header.revision), entries, more: reply.more, count: Number(first.count) };
      }
      key = Buffer.concat([last.key, Buffer.from([0])]);
    }
  };

  /** etcd tells its compaction only to a watch that begins before it: one of the fence's key, whose own writing ends it otherwise. */
  const findCompacted = async (): Promise<number> => {
    const stream = await channel.stream('Watch.Watch');
    return new Promise((resolve) => {
      const finish = (revision: number): void => {
        timer.cancel();
        stream.removeAllListeners();
        stream.on('error', () => undefined);
        stream.cancel();
        compacted = Math.max(compacted, revision);
        resolve(compacted);
      };
      const timer = clock.after(attemptMs, () => finish(compacted));
      stream.on('error', () => finish(compacted));
      stream.on('data', (reply: WireWatch) => {
        if (reply.canceled) finish(Number(reply.compactRevision));
        else if (reply.events.length > 0) finish(0);
      });
      stream.write({ createRequest: { key: fence.key, startRevision: 1 } });
    });
  };

  return {
    get: (key, revision = 0) => readAt(key, revision),
    range: (range, wanted = {}) => readRange(range, wanted),
    commit,
    watch(range, startRevision, sink) {
      const watch = etcdWatch(watchContext, range, startRevision, {
        ...(sink.progress && { progress: (revision) => sink.progress?.(revision) }),
        events: (batch, revision) => sink.events(batch, revision),
        closed(error) {
          watches.delete(entry);
          sink.closed(error);
        },
      });
      const entry = {
        cancel() {
          watches.delete(entry);
          watch.cancel();
        },
        requestProgress: () => watch.requestProgress(),
        end() {
          entry.cancel();
          sink.closed(new StoreUnavailableError('the store is closed'));
        },
      };
      watches.add(entry);
      return entry;
    },
    async compact(revision) {
      try {
        await channel.call('KV.Compact', { revision });
        compacted = Math.max(compacted, revision);
      } catch (error) {
        const fault = translate(error, revision);
        // Somebody else was faster.
        if (!(fault instanceof CompactedError)) throw fault;
      }
    },
    async grantLease(ttlSeconds) {
      try {
        return (await channel.call<{ ID: string }>('Lease.LeaseGrant', { TTL: Math.ceil(ttlSeconds), ID: 0 })).ID;
      } catch (error) {
        throw translate(error);
      }
    },
    async keepAlive(lease) {
      const stream = await channel.stream('Lease.LeaseKeepAlive');
      await new Promise<void>((resolve, reject) => {
        const timer = clock.after(attemptMs, () => finish(new StoreUnavailableError('etcd does not answer')));
        const finish = (error?: Error): void => {
          timer.cancel();
          stream.removeAllListeners();
          stream.on('error', () => undefined);
          stream.cancel();
          if (error) reject(error);
          else resolve();
        };
        stream.on('error', (error) => {
          channel.moveOn();
          finish(new StoreUnavailableError(error.message));
        });
        stream.on('data', (reply: { TTL: string }) =>
          finish(Number(reply.TTL) > 0 ? undefined : new LeaseNotFoundError(`lease ${lease} not found`)),
        );
        stream.write({ ID: lease });
      });
    },
    async revokeLease(lease) {
      try {
        await channel.call('Lease.LeaseRevoke', { ID: lease });
      } catch (error) {
        throw translate(error);
      }
    },
    async stats(): Promise<StoreStats> {
      const everything = keys.range({ start: '/registry/', end: '/registry0' });
      const counted = await rangeOnce({ ...everything, countOnly: true }, 0);
      const { dbSize } = await channel.call<{ dbSize: string }>('Maintenance.Status', {});
      return {
        revision: Number(counted.header.revision),
        compactedRevision: await findCompacted(),
        keys: Number(counted.count),
        bytes: Number(dbSize),
      };
    },
    async close() {
      for (const watch of [...watches]) watch.end();
      await channel.attempt('KV.DeleteRange', { key: fence.key }, 1000).catch(() => undefined);
      channel.close();
    },
  };
}
