import { type KubeObject, type Live, qualified, type Resource } from '../api/resource.ts';
import type { ReadMark, SpanSink } from '../api/trace.ts';
import type { Clock } from '../base/clock.ts';
import type { Client, WriteOptions } from '../client/client.ts';
import { type Informer, type InformerSet, keyOf } from '../client/informer.ts';

/** What one reconcile read, and what it wrote. */
export interface Track {
  readonly reads: readonly ReadMark[];
  readonly writes: readonly Written[];
}

/** A write that a local copy will show some time later. */
export interface Written {
  readonly resource: Resource;
  readonly key: string;
  /** Of the object written; absent for a deletion. */
  readonly resourceVersion?: string;
}

/** Provenance is a hint to people: the first so many objects read tell the story. */
const maxReads = 24;

/** A client and informers that remember what they were used for, cheap enough to make anew for each reconcile. */
export function track(
  base: { readonly client: Client; readonly informers: InformerSet },
  by: { readonly component: string; readonly clock: Clock; readonly spans: SpanSink },
): Track & { readonly client: Client; readonly informers: InformerSet } {
  const reads = new Map<string, ReadMark>();
  const writes: Written[] = [];
  const saw = (resource: Resource, object: Live | undefined): void => {
    if (!object || reads.size >= maxReads) return;
    const { namespace, name, resourceVersion } = object.metadata;
    const label = qualified({ group: resource.group, resource: resource.plural });
    reads.set(`${label}/${namespace ?? ''}/${name}`, {
      resource: label,
      ...(namespace && { namespace }),
      name,
      resourceVersion,
    });
  };
  const marks = (): readonly ReadMark[] => [...reads.values()];
  const withReads = <O extends WriteOptions>(options: O | undefined): O =>
    ({ ...options, reads: options?.reads ?? marks() }) as O;
  const writing = async <T>(
    verb: string,
    resource: Resource,
    namespace: string | undefined,
    name: string | undefined,
    run: () => Promise<T>,
  ): Promise<T> => {
    const start = by.clock.now();
    const span = (error?: unknown, written?: Live): void =>
      by.spans.record({
        step: 'controllers',
        what: `${verb} ${resource.singular}${namespace ? ` ${namespace}/` : ' '}${written?.metadata.name ?? name ?? ''}`,
        component: by.component,
        subject: {
          resource: qualified({ group: resource.group, resource: resource.plural }),
          ...(namespace && { namespace }),
          name: written?.metadata.name ?? name ?? '',
          ...(written && { uid: written.metadata.uid }),
        },
        start,
        end: by.clock.now(),
        reads: marks(),
        ...(error !== undefined && { error: error instanceof Error ? error.message : String(error) }),
      });
    try {
      const result = await run();
      const live = isLive(result) ? result : undefined;
      span(undefined, live);
      return result;
    } catch (error) {
      span(error);
      throw error;
    }
  };
  const wrote = <T extends KubeObject>(resource: Resource, live: Live<T>): Live<T> => {
    if (live.metadata?.resourceVersion) {
      writes.push({ resource, key: keyOf(live), resourceVersion: live.metadata.resourceVersion });
    }
    return live;
  };
  const { client } = base;
  const tracked: Client = {
    ...(client.user && { user: client.user }),
    async get(resource, name, options) {
      const object = await client.get(resource, name, options);
      if (!options?.subresource) saw(resource, object);
      return object;
    },
    async list(resource, options) {
      const list = await client.list(resource, options);
      for (const item of list.items) saw(resource, item);
      return list;
    },
    watch: client.watch,
    create: (resource, object, options) =>
      writing('create', resource, options?.namespace ?? object.metadata?.namespace, object.metadata?.name, async () =>
        wrote(resource, await client.create(resource, object, withReads(options))),
      ),
    createSubresource: (resource, name, subresource, body, options) =>
      writing(`create ${subresource} of`, resource, options?.namespace ?? body.metadata?.namespace, name, () =>
        client.createSubresource(resource, name, subresource, body, withReads(options)),
      ),
    update: (resource, object, options) =>
      writing(
        options?.subresource ? `update ${options.subresource} of` : 'update',
        resource,
        options?.namespace ?? object.metadata?.namespace,
        object.metadata?.name,
        async () => wrote(resource, await client.update(resource, object, withReads(options))),
      ),
    patch: (resource, name, patch, options) =>
      writing(
        options.subresource ? `patch ${options.subresource} of` : 'patch',
        resource,
        options.namespace,
        name,
        async () => wrote(resource, await client.patch(resource, name, patch, withReads(options))),
      ),
    delete: (resource, name, options) =>
      writing('delete', resource, options?.namespace, name, async () => {
        await client.delete(resource, name, withReads(options));
        writes.push({ resource, key: options?.namespace ? `${options.namespace}/${name}` : name });
      }),
    deleteCollection: (resource, options) =>
      writing('delete all', resource, options.namespace, undefined, () =>
        client.deleteCollection(resource, withReads(options)),
      ),
  };
  const informers: InformerSet = {
    client: tracked,
    whenSynced: base.informers.whenSynced,
    informer<T extends KubeObject>(resource: Resource<T>, scope?: Parameters<InformerSet['informer']>[1]): Informer<T> {
      const inner = base.informers.informer(resource, scope);
      return {
        resource,
        get(key) {
          const object = inner.get(key);
          saw(resource, object);
          return object;
        },
        list: inner.list,
        byIndex(index, value) {
          const objects = inner.byIndex(index, value);
          for (const object of objects) {
            if (reads.size >= maxReads) break;
            saw(resource, object);
          }
          return objects;
        },
        addIndex: inner.addIndex,
        subscribe: inner.subscribe,
        whenSynced: inner.whenSynced,
        get synced() {
          return inner.synced;
        },
        get resourceVersion() {
          return inner.resourceVersion;
        },
      };
    },
  };
  return {
    client: tracked,
    informers,
    writes,
    get reads() {
      return marks();
    },
  };
}

const isLive = (value: unknown): value is Live =>
  typeof value === 'object' && value !== null && typeof (value as KubeObject).metadata?.uid === 'string';
