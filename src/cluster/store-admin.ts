import { existsSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { lmdbStore } from '../store/lmdb/lmdb-store.ts';
import { defragment, isOccupied, restoreEntries, restoreSnapshot } from '../store/lmdb/restore.ts';
import type { EmbeddedStore } from '../store/mvcc/mvcc-store.ts';
import { writeSnapshot } from '../store/snapshot.ts';
import { prefixRange, type Store, type StoreStats } from '../store/store.ts';
import { askStore } from './control-socket.ts';
import { openEtcd, storeDirectory } from './open-store.ts';
import { type EtcdAccess, UsageError } from './options.ts';

/** What can be asked of a store, running or not. Paths are absolute. */
export type StoreRequest =
  | { readonly action: 'stats' }
  | { readonly action: 'check' }
  | { readonly action: 'compact'; readonly revision: number }
  | { readonly action: 'snapshot'; readonly file: string; readonly revision: number };

export interface CheckReport {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly keys: number;
  readonly historic: number;
  readonly faults: readonly string[];
}
export interface StoreReply {
  readonly stats?: StoreStats;
  readonly check?: CheckReport;
  readonly snapshot?: { readonly revision: number; readonly entries: number };
  /** Why it could not be done. */
  readonly refusal?: string;
}

const canVerify = (store: Store): store is EmbeddedStore => 'verify' in store;

/** Does one request on an open store. What the store refuses comes back as `refusal`. */
export async function administer(store: Store, clock: Clock, request: StoreRequest): Promise<StoreReply> {
  try {
    switch (request.action) {
      case 'stats':
        return { stats: await store.stats() };
      case 'check':
        if (!canVerify(store)) return { refusal: 'etcd checks its own data; see etcdctl endpoint hashkv' };
        return { check: await store.verify() };
      case 'compact':
        await store.compact(request.revision || (await store.stats()).revision);
        return { stats: await store.stats() };
      case 'snapshot':
        return { snapshot: await writeSnapshot(store, request.file, clock, request.revision) };
    }
  } catch (error) {
    return { refusal: error instanceof Error ? error.message : String(error) };
  }
}

/** Where a command finds its store. */
export interface StorePlace {
  readonly dataDir: string;
  readonly etcd?: EtcdAccess;
}

/** Opens the embedded store of a data directory that no cluster runs on. */
async function openStopped(dataDir: string, clock: Clock): Promise<EmbeddedStore> {
  const dir = storeDirectory(dataDir);
  if (!existsSync(dir)) throw new UsageError(`there is no store in ${dataDir}`);
  return lmdbStore(dir, clock);
}

/** Asks the running cluster; where none runs, opens the store for the while. */
export async function onStore(place: StorePlace, clock: Clock, request: StoreRequest): Promise<StoreReply> {
  const reply = place.etcd ? undefined : await askStore<StoreReply>(place.dataDir, request);
  const done = reply ?? (await onOpened(place, clock, (store) => administer(store, clock, request)));
  if (done.refusal !== undefined) throw new UsageError(done.refusal);
  return done;
}

async function onOpened<T>(place: StorePlace, clock: Clock, work: (store: Store) => Promise<T>): Promise<T> {
  const store = place.etcd ? await openEtcd(place.etcd, clock) : await openStopped(place.dataDir, clock);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const refuseRunning = async (dataDir: string): Promise<void> => {
  if (await askStore(dataDir, { action: 'stats' }))
    throw new UsageError(`a cluster is running on ${dataDir}; stop it first (coracle down)`);
};

/** Rewrites the file of a stopped embedded store without unused pages. */
export async function defragmentStore(
  dataDir: string,
  clock: Clock,
): Promise<{ readonly before: number; readonly after: number }> {
  await refuseRunning(dataDir);
  if (!existsSync(storeDirectory(dataDir))) throw new UsageError(`there is no store in ${dataDir}`);
  return defragment(storeDirectory(dataDir), clock);
}

async function emptyDirectory(dataDir: string): Promise<string> {
  await refuseRunning(dataDir);
  const dir = storeDirectory(dataDir);
  if (isOccupied(dir)) throw new UsageError(`${dir} holds a store already; move it away first`);
  return dir;
}

/** Makes the embedded store of `dataDir` from a snapshot. */
export async function restoreStore(dataDir: string, file: string) {
  const dir = await emptyDirectory(dataDir);
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  return restoreSnapshot(dir, file);
}

const registry = prefixRange('/registry/');

/** Makes the embedded store of `dataDir` from what Kubernetes has in an etcd, revisions kept. */
export async function importFromEtcd(dataDir: string, etcd: EtcdAccess, clock: Clock) {
  const dir = await emptyDirectory(dataDir);
  const source = await openEtcd(etcd, clock);
  try {
    const { entries, revision } = await source.range(registry);
    if (entries.length === 0) throw new UsageError(`nothing lies below ${etcd.prefix ?? '/registry'} in this etcd`);
    const foreign = entries.find(({ value }) => value[0] !== 0x7b);
    if (foreign)
      throw new UsageError(
        `${foreign.key} is not JSON: kube-apiserver wrote it in another encoding; start it with --storage-media-type=application/json and rewrite its objects first`,
      );
    return await restoreEntries(dir, entries, revision);
  } finally {
    await source.close();
  }
}

/** Objects written together: etcd takes 128 operations in one transaction. */
const together = 100;

/** Writes what the store of `dataDir` has into an etcd that has nothing there yet. Revisions begin anew. */
export async function exportToEtcd(
  dataDir: string,
  etcd: EtcdAccess,
  clock: Clock,
): Promise<{ readonly entries: number; readonly revision: number }> {
  await refuseRunning(dataDir);
  return onOpened({ dataDir }, clock, async (source) => {
    const target = await openEtcd(etcd, clock);
    try {
      if ((await target.range(registry, { limit: 1 })).entries.length > 0)
        throw new UsageError(`something lies below ${etcd.prefix ?? '/registry'} in this etcd already`);
      const { entries } = await source.range(registry);
      let revision = 0;
      for (let first = 0; first < entries.length; first += together) {
        const part = entries.slice(first, first + together);
        const done = await target.commit({
          compares: part.map(({ key }) => ({ key, modRevision: 0 })),
          operations: part.map(({ key, value }) => ({ type: 'put', key, value })),
        });
        if (!done.succeeded) throw new UsageError('somebody else writes into this etcd; nothing of theirs was changed');
        revision = done.revision;
      }
      return { entries: entries.length, revision };
    } finally {
      await target.close();
    }
  });
}
