import type { KubeObject, Live } from '../api/resource.ts';
import { defined } from '../base/assert.ts';
import { type InformerHandler, keyOf } from './informer.ts';

/** The copy behind an informer: objects by key, indexes, subscribers. */
export interface Cache<T extends KubeObject> {
  get(key: string): Live<T> | undefined;
  list(): readonly Live<T>[];
  byIndex(index: string, value: string): readonly Live<T>[];
  addIndex(index: string, values: (object: Live<T>) => readonly string[]): void;
  subscribe(handler: InformerHandler<T>): () => void;
  /** Makes the copy hold exactly `items`, and tells subscribers the difference. */
  replace(items: readonly Live<T>[], resourceVersion: string): void;
  put(object: Live<T>): void;
  remove(object: Live<T>): void;
  bookmark(resourceVersion: string): void;
  readonly resourceVersion: string;
}

interface Index<T extends KubeObject> {
  readonly values: (object: Live<T>) => readonly string[];
  readonly entries: Map<string, Map<string, Live<T>>>;
}

const none: readonly never[] = Object.freeze([]);

/** An empty copy with the indexes `namespace` and `owner`. Errors thrown by subscribers go to `onError`. */
export function createCache<T extends KubeObject>(onError: (error: unknown) => void): Cache<T> {
  const objects = new Map<string, Live<T>>();
  const indexes = new Map<string, Index<T>>();
  const handlers = new Set<InformerHandler<T>>();
  let newest = '';
  let listed: readonly Live<T>[] | undefined;

  const link = (index: Index<T>, key: string, object: Live<T>): void => {
    for (const value of index.values(object)) {
      const entry = index.entries.get(value);
      if (entry) entry.set(key, object);
      else index.entries.set(value, new Map([[key, object]]));
    }
  };
  const unlink = (index: Index<T>, key: string, object: Live<T>): void => {
    for (const value of index.values(object)) {
      const entry = index.entries.get(value);
      entry?.delete(key);
      if (entry?.size === 0) index.entries.delete(value);
    }
  };
  const tell = (call: (handler: InformerHandler<T>) => void): void => {
    for (const handler of handlers) {
      try {
        call(handler);
      } catch (error) {
        onError(error);
      }
    }
  };
  const store = (key: string, object: Live<T>): Live<T> | undefined => {
    const old = objects.get(key);
    for (const index of indexes.values()) {
      if (old) unlink(index, key, old);
      link(index, key, object);
    }
    objects.set(key, object);
    listed = undefined;
    return old;
  };
  const put = (key: string, object: Live<T>): void => {
    const old = objects.get(key);
    if (old && old.metadata.uid !== object.metadata.uid) drop(key, old);
    const before = store(key, object);
    if (before) tell((handler) => handler.update?.(object, before));
    else tell((handler) => handler.add?.(object));
  };
  const drop = (key: string, last: Live<T>): void => {
    const old = objects.get(key);
    if (!old) return;
    objects.delete(key);
    for (const index of indexes.values()) unlink(index, key, old);
    listed = undefined;
    tell((handler) => handler.remove?.(last));
  };
  const cache: Cache<T> = {
    get: (key) => objects.get(key),
    list: () => {
      listed ??= Object.freeze([...objects.values()]);
      return listed;
    },
    byIndex(name, value) {
      const entry = defined(indexes.get(name), `no index ${name}`).entries.get(value);
      return entry ? [...entry.values()] : none;
    },
    addIndex(name, values) {
      if (indexes.has(name)) return;
      const index: Index<T> = { values, entries: new Map() };
      indexes.set(name, index);
      for (const [key, object] of objects) link(index, key, object);
    },
    subscribe(handler) {
      handlers.add(handler);
      for (const object of [...objects.values()]) {
        try {
          handler.add?.(object);
        } catch (error) {
          onError(error);
        }
      }
      return () => void handlers.delete(handler);
    },
    replace(items, resourceVersion) {
      const next = new Set<string>();
      for (const item of items) next.add(keyOf(item));
      newest = resourceVersion;
      for (const [key, object] of [...objects]) if (!next.has(key)) drop(key, object);
      for (const item of items) {
        const key = keyOf(item);
        if (objects.get(key)?.metadata.resourceVersion !== item.metadata.resourceVersion) put(key, item);
      }
    },
    put(object) {
      newest = object.metadata.resourceVersion;
      put(keyOf(object), object);
    },
    remove(object) {
      newest = object.metadata.resourceVersion;
      drop(keyOf(object), object);
    },
    bookmark(resourceVersion) {
      newest = resourceVersion;
    },
    get resourceVersion() {
      return newest;
    },
  };
  cache.addIndex('namespace', (object) => [object.metadata.namespace ?? '']);
  cache.addIndex('owner', (object) => {
    const owner = object.metadata.ownerReferences?.find((reference) => reference.controller);
    return owner ? [owner.uid] : none;
  });
  return cache;
}
