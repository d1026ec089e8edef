import { copyJson } from '../api/draft.ts';
import type { ApiHandler } from '../api/handler.ts';
import type { Live, Resource } from '../api/resource.ts';
import { notFound } from '../api/status.ts';
import type { Draft } from '../kinds/kind.ts';
import { loopbackUser } from './authz/loopback.ts';
import type { Authorizer, ObjectReader, ServerContext } from './contracts.ts';
import { type Core, operationOf } from './core.ts';
import type { ResourceCache } from './storage/resource-cache.ts';
import { guaranteedUpdate } from './verbs/update.ts';

/** Reads of the caches, in storage version. */
export function objectReader(core: Core): ObjectReader {
  /** Found once for each resource and registry: plugins ask for the same few with every write. */
  let generation = -1;
  let found = new WeakMap<Resource, ResourceCache>();
  const cacheOf = (resource: Resource): ResourceCache | undefined => {
    if (generation !== core.kinds.generation) {
      generation = core.kinds.generation;
      found = new WeakMap();
    }
    const known = found.get(resource);
    if (known) return known;
    const cache = findCache(resource);
    if (cache) found.set(resource, cache);
    return cache;
  };
  const findCache = (resource: Resource): ResourceCache | undefined => {
    const kind = core.kinds.find(resource.group, resource.version, resource.plural);
    const { group, plural } = (kind ? core.kinds.storageKind(kind) : { resource }).resource;
    return core.storage.find({ group, resource: plural })?.cache;
  };
  return {
    get: (resource, namespace, name) =>
      cacheOf(resource)?.objects.get(resource.namespaced ? (namespace ?? '') : '', name) as never,
    list: (resource, namespace) =>
      (cacheOf(resource)?.objects.list(resource.namespaced ? namespace : undefined) ?? []) as never,
    subscribe(resource, onChange) {
      return cacheOf(resource)?.subscribe((change) => onChange(change as never)) ?? (() => undefined);
    },
  };
}

/** What plugins and special handlers work with. */
export function serverContext(core: Core, dispatch: ApiHandler, authorizer: () => Authorizer): ServerContext {
  return {
    clock: core.clock,
    random: core.random,
    log: core.log,
    kinds: core.kinds,
    reader: objectReader(core),
    get authorizer() {
      return authorizer();
    },
    dispatch,
    async mutate<T extends object>(
      resource: Resource,
      namespace: string | undefined,
      name: string,
      change: (object: Draft, live: Live<T>) => Draft | undefined,
      options: Parameters<ServerContext['mutate']>[4] = {},
    ) {
      const { group, version, plural } = resource;
      const kind = core.kinds.find(group, version, plural);
      const storageKind = kind && core.kinds.storageKind(kind);
      const stored =
        storageKind && core.storage.find({ group: storageKind.resource.group, resource: storageKind.resource.plural });
      if (!kind || !stored) throw notFound({ group, resource: plural }, name);
      const request = {
        verb: 'update' as const,
        group,
        version,
        resource: plural,
        // The caller decides about status and spec alike: no strategy may put one of them back.
        subresource: mutateSubresource,
        name,
        ...(namespace !== undefined && { namespace }),
        options: { ...(options.dryRun && { dryRun: true }), ...(options.manager && { fieldManager: options.manager }) },
        user: options.user ?? loopbackUser,
      };
      const op = operationOf(core, request, kind, stored, false);
      const { object } = await guaranteedUpdate(op, {
        produce: (old) => old && change(copyJson(old) as unknown as Draft, old as Live<T>),
        allowCreate: false,
        ...(options.untracked && { tracked: true }),
        attempts: 32,
      });
      return object as never;
    },
  };
}

/** Not a subresource of any kind: makes the strategies stand aside. */
const mutateSubresource = '';
