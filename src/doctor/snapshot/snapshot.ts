import { pods as podsResource } from '../../api/generated/resources.ts';
import type { CoreV1Event, V1Pod } from '../../api/generated/types.ts';
import type { KubeObject, Resource } from '../../api/resource.ts';
import type { Unseen } from '../finding.ts';
import { keyOf, type Reference } from '../reference.ts';
import { workloadFinder } from './owners.ts';
import { isTroubled, type PodFacts, podFacts } from './pod-facts.ts';
import type { SecretShape } from './secret-shape.ts';

/** A container's output, bounded; newest lines last. */
export interface ContainerLog {
  readonly text: string;
  readonly previous: boolean;
  /** Set where the log is of another pod that failed in the same way. */
  readonly sampledFrom?: Reference;
}

/** An immutable picture of a cluster, or of manifests that are about to be applied. All rules read only this. */
export interface Snapshot {
  /** When it was taken, milliseconds since the epoch. */
  readonly now: number;
  readonly stage: 'live' | 'manifests';
  /** `v1.33.1`, where known. */
  readonly serverVersion?: string;
  /** All objects of a kind. Secrets are not among them: see `secrets`. */
  all<T extends KubeObject>(resource: Resource<T>): readonly T[];
  in<T extends KubeObject>(resource: Resource<T>, namespace: string): readonly T[];
  get<T extends KubeObject>(resource: Resource<T>, name: string, namespace?: string): T | undefined;
  /** By kind and name, for references that objects hold. */
  find(reference: Reference): KubeObject | undefined;
  /** Whether the kind could be read there; only then does a missing object prove anything. */
  sees(resource: Resource, namespace?: string): boolean;
  /** True only where it could be seen and is not there. */
  lacks(resource: Resource, name: string, namespace?: string): boolean;
  secrets(namespace: string): readonly SecretShape[];
  secret(namespace: string, name: string): SecretShape | undefined;
  /** Of all namespaces that could be read. */
  readonly everySecret: readonly SecretShape[];
  /** Newest first; of the same incarnation where both sides have a uid. */
  events(reference: Reference, uid?: string): readonly CoreV1Event[];
  /** All pods; of a manifest stage, one for each template. */
  readonly pods: readonly PodFacts[];
  /** Pods that ask for an explanation; of a manifest stage, all. */
  readonly troubled: readonly PodFacts[];
  pod(reference: Reference): PodFacts | undefined;
  podsOf(workload: Reference): readonly PodFacts[];
  podsOn(node: string): readonly PodFacts[];
  podsIn(namespace: string): readonly PodFacts[];
  /** The log of a container: of the previous run first when that is what failed. */
  logs(pod: PodFacts, container: string): readonly ContainerLog[];
  readonly unseen: readonly Unseen[];
}

/** What a snapshot is made of. `objects` by `group/plural`. */
export interface SnapshotParts {
  readonly now: number;
  readonly stage: Snapshot['stage'];
  readonly serverVersion?: string;
  readonly objects: ReadonlyMap<string, readonly KubeObject[]>;
  readonly secrets: readonly SecretShape[];
  /** `namespace/pod/container` to logs. */
  readonly logs: ReadonlyMap<string, readonly ContainerLog[]>;
  /** `group/plural` of kinds that could not be read at all. */
  readonly blind: ReadonlySet<string>;
  /** Where only one namespace could be read: `group/plural` to that namespace. */
  readonly narrowed: ReadonlyMap<string, string>;
  readonly unseen: readonly Unseen[];
}

export const resourceKey = (resource: Pick<Resource, 'group' | 'plural'>): string =>
  `${resource.group}/${resource.plural}`;

const localKey = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

/** An index that is built when first asked for. */
function lazy<T>(build: () => T): () => T {
  let built: { readonly value: T } | undefined;
  return () => {
    built ??= { value: build() };
    return built.value;
  };
}

/** Builds the picture; indexes are made once, when first needed. */
export function createSnapshot(parts: SnapshotParts): Snapshot {
  const { objects, now, stage } = parts;
  const listOf = <T extends KubeObject>(resource: Resource<T>): readonly T[] =>
    (objects.get(resourceKey(resource)) ?? []) as readonly T[];
  const perKind = new Map<
    string,
    { byName: () => ReadonlyMap<string, KubeObject>; byNamespace: () => ReadonlyMap<string, readonly KubeObject[]> }
  >();
  const indexOf = (key: string) => {
    let index = perKind.get(key);
    if (!index) {
      const items = objects.get(key) ?? [];
      index = {
        byName: lazy(() => new Map(items.map((it) => [localKey(it.metadata?.namespace, it.metadata?.name ?? ''), it]))),
        byNamespace: lazy(() => groupBy(items, (it) => it.metadata?.namespace ?? '')),
      };
      perKind.set(key, index);
    }
    return index;
  };
  const byReference = lazy(() => {
    const map = new Map<string, KubeObject>();
    for (const [key, items] of objects) {
      if (key === '/events') continue;
      for (const it of items) {
        const { namespace, name } = it.metadata ?? {};
        map.set(keyOf({ kind: it.kind ?? '', ...(namespace && { namespace }), name: name ?? '' }), it);
      }
    }
    return map;
  });
  const find = (reference: Reference): KubeObject | undefined => byReference().get(keyOf(reference));
  const workloadOf = workloadFinder(find);
  const allPods = lazy(() =>
    listOf<V1Pod>(podsResource).map((it) => podFacts(it, workloadOf(it), stage === 'manifests')),
  );
  const podIndex = lazy(() => new Map(allPods().map((it) => [keyOf(it.ref), it])));
  const byWorkload = lazy(() => groupBy(allPods(), (it) => keyOf(it.workload)));
  const byNode = lazy(() => groupBy(allPods(), (it) => it.spec.nodeName ?? ''));
  const podsByNamespace = lazy(() => groupBy(allPods(), (it) => it.namespace));
  const troubled = lazy(() => (stage === 'manifests' ? allPods() : allPods().filter((it) => isTroubled(it.pod, now))));
  const eventIndex = lazy(() => {
    const items = (objects.get('/events') ?? []) as readonly CoreV1Event[];
    const sorted = items
      .map((event) => ({ event, at: eventTime(event) ?? 0 }))
      .sort((a, b) => b.at - a.at)
      .map((it) => it.event);
    return groupBy(sorted, ({ involvedObject: it }) =>
      keyOf({
        kind: it.kind ?? '',
        ...(it.namespace && it.kind !== 'Node' && { namespace: it.namespace }),
        name: it.name ?? '',
      }),
    );
  });
  const secretIndex = lazy(() => groupBy(parts.secrets, (it) => it.metadata.namespace ?? ''));
  const sees = (resource: Resource, namespace?: string): boolean => {
    const key = resourceKey(resource);
    if (parts.blind.has(key)) return false;
    const only = parts.narrowed.get(key);
    return only === undefined || only === namespace;
  };
  const secret = (namespace: string, name: string): SecretShape | undefined =>
    secretIndex()
      .get(namespace)
      ?.find((it) => it.metadata.name === name);
  const get = <T extends KubeObject>(resource: Resource<T>, name: string, namespace?: string): T | undefined =>
    indexOf(resourceKey(resource))
      .byName()
      .get(localKey(resource.namespaced ? namespace : undefined, name)) as T | undefined;
  return {
    now,
    stage,
    ...(parts.serverVersion && { serverVersion: parts.serverVersion }),
    unseen: parts.unseen,
    all: listOf,
    in: <T extends KubeObject>(resource: Resource<T>, namespace: string) =>
      (indexOf(resourceKey(resource)).byNamespace().get(namespace) ?? []) as readonly T[],
    get,
    find,
    sees,
    lacks(resource, name, namespace) {
      if (!sees(resource, namespace)) return false;
      if (resource.plural === 'secrets' && resource.group === '') return secret(namespace ?? '', name) === undefined;
      return get(resource, name, namespace) === undefined;
    },
    secrets: (namespace) => secretIndex().get(namespace) ?? [],
    secret,
    everySecret: parts.secrets,
    events(reference, uid) {
      const found = eventIndex().get(keyOf(reference)) ?? [];
      if (uid === undefined) return found;
      return found.filter((it) => it.involvedObject.uid === undefined || it.involvedObject.uid === uid);
    },
    get pods() {
      return allPods();
    },
    get troubled() {
      return troubled();
    },
    pod: (reference) => podIndex().get(keyOf(reference)),
    podsOf: (workload) => byWorkload().get(keyOf(workload)) ?? [],
    podsOn: (node) => byNode().get(node) ?? [],
    podsIn: (namespace) => podsByNamespace().get(namespace) ?? [],
    logs: (pod, container) => parts.logs.get(`${pod.namespace}/${pod.ref.name}/${container}`) ?? [],
  };
}

/** When an event was last seen, milliseconds; undefined where it says nothing of it. */
export function eventTime(event: CoreV1Event): number | undefined {
  const text =
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.firstTimestamp ??
    event.metadata.creationTimestamp;
  return text ? Date.parse(text) : undefined;
}
