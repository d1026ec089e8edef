import type { Live } from '../../api/resource.ts';
import { expired } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Change } from './change.ts';
import { changeHistory } from './history.ts';
import { type ObjectIndex, objectIndex } from './object-index.ts';
import { startWatcher, type Watcher, type WatchScope } from './watcher.ts';

export type Subscriber = (change: Change) => void;

/** Where a watch begins. */
export type WatchStart =
  /** With the present objects as ADDED events; then, where wanted, the bookmark that ends them. */
  | { readonly type: 'now'; readonly endBookmark: boolean }
  /** After this revision. */
  | { readonly type: 'after'; readonly revision: number };

/** All objects of one resource in memory, always current, with those who watch it. */
export interface ResourceCache {
  readonly objects: ObjectIndex;
  /** The revision of the last change of this resource. */
  readonly changedAt: number;
  apply(change: Change): void;
  watch(scope: WatchScope, start: WatchStart, revision: () => number): Watcher;
  subscribe(subscriber: Subscriber): () => void;
  /** Fills the cache anew with what the store held at `revision`. Ends all watches. */
  load(objects: Iterable<Live>, revision: number): void;
  bookmark(revision: number): void;
  endWatches(): void;
  readonly watchers: number;
}

/** The namespace as the index wants it. */
export const bucketOf = (object: Live): string => object.metadata.namespace ?? '';

/** The changes of a batch in one namespace: one frozen list for all who watch it, so that its bytes are made once. */
function shareOf(
  batch: readonly Change[],
  namespace: string,
  shares: Map<string, readonly Change[]>,
): readonly Change[] {
  let share = shares.get(namespace);
  if (!share) {
    const mine = batch.filter(({ object }) => bucketOf(object) === namespace);
    share = mine.length === batch.length ? batch : Object.freeze(mine);
    shares.set(namespace, share);
  }
  return share;
}

export function resourceCache(clock: Clock, onSubscriberError: (error: unknown) => void): ResourceCache {
  const objects = objectIndex();
  const history = changeHistory(clock, 0);
  const watching = new Set<Watcher>();
  const subscribers = new Set<Subscriber>();
  let pending: Change[] = [];
  let changedAt = 0;

  /** Changes of one turn of the loop go out together. */
  const flush = (): void => {
    if (pending.length === 0) return;
    const batch = Object.freeze(pending);
    pending = [];
    const shares = new Map<string, readonly Change[]>();
    for (const watcher of watching) {
      const { wholeNamespace } = watcher;
      if (wholeNamespace === undefined) watcher.push(batch);
      else watcher.deliver(shareOf(batch, wholeNamespace, shares));
    }
  };

  return {
    objects,
    get changedAt() {
      return changedAt;
    },
    get watchers() {
      return watching.size;
    },
    apply(change) {
      const { object } = change;
      if (change.type === 'DELETED') objects.remove(bucketOf(object), object.metadata.name);
      else objects.set(bucketOf(object), object.metadata.name, object);
      changedAt = change.revision;
      history.add(change);
      if (watching.size > 0) {
        if (pending.length === 0) queueMicrotask(flush);
        pending.push(change);
      }
      for (const subscriber of subscribers) {
        try {
          subscriber(change);
        } catch (error) {
          onSubscriberError(error);
        }
      }
    },
    watch(scope, start, revision) {
      flush();
      const watcher = startWatcher(scope, (it) => watching.delete(it));
      if (start.type === 'now') {
        const { namespace, name, matches, convert } = scope;
        const initial = objects
          .list(namespace)
          .filter((object) => (name === undefined || object.metadata.name === name) && (!matches || matches(object)))
          .map((object) => ({ type: 'ADDED' as const, object: convert ? convert(object) : object }));
        watcher.emit(initial);
        if (start.endBookmark)
          watcher.emit([{ type: 'BOOKMARK', resourceVersion: String(revision()), initialEventsEnd: true }]);
      } else {
        const missed = history.since(start.revision);
        if (!missed) {
          const error = expired(`too old resource version: ${start.revision} (${history.from})`);
          watcher.emit([{ type: 'ERROR', error }]);
          watcher.end();
          return watcher;
        }
        watcher.push(missed);
      }
      if (!watcher.ended) watching.add(watcher);
      return watcher;
    },
    subscribe(subscriber) {
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
    load(loaded, revision) {
      for (const watcher of [...watching]) watcher.end();
      pending = [];
      objects.clear();
      for (const object of loaded) objects.set(bucketOf(object), object.metadata.name, object);
      history.reset(revision);
      changedAt = revision;
    },
    bookmark(revision) {
      flush();
      for (const watcher of watching) watcher.bookmark(revision);
    },
    endWatches() {
      flush();
      for (const watcher of [...watching]) watcher.end();
    },
  };
}
