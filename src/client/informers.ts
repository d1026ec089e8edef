import { apiVersionOf, type KubeObject, type Live, type Resource } from '../api/resource.ts';
import { hasReason, StatusError } from '../api/status.ts';
import { assert } from '../base/assert.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Client } from './client.ts';
import type { Informer, InformerOptions, InformerSet } from './informer.ts';
import { type Cache, createCache } from './informer-cache.ts';

interface Running<T extends KubeObject> {
  readonly informer: Informer<T>;
  readonly whenSynced: Promise<void>;
}

/** Objects in one page of the first list, where the server pages. */
const pageSize = 500;
/** Waits between failed lists or watches, milliseconds: doubling from the first to the last (client-go's reflector). */
const backoff = { initial: 800, max: 30_000, resetAfter: 120_000 };

/**
 * A set of shared informers over `client`: one list-and-watch for each resource and options, started when first asked for, ended by
 * `signal`. Subscribers are called in the order of revisions, after the copy shows the change; one that throws is logged and
 * does not disturb the others.
 */
export function createInformers(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): InformerSet {
  const { client } = options;
  const running = new Map<string, Running<KubeObject>>();
  return {
    client,
    informer<T extends KubeObject>(resource: Resource<T>, scope: InformerOptions = {}): Informer<T> {
      const id = JSON.stringify([
        apiVersionOf(resource),
        resource.plural,
        scope.namespace ?? '',
        scope.labelSelector ?? '',
        scope.fieldSelector ?? '',
      ]);
      let found = running.get(id);
      if (!found) {
        found = start(resource, scope, options) as unknown as Running<KubeObject>;
        running.set(id, found);
      }
      return found.informer as unknown as Informer<T>;
    },
    async whenSynced() {
      let known = -1;
      while (known !== running.size) {
        known = running.size;
        await Promise.all([...running.values()].map((it) => it.whenSynced));
      }
    },
  };
}

function start<T extends KubeObject>(
  resource: Resource<T>,
  scope: InformerOptions,
  options: { readonly client: Client; readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Running<T> {
  const log = options.log.with({ resource: `${resource.plural}.${apiVersionOf(resource)}` });
  const cache = createCache<T>((error) => log.error('a subscriber of an informer threw', { error }));
  let synced = false;
  const whenSynced = new Promise<void>((resolve, reject) => {
    const onSynced = (): void => {
      synced = true;
      resolve();
    };
    follow(resource, scope, { ...options, log }, cache, onSynced).then(
      () => reject(new Error(`the informer for ${resource.plural} has stopped`)),
      reject,
    );
  });
  whenSynced.catch(() => undefined);
  const informer: Informer<T> = {
    resource,
    get: cache.get,
    list: cache.list,
    byIndex: cache.byIndex,
    addIndex: cache.addIndex,
    subscribe: cache.subscribe,
    get synced() {
      return synced;
    },
    whenSynced: () => whenSynced,
    get resourceVersion() {
      return cache.resourceVersion;
    },
  };
  return { informer, whenSynced };
}

/** Lists and watches until the signal aborts. */
async function follow<T extends KubeObject>(
  resource: Resource<T>,
  scope: InformerOptions,
  { client, clock, log, signal }: { client: Client; clock: Clock; log: Logger; signal: AbortSignal },
  cache: Cache<T>,
  onSynced: () => void,
): Promise<void> {
  let delay = backoff.initial;
  let failures = 0;
  let lastFailure = Number.NEGATIVE_INFINITY;
  // After 410 a list must be fresh: a server's cache may lag behind what this informer has already shown.
  let from = '0';
  let relist = true;
  while (!signal.aborted) {
    try {
      if (relist) {
        const { items, resourceVersion } = await listAll(client, resource, scope, from, signal);
        cache.replace(items, resourceVersion);
        onSynced();
        relist = false;
        failures = 0;
      }
      const stream = await client.watch(resource, {
        ...scope,
        resourceVersion: cache.resourceVersion,
        allowWatchBookmarks: true,
        signal,
      });
      const startedAt = clock.monotonic();
      let events = 0;
      for await (const batch of stream) {
        if (signal.aborted) return;
        events += batch.length;
        for (const event of batch) {
          if (event.type === 'ERROR') throw event.error;
          if (event.type === 'BOOKMARK') cache.bookmark(event.resourceVersion);
          else if (event.type === 'DELETED') cache.remove(event.object);
          else cache.put(event.object);
        }
        failures = 0;
      }
      // A watch that ends at once with nothing to say must not spin.
      if (events === 0 && clock.monotonic() - startedAt < 1000) await sleep(clock, backoff.initial, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) {
        from = cache.resourceVersion === '' ? '0' : '';
        relist = true;
        log.debug('history no longer reaches back; listing again');
        if (failures++ === 0) continue;
      }
      const now = clock.monotonic();
      if (now - lastFailure > backoff.resetAfter) delay = backoff.initial;
      lastFailure = now;
      if (++failures <= 2) log.warn('watching failed, trying again', { error, delay });
      else log.debug('watching failed again', { error, delay });
      if (await interrupted(sleep(clock, delay, signal))) return;
      delay = Math.min(delay * 2, backoff.max);
    }
  }
}

const interrupted = (wait: Promise<void>): Promise<boolean> =>
  wait.then(
    () => false,
    () => true,
  );

const isExpired = (error: unknown): boolean =>
  hasReason(error, 'Expired') || hasReason(error, 'Gone') || (error instanceof StatusError && error.code === 410);

async function listAll<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  scope: InformerOptions,
  from: string,
  signal: AbortSignal,
): Promise<{ items: readonly Live<T>[]; resourceVersion: string }> {
  const first = await client.list(resource, { ...scope, resourceVersion: from, limit: pageSize, signal });
  let token = first.metadata.continue;
  if (!token) return { items: first.items, resourceVersion: first.metadata.resourceVersion ?? '' };
  const items = [...first.items];
  while (token) {
    const page: typeof first = await client.list(resource, { ...scope, continue: token, limit: pageSize, signal });
    for (const item of page.items) items.push(item);
    assert(page.metadata.continue !== token, 'a continue token must lead on');
    token = page.metadata.continue;
  }
  return { items, resourceVersion: first.metadata.resourceVersion ?? '' };
}
