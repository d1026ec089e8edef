import { configmaps, secrets } from '../api/generated/resources.ts';
import type { V1ConfigMap, V1Secret } from '../api/generated/types.ts';
import type { KubeObject, Live, Resource } from '../api/resource.ts';
import { hasReason, notFound } from '../api/status.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Client } from '../client/client.ts';
import type { ReferencedObjects } from './pods/env.ts';

export type CachedKind = 'configmap' | 'secret';

/** ConfigMaps and Secrets that pods name, each watched by itself for as long as somebody retains it. Shared by the kubelets of a process. */
export interface ObjectCache extends ReferencedObjects {
  /** Keeps an object current; `onChange` is called after each change. Returns the release. */
  retain(kind: CachedKind, namespace: string, name: string, onChange: () => void): () => void;
  stop(): void;
}

interface Entry {
  object: Live | undefined;
  users: Set<() => void>;
  readonly synced: Promise<void>;
  readonly controller: AbortController;
}

const resources: Readonly<Record<CachedKind, Resource>> = { configmap: configmaps, secret: secrets };

/** Upstream: pkg/kubelet/util/manager/watch_based_manager.go. */
export function objectCache(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}): ObjectCache {
  const { client, clock, log } = options;
  const entries = new Map<string, Entry>();
  const lifetime = new AbortController();

  const follow = async (
    entry: Entry,
    kind: CachedKind,
    namespace: string,
    name: string,
    ready: () => void,
  ): Promise<void> => {
    const resource = resources[kind];
    const { signal } = entry.controller;
    const fieldSelector = `metadata.name=${name}`;
    const tell = (): void => {
      for (const user of entry.users) user();
    };
    let delay = 800;
    while (!signal.aborted) {
      try {
        const list = await client.list(resource, { namespace, fieldSelector, signal });
        const before = entry.object?.metadata.resourceVersion;
        entry.object = list.items[0];
        ready();
        if (before !== undefined && before !== entry.object?.metadata.resourceVersion) tell();
        delay = 800;
        const stream = await client.watch(resource, {
          namespace,
          fieldSelector,
          resourceVersion: list.metadata.resourceVersion ?? '',
          allowWatchBookmarks: true,
          signal,
        });
        for await (const batch of stream)
          for (const event of batch) {
            if (event.type === 'BOOKMARK') continue;
            if (event.type === 'ERROR') throw event.error;
            entry.object = event.type === 'DELETED' ? undefined : event.object;
            tell();
          }
      } catch (error) {
        if (signal.aborted) return;
        log.debug('cannot follow an object that pods use', { kind, namespace, name, error });
        // A refusal is an answer too: readers then ask the server directly and get its words.
        if (hasReason(error, 'Forbidden') || hasReason(error, 'NotFound')) ready();
      }
      delay = Math.min(delay * 2, 30_000);
      await sleep(clock, delay, signal).catch(() => undefined);
    }
  };

  const start = (kind: CachedKind, namespace: string, name: string): Entry => {
    let ready: () => void = () => undefined;
    const synced = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const entry: Entry = { object: undefined, users: new Set(), synced, controller: new AbortController() };
    void follow(entry, kind, namespace, name, ready).finally(ready);
    return entry;
  };

  const read = async (kind: CachedKind, namespace: string, name: string): Promise<KubeObject> => {
    const entry = entries.get(`${kind}/${namespace}/${name}`);
    if (entry) {
      await entry.synced;
      if (entry.object) return entry.object;
    }
    try {
      return await client.get(resources[kind], name, { namespace, signal: lifetime.signal });
    } catch (error) {
      throw hasReason(error, 'NotFound') ? notFound({ group: '', resource: kind }, name) : error;
    }
  };

  return {
    configMap: async (namespace, name) => (await read('configmap', namespace, name)) as V1ConfigMap,
    secret: async (namespace, name) => (await read('secret', namespace, name)) as V1Secret,
    retain(kind, namespace, name, onChange) {
      const key = `${kind}/${namespace}/${name}`;
      const entry = entries.get(key) ?? start(kind, namespace, name);
      entries.set(key, entry);
      const user = (): void => onChange();
      entry.users.add(user);
      return () => {
        entry.users.delete(user);
        if (entry.users.size > 0 || entries.get(key) !== entry) return;
        entries.delete(key);
        entry.controller.abort();
      };
    },
    stop() {
      lifetime.abort();
      for (const entry of entries.values()) entry.controller.abort();
      entries.clear();
    },
  };
}
