import type { ResourceRequest, ResourceResult } from '../src/api/handler.ts';
import type { KubeObject, Live, Resource } from '../src/api/resource.ts';
import { alreadyExists, notFound } from '../src/api/status.ts';
import type { AdmissionRequest, Authorizer, ObjectReader, ServerContext } from '../src/apiserver/contracts.ts';
import { deepFreeze } from '../src/base/freeze.ts';
import { silentLogger } from '../src/base/log.ts';
import { seededRandom } from '../src/base/random.ts';
import { type VirtualClock, virtualClock } from '../src/base/virtual-clock.ts';
import type { Draft, KindDefinition } from '../src/kinds/kind.ts';

type Change = { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Live; old?: Live };

/** The smallest thing that plugins and special handlers can run against: a map of objects behind the ServerContext interface. */
export interface ServerDouble extends ServerContext {
  readonly clock: VirtualClock;
  readonly requests: ResourceRequest[];
  /** Stores an object as if it had been created, or replaces it. */
  put<T extends KubeObject>(resource: Resource<T>, object: unknown): Live<T>;
  remove(resource: Resource, namespace: string | undefined, name: string): void;
}

export function serverDouble(authorizer?: (reader: ObjectReader) => Authorizer): ServerDouble {
  const clock = virtualClock();
  const objects = new Map<string, Map<string, Live>>();
  const listeners = new Map<string, Set<(change: Change) => void>>();
  const requests: ResourceRequest[] = [];
  let revision = 1;
  const table = (group: string, plural: string): Map<string, Live> => {
    const id = `${group}/${plural}`;
    const known = objects.get(id) ?? new Map<string, Live>();
    objects.set(id, known);
    return known;
  };
  const store = (group: string, plural: string, object: unknown): Live => {
    const copy = structuredClone(object) as { metadata: Record<string, unknown> };
    const key = `${copy.metadata['namespace'] ?? ''}/${copy.metadata['name']}`;
    const old = table(group, plural).get(key);
    revision++;
    copy.metadata['uid'] ??= `uid-${revision}`;
    copy.metadata['creationTimestamp'] ??= new Date(clock.now()).toISOString();
    copy.metadata['resourceVersion'] = String(revision);
    const live = deepFreeze(copy) as unknown as Live;
    table(group, plural).set(key, live);
    for (const listener of listeners.get(`${group}/${plural}`) ?? []) {
      listener(old ? { type: 'MODIFIED', object: live, old } : { type: 'ADDED', object: live });
    }
    return live;
  };
  const remove = (group: string, plural: string, namespace: string | undefined, name: string): Live | undefined => {
    const key = `${namespace ?? ''}/${name}`;
    const old = table(group, plural).get(key);
    table(group, plural).delete(key);
    if (old)
      for (const listener of listeners.get(`${group}/${plural}`) ?? []) listener({ type: 'DELETED', object: old });
    return old;
  };
  const reader: ObjectReader = {
    get: (resource, namespace, name) =>
      table(resource.group, resource.plural).get(`${namespace ?? ''}/${name}`) as never,
    list: (resource, namespace) =>
      [...table(resource.group, resource.plural).values()].filter(
        (object) => namespace === undefined || object.metadata.namespace === namespace,
      ) as never,
    subscribe(resource, onChange) {
      const id = `${resource.group}/${resource.plural}`;
      const set = listeners.get(id) ?? new Set();
      listeners.set(id, set);
      set.add(onChange as never);
      return () => void set.delete(onChange as never);
    },
  };
  const dispatch = async (request: ResourceRequest): Promise<ResourceResult> => {
    requests.push(request);
    const it = { group: request.group, resource: request.resource };
    const name = request.name ?? request.body?.metadata?.name ?? '';
    const live = table(request.group, request.resource).get(`${request.namespace ?? ''}/${name}`);
    if (request.verb === 'create') {
      if (live) throw alreadyExists(it, name);
      const namespace = request.namespace;
      const body = { ...request.body, metadata: { ...request.body?.metadata, ...(namespace && { namespace }) } };
      return { type: 'object', object: store(request.group, request.resource, body), created: true };
    }
    if (!live) throw notFound(it, name);
    if (request.verb === 'delete') remove(request.group, request.resource, request.namespace, name);
    if (request.verb === 'update') {
      return { type: 'object', object: store(request.group, request.resource, request.body), created: false };
    }
    return { type: 'object', object: live, created: false };
  };
  return {
    clock,
    random: seededRandom(7),
    log: silentLogger,
    reader,
    kinds: {
      find: () => undefined,
      byKind: () => undefined,
      list: () => [],
      install: () => undefined,
      uninstall: () => undefined,
      generation: 1,
      onChange: () => () => undefined,
    },
    authorizer: authorizer?.(reader) ?? {
      authorize: () => ({ allowed: true, reason: '' }),
      rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
    },
    requests,
    dispatch,
    async mutate(resource, namespace, name, change, options) {
      const live = reader.get(resource, namespace, name);
      if (!live) throw notFound({ group: resource.group, resource: resource.plural }, name);
      const next = change(structuredClone(live) as unknown as Draft, live);
      if (next === undefined || options?.dryRun) return live;
      return store(resource.group, resource.plural, next) as never;
    },
    put: (resource, object) => store(resource.group, resource.plural, object) as never,
    remove: (resource, namespace, name) => void remove(resource.group, resource.plural, namespace, name),
  };
}

/** An admission request with sensible gaps filled in, for tables. */
export function admissionRequest(
  resource: Resource,
  given: Partial<Omit<AdmissionRequest, 'object'>> & { readonly object?: unknown; readonly warnings?: string[] },
): AdmissionRequest {
  const meta = ((given.object ?? given.old) as { metadata?: { name?: string; namespace?: string } } | undefined)
    ?.metadata;
  const namespace = given.namespace ?? (resource.namespaced ? (meta?.namespace ?? 'default') : undefined);
  return {
    operation: 'CREATE',
    kind: { resource } as KindDefinition,
    resource,
    name: meta?.name ?? '',
    old: undefined,
    user: { name: 'alice', groups: ['system:authenticated'] },
    dryRun: false,
    options: {},
    warn: (message) => void given.warnings?.push(message),
    ...(namespace !== undefined && { namespace }),
    ...given,
    object: given.object as Draft | undefined,
  };
}
