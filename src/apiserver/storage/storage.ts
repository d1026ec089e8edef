import type { GroupResource, Live } from '../../api/resource.ts';
import { assert, defined } from '../../base/assert.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Draft, KindDefinition } from '../../kinds/kind.ts';
import { prefixRange, type Store, type StoreEvent, type StoreWatch } from '../../store/store.ts';
import { decodeObject, type Encoded, encodeObject, liveOf } from './codec.ts';
import { isCustom, objectKey, resourcePrefix, root, splitObjectKey } from './keys.ts';
import { type ResourceCache, resourceCache } from './resource-cache.ts';
import { withStatus } from './store-status.ts';

/** One stored resource: all versions of its kind share it. */
export interface StoredResource {
  /** The definition of the version in which it is stored. */
  kind: KindDefinition;
  readonly prefix: string;
  readonly cache: ResourceCache;
  /** While the first load runs. */
  loading: Promise<void> | undefined;
  /** Events that arrive during the load. */
  backlog: { readonly event: StoreEvent; readonly revision: number }[] | undefined;
}

/** What a compare-and-swap came to. */
export type WriteOutcome =
  | { readonly type: 'done'; readonly object: Live; readonly revision: number }
  /** Another writer was first; the cache now shows at least what it wrote. */
  | { readonly type: 'conflict' };

export interface StorageOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** All definitions of group/plural's kind, for conversion of what older versions stored. */
  readonly kindOf: (apiVersion: string, plural: string) => KindDefinition | undefined;
  /** True where other servers write to the same store: consistent reads then ask the store how far it is. */
  readonly shared?: boolean;
}

/** Objects over the store: a cache for each resource, kept by one watch of everything. */
export interface Storage {
  /** Starts to serve a resource. Loads it in the background when the storage is running. */
  add(kind: KindDefinition): StoredResource;
  remove(it: GroupResource): void;
  find(it: GroupResource): StoredResource | undefined;
  /** The same by its parts. */
  findStored(group: string, plural: string): StoredResource | undefined;
  /** True where other servers write to the same store. */
  readonly shared: boolean;
  resources(): Iterable<StoredResource>;
  /** Loads everything and begins to follow the store. */
  start(): Promise<void>;
  /** The newest revision that every cache shows. */
  revision(): number;
  /** Resolves when the caches show everything committed before the call; at once where this server is the only writer. */
  fresh(): Promise<void>;
  waitFor(revision: number): Promise<void>;
  create(
    resource: StoredResource,
    namespace: string,
    name: string,
    draft: Draft,
    ttlSeconds?: number,
  ): Promise<WriteOutcome>;
  update(resource: StoredResource, old: Live, draft: Draft, ttlSeconds?: number): Promise<WriteOutcome>;
  /** Deletes the object as it was read. */
  erase(resource: StoredResource, old: Live): Promise<WriteOutcome>;
  /** The objects as of a revision, straight from the store, from `start` (below the prefix) on. */
  rangeAt(
    resource: StoredResource,
    revision: number,
    within: string,
    start: string,
    limit: number,
  ): Promise<{ readonly objects: readonly Live[]; readonly more: boolean; readonly count: number }>;
  /** One object as of a revision, straight from the store. */
  objectAt(resource: StoredResource, namespace: string, name: string, revision: number): Promise<Live | undefined>;
  close(): Promise<void>;
}

const idOf = (it: GroupResource): string => `${it.group}/${it.resource}`;
const bookmarkMs = 60_000;

export function createStorage(options: StorageOptions): Storage {
  const { clock, log } = options;
  const store = withStatus(options.store);
  const byId = new Map<string, StoredResource>();
  /** The same by plural and group, for lookups that put no key together. */
  const byPlural = new Map<string, Map<string, StoredResource>>();
  const byPrefix = new Map<string, StoredResource>();
  const handed = new Map<string, Encoded[]>();
  let waiters: { readonly revision: number; readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];
  let watch: StoreWatch | undefined;
  let current = 0;
  let running = false;
  let closed = false;
  let bookmarks: Timer | undefined;
  let lease: { readonly id: Promise<string>; readonly ttl: number; readonly until: number } | undefined;

  const locate = (key: string): StoredResource | undefined => {
    const first = key.indexOf('/', root.length);
    if (first < 0) return undefined;
    const second = key.indexOf('/', first + 1);
    const long = second < 0 ? undefined : byPrefix.get(key.slice(0, second + 1));
    return long ?? byPrefix.get(key.slice(0, first + 1));
  };

  const decode = (resource: StoredResource, bytes: Uint8Array, revision: number): Live => {
    const { plural } = resource.kind.resource;
    return decodeObject(resource.kind, bytes, revision, (apiVersion) => options.kindOf(apiVersion, plural));
  };
  const tryDecode = (resource: StoredResource, key: string, bytes: Uint8Array, revision: number): Live | undefined => {
    try {
      return decode(resource, bytes, revision);
    } catch (error) {
      log.error('a stored object cannot be read', { key, error });
      return undefined;
    }
  };

  /** The writer's own object where this event is one of this server's writes. */
  const takeHanded = (key: string, value: Uint8Array, revision: number): Live | undefined => {
    const waiting = handed.get(key);
    const index = waiting?.findIndex((it) => it.bytes === value || Buffer.compare(it.bytes, value) === 0) ?? -1;
    if (!waiting || index < 0) return undefined;
    const [encoded] = waiting.splice(index, 1);
    if (waiting.length === 0) handed.delete(key);
    return encoded && liveOf(encoded, revision);
  };

  const apply = (resource: StoredResource, event: StoreEvent, revision: number): void => {
    const { cache } = resource;
    const { namespace, name } = splitObjectKey(event.key.slice(resource.prefix.length));
    const old = cache.objects.get(namespace, name);
    if (event.type === 'delete') {
      if (!old) return;
      const metadata = Object.freeze({ ...old.metadata, resourceVersion: String(revision) });
      cache.apply({ type: 'DELETED', object: Object.freeze({ ...old, metadata }), old, revision });
      return;
    }
    const object =
      takeHanded(event.key, event.entry.value, revision) ?? tryDecode(resource, event.key, event.entry.value, revision);
    if (!object) return;
    cache.apply(old ? { type: 'MODIFIED', object, old, revision } : { type: 'ADDED', object, revision });
  };

  const advance = (revision: number): void => {
    if (revision <= current) return;
    current = revision;
    if (waiters.length === 0) return;
    const due = waiters.filter((it) => it.revision <= revision);
    if (due.length === 0) return;
    waiters = waiters.filter((it) => it.revision > revision);
    for (const waiter of due) waiter.resolve();
  };

  const follow = (): void => {
    watch = store.watch(prefixRange(root), current + 1, {
      events(batch, revision) {
        for (const event of batch) {
          const resource = locate(event.key);
          if (!resource) continue;
          if (resource.backlog) resource.backlog.push({ event, revision });
          else apply(resource, event, revision);
        }
        advance(revision);
      },
      progress: advance,
      closed(error) {
        if (closed) return;
        log.error('the watch of the store has ended; loading everything again', { error });
        clock.after(
          1000,
          () => void loadAll().then(follow, (failure) => log.error('reload failed', { error: failure })),
        );
      },
    });
  };

  const loadAll = async (): Promise<void> => {
    const { revision, entries } = await store.range(prefixRange(root));
    const found = new Map<StoredResource, Live[]>();
    for (const resource of byId.values()) found.set(resource, []);
    for (const { key, value, modRevision } of entries) {
      const resource = locate(key);
      const object = resource && tryDecode(resource, key, value, modRevision);
      if (resource && object) found.get(resource)?.push(object);
    }
    for (const [resource, objects] of found) resource.cache.load(objects, revision);
    advance(revision);
  };

  /** Loads one resource while events go on arriving. */
  const loadOne = async (resource: StoredResource): Promise<void> => {
    const { revision, entries } = await store.range(prefixRange(resource.prefix));
    const objects = entries.flatMap(
      ({ key, value, modRevision }) => tryDecode(resource, key, value, modRevision) ?? [],
    );
    resource.cache.load(objects, revision);
    const backlog = resource.backlog ?? [];
    resource.backlog = undefined;
    for (const { event, revision: at } of backlog) if (at > revision) apply(resource, event, at);
    resource.loading = undefined;
  };

  const waitFor = (revision: number): Promise<void> => {
    if (revision <= current) return Promise.resolve();
    return new Promise((resolve, reject) => waiters.push({ revision, resolve, reject }));
  };

  const put = async (
    resource: StoredResource,
    key: string,
    expected: number,
    draft: Draft,
    ttlSeconds: number | undefined,
  ): Promise<WriteOutcome> => {
    const encoded = encodeObject(resource.kind, draft);
    const leaseId = ttlSeconds === undefined ? undefined : await leaseFor(ttlSeconds);
    const waiting = handed.get(key);
    if (waiting) waiting.push(encoded);
    else handed.set(key, [encoded]);
    const withdraw = (): void => {
      const left = (handed.get(key) ?? []).filter((it) => it !== encoded);
      if (left.length === 0) handed.delete(key);
      else handed.set(key, left);
    };
    try {
      const result = await store.commit({
        compares: [{ key, modRevision: expected }],
        operations: [{ type: 'put', key, value: encoded.bytes, ...(leaseId !== undefined && { lease: leaseId }) }],
      });
      if (current < result.revision) await waitFor(result.revision);
      if (!result.succeeded) return { type: 'conflict' };
      return { type: 'done', object: written(resource, encoded, result.revision), revision: result.revision };
    } finally {
      withdraw();
    }
  };

  /** What the cache made of our write, or the same made here when the cache got it another way. */
  const written = (resource: StoredResource, encoded: Encoded, revision: number): Live => {
    const meta = encoded.draft['metadata'] as Draft;
    if (meta['resourceVersion'] === String(revision)) return encoded.draft as unknown as Live;
    assert(meta['resourceVersion'] === undefined, `two revisions of one write of ${resource.prefix}`);
    return liveOf(encoded, revision);
  };

  /** One lease serves all writes of a minute, as upstream's lease manager does. */
  const leaseFor = (ttl: number): Promise<string> => {
    const now = clock.monotonic();
    if (!lease || lease.ttl !== ttl || lease.until < now) {
      lease = { id: store.grantLease(ttl + 60), ttl, until: now + 60_000 };
    }
    return lease.id;
  };

  const storage: Storage = {
    add(kind) {
      const { group, plural } = kind.resource;
      const known = byId.get(idOf({ group, resource: plural }));
      if (known) {
        known.kind = kind;
        return known;
      }
      const prefix = resourcePrefix({ group, resource: plural }, isCustom(kind.resource));
      const cache = resourceCache(clock, (error) => log.error('a subscriber failed', { resource: plural, error }));
      const resource: StoredResource = { kind, prefix, cache, loading: undefined, backlog: undefined };
      byId.set(idOf({ group, resource: plural }), resource);
      byPlural.set(plural, (byPlural.get(plural) ?? new Map()).set(group, resource));
      byPrefix.set(prefix, resource);
      if (running) {
        resource.backlog = [];
        resource.loading = loadOne(resource).catch((error) => log.error('cannot load a resource', { prefix, error }));
      }
      return resource;
    },
    remove(it) {
      const resource = byId.get(idOf(it));
      if (!resource) return;
      byId.delete(idOf(it));
      byPlural.get(it.resource)?.delete(it.group);
      byPrefix.delete(resource.prefix);
      resource.cache.endWatches();
    },
    find: (it) => byPlural.get(it.resource)?.get(it.group),
    findStored: (group, plural) => byPlural.get(plural)?.get(group),
    shared: options.shared ?? false,
    resources: () => byId.values(),
    async start() {
      await loadAll();
      running = true;
      follow();
      const tick = (): void => {
        for (const { cache } of byId.values()) if (cache.watchers > 0) cache.bookmark(current);
        bookmarks = clock.after(bookmarkMs, tick, { background: true });
      };
      bookmarks = clock.after(bookmarkMs, tick, { background: true });
    },
    revision: () => current,
    async fresh() {
      if (!options.shared) return;
      const { revision } = await store.get(root);
      if (revision <= current) return;
      watch?.requestProgress();
      await waitFor(revision);
    },
    waitFor,
    create: (resource, namespace, name, draft, ttl) =>
      put(resource, objectKey(resource.prefix, namespace, name), 0, draft, ttl),
    update: (resource, old, draft, ttl) =>
      put(
        resource,
        objectKey(resource.prefix, old.metadata.namespace ?? '', old.metadata.name),
        Number(old.metadata.resourceVersion),
        draft,
        ttl,
      ),
    async erase(resource, old) {
      const key = objectKey(resource.prefix, old.metadata.namespace ?? '', old.metadata.name);
      const result = await store.commit({
        compares: [{ key, modRevision: Number(old.metadata.resourceVersion) }],
        operations: [{ type: 'delete', key }],
      });
      if (current < result.revision) await waitFor(result.revision);
      if (!result.succeeded) return { type: 'conflict' };
      return { type: 'done', object: old, revision: result.revision };
    },
    async rangeAt(resource, revision, within, start, limit) {
      const range = prefixRange(resource.prefix + within);
      const from = start === '' ? range.start : resource.prefix + within + start;
      const result = await store.range({ start: from, end: range.end }, { revision, limit });
      const objects = result.entries.map(({ value, modRevision }) => decode(resource, value, modRevision));
      return { objects, more: result.more, count: result.count };
    },
    async objectAt(resource, namespace, name, revision) {
      const { entry } = await store.get(objectKey(resource.prefix, namespace, name), revision);
      return entry && decode(resource, entry.value, entry.modRevision);
    },
    async close() {
      closed = true;
      bookmarks?.cancel();
      watch?.cancel();
      for (const { cache } of byId.values()) cache.endWatches();
      const error = new Error('the server is shutting down');
      for (const waiter of waiters) waiter.reject(error);
      waiters = [];
    },
  };
  return storage;
}

/** The stored resource, which must be there. */
export function storedResource(storage: Storage, it: GroupResource): StoredResource {
  return defined(storage.find(it), `${it.resource}.${it.group} has no storage`);
}
