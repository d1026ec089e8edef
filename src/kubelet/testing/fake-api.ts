import { copyJson, type Draft } from '../../api/draft.ts';
import type { WatchEvent } from '../../api/handler.ts';
import type { KubeObject, Live, ObjectList, Resource } from '../../api/resource.ts';
import { alreadyExists, notFound } from '../../api/status.ts';
import { boundedQueue } from '../../base/bounded-queue.ts';
import { type Clock, rfc3339 } from '../../base/clock.ts';
import { deepFreeze } from '../../base/freeze.ts';
import type { Client } from '../../client/client.ts';

/** An API server in a map, for tests of the kubelet: no validation, no defaults, but revisions, watches and patches. */
export interface FakeApi {
  readonly client: Client;
  put(resource: Resource, object: KubeObject): Live;
  get<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): Live<T> | undefined;
  remove(resource: Resource, namespace: string, name: string): void;
  /** Sets deletionTimestamp, as a graceful delete does. */
  startDelete(resource: Resource, namespace: string, name: string, graceSeconds: number): void;
  readonly patches: unknown[];
}

const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  podIPs: 'ip',
  hostIPs: 'ip',
  addresses: 'type',
};

/** Enough of strategic merge for statuses. */
function merge(target: Draft, patch: Draft, strategic: boolean): Draft {
  const out: Draft = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    const mergeKey = strategic ? mergeKeys[key] : undefined;
    if (value === null) delete out[key];
    else if (Array.isArray(value) && mergeKey) {
      const list = [...((out[key] as Draft[] | undefined) ?? [])];
      for (const item of value as Draft[]) {
        const at = list.findIndex((it) => it[mergeKey] === item[mergeKey]);
        if (item['$patch'] === 'delete') {
          if (at >= 0) list.splice(at, 1);
        } else if (at >= 0) list[at] = merge(list[at] ?? {}, item, strategic);
        else list.push(item);
      }
      out[key] = list;
    } else if (typeof value === 'object' && !Array.isArray(value))
      out[key] = merge((out[key] as Draft | undefined) ?? {}, value as Draft, strategic);
    else out[key] = value;
  }
  return out;
}

const fields = (selector: string | undefined, object: KubeObject): boolean =>
  (selector ?? '')
    .split(',')
    .filter((it) => it !== '')
    .every((term) => {
      const [path = '', value] = term.split('=');
      const found = path.split('.').reduce<unknown>((at, part) => (at as Draft | undefined)?.[part], object);
      return found === value;
    });

export function fakeApi(clock: Clock): FakeApi {
  const stores = new Map<string, Map<string, Live>>();
  const watchers = new Set<{
    plural: string;
    namespace: string | undefined;
    selector: string | undefined;
    queue: ReturnType<typeof boundedQueue<WatchEvent>>;
  }>();
  const patches: unknown[] = [];
  let revision = 1;
  let serial = 0;
  const store = (plural: string): Map<string, Live> => {
    const it = stores.get(plural) ?? new Map<string, Live>();
    stores.set(plural, it);
    return it;
  };
  const key = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;
  const tell = (plural: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Live): void => {
    for (const watcher of watchers)
      if (
        watcher.plural === plural &&
        (!watcher.namespace || watcher.namespace === object.metadata.namespace) &&
        fields(watcher.selector, object)
      )
        watcher.queue.push({ type, object });
  };
  const write = (resource: Resource, object: KubeObject): Live => {
    const at = key(object.metadata?.namespace, object.metadata?.name ?? '');
    const old = store(resource.plural).get(at);
    const live = deepFreeze(
      copyJson({
        ...object,
        metadata: {
          ...object.metadata,
          uid: object.metadata?.uid ?? old?.metadata.uid ?? `uid-${++serial}`,
          creationTimestamp: old?.metadata.creationTimestamp ?? rfc3339(clock.now()),
          resourceVersion: `${++revision}`,
          generation: object.metadata?.generation ?? 1,
        },
      }),
    ) as unknown as Live;
    store(resource.plural).set(at, live);
    tell(resource.plural, old ? 'MODIFIED' : 'ADDED', live);
    return live;
  };
  const remove = (resource: Resource, namespace: string, name: string): void => {
    const it = store(resource.plural).get(key(namespace, name));
    if (!it) return;
    store(resource.plural).delete(key(namespace, name));
    revision++;
    tell(
      resource.plural,
      'DELETED',
      deepFreeze({ ...it, metadata: { ...it.metadata, resourceVersion: `${revision}` } }) as Live,
    );
  };
  const find = (resource: Resource, namespace: string | undefined, name: string): Live => {
    const it = store(resource.plural).get(key(resource.namespaced ? namespace : undefined, name));
    if (!it) throw notFound({ group: resource.group, resource: resource.plural }, name);
    return it;
  };
  const client = {
    get: async (resource: Resource, name: string, options?: { namespace?: string }) =>
      find(resource, options?.namespace, name),
    list: async (
      resource: Resource,
      options?: { namespace?: string; fieldSelector?: string },
    ): Promise<ObjectList> => ({
      metadata: { resourceVersion: `${revision}` },
      items: [...store(resource.plural).values()].filter(
        (it) =>
          (!options?.namespace || it.metadata.namespace === options.namespace) && fields(options?.fieldSelector, it),
      ),
    }),
    watch: async (
      resource: Resource,
      options: { namespace?: string; fieldSelector?: string; signal?: AbortSignal },
    ) => {
      const queue = boundedQueue<WatchEvent>(10_000);
      const watcher = { plural: resource.plural, namespace: options.namespace, selector: options.fieldSelector, queue };
      watchers.add(watcher);
      options.signal?.addEventListener('abort', () => queue.close(), { once: true });
      return (async function* () {
        try {
          for await (const event of queue) yield [event];
        } finally {
          watchers.delete(watcher);
        }
      })();
    },
    create: async (resource: Resource, object: KubeObject, options?: { namespace?: string }) => {
      const namespace = options?.namespace ?? object.metadata?.namespace;
      if (store(resource.plural).has(key(namespace, object.metadata?.name ?? '')))
        throw alreadyExists({ group: resource.group, resource: resource.plural }, object.metadata?.name ?? '');
      return write(resource, { ...object, metadata: { ...object.metadata, ...(namespace && { namespace }) } });
    },
    createSubresource: async (_resource: Resource, name: string, subresource: string, body: KubeObject) =>
      subresource === 'token'
        ? {
            ...body,
            status: {
              token: `token-of-${name}-${++serial}`,
              expirationTimestamp: rfc3339(
                clock.now() +
                  1000 * Number((body as { spec?: { expirationSeconds?: number } }).spec?.expirationSeconds ?? 3600),
              ),
            },
          }
        : body,
    update: async (resource: Resource, object: KubeObject) => {
      find(resource, object.metadata?.namespace, object.metadata?.name ?? '');
      return write(resource, object);
    },
    patch: async (resource: Resource, name: string, patch: unknown, options: { namespace?: string; type: string }) => {
      const it = find(resource, options.namespace, name);
      patches.push(patch);
      return write(
        resource,
        merge(it as unknown as Draft, patch as Draft, options.type.includes('strategic')) as unknown as KubeObject,
      );
    },
    delete: async (resource: Resource, name: string, options?: { namespace?: string }) => {
      find(resource, options?.namespace, name);
      remove(resource, options?.namespace ?? '', name);
    },
    deleteCollection: async () => undefined,
  } as unknown as Client;
  return {
    client,
    put: write,
    get: <T extends KubeObject>(resource: Resource<T>, namespace: string, name: string) =>
      store(resource.plural).get(key(namespace, name)) as Live<T> | undefined,
    remove,
    startDelete(resource, namespace, name, graceSeconds) {
      const it = find(resource, namespace, name);
      write(resource, {
        ...it,
        metadata: {
          ...it.metadata,
          deletionTimestamp: rfc3339(clock.now() + graceSeconds * 1000),
          deletionGracePeriodSeconds: graceSeconds,
        },
      });
    },
    patches,
  };
}
