import { parseAllDocuments } from 'yaml';
import { allResources, namespaces, nodes, serviceaccounts } from '../../api/generated/resources.ts';
import type { V1Pod, V1Secret } from '../../api/generated/types.ts';
import { apiVersionOf, type KubeObject, type Resource } from '../../api/resource.ts';
import { assert } from '../../base/assert.ts';
import { deepFreeze } from '../../base/freeze.ts';
import { plannedPods } from './planned-pods.ts';
import { secretShape } from './secret-shape.ts';
import { type ContainerLog, createSnapshot, resourceKey, type Snapshot, type SnapshotParts } from './snapshot.ts';

/** The time at which examples are looked at. */
export const exampleNow = Date.parse('2026-01-01T12:00:00Z');

const byKind = new Map<string, Resource>();
// The first of a kind is its preferred version (and the core Event, not events.k8s.io's).
for (const it of allResources) if (!byKind.has(it.kind)) byKind.set(it.kind, it);

type Loose = KubeObject & Record<string, unknown>;

/**
 * A snapshot from YAML documents, for examples and tests. Documents are Kubernetes objects, where apiVersion, namespace (`default`), uid
 * and creationTimestamp (ten minutes ago) may be left out, and five helpers:
 * - `kind: Event` with `on: Pod/web` (or `Node/n1`), `reason`, `message`, `type` (default Warning), `ago` (seconds, default 60);
 * - `kind: Log` with `pod`, `container`, `previous` (default true), `text`;
 * - `kind: ServerVersion` with `gitVersion: v1.33.1`;
 * - `kind: Unseen` with `resource: secrets`: that kind cannot be read;
 * - `owner: ReplicaSet/web-1` beside any object's metadata, for ownerReferences.
 * What no real cluster lacks is added: namespaces, their default ServiceAccount, and ready nodes that pods name, where none is given.
 */
export function snapshotFromYaml(text: string, stage: Snapshot['stage'] = 'live'): Snapshot {
  const example = exampleObjects(text);
  const objects = new Map<string, KubeObject[]>();
  const secrets: V1Secret[] = [];
  const put = (resource: Resource, object: KubeObject): void => {
    const key = resourceKey(resource);
    const list = objects.get(key);
    if (list) list.push(object);
    else objects.set(key, [object]);
  };
  for (const it of example.objects) {
    if (it.kind === 'Secret') secrets.push(it);
    else put(resourceFor(it.kind ?? ''), it);
  }
  for (const pod of stage === 'manifests' ? plannedPods([...objects.values()].flat()) : [])
    put(resourceFor('Pod'), pod);
  addWhatIsAlwaysThere(objects, put);
  const logs = new Map<string, ContainerLog[]>();
  for (const { namespace, pod, container, text: log, previous } of example.logs) {
    const key = `${namespace}/${pod}/${container}`;
    logs.set(key, [...(logs.get(key) ?? []), { text: log, previous }]);
  }
  const blind = new Set(example.unseen.map(resourceKey));
  const parts: SnapshotParts = {
    now: exampleNow,
    stage,
    ...(example.serverVersion && { serverVersion: example.serverVersion }),
    objects,
    secrets: secrets.map(secretShape),
    logs,
    blind,
    narrowed: new Map(),
    unseen: [...blind].map((key) => ({ what: key.replace(/^.*\//, ''), why: 'denied' as const, message: 'forbidden' })),
  };
  return createSnapshot(deepFreeze(parts));
}

/** What an example's YAML holds, before it becomes a snapshot. */
export interface ExampleObjects {
  readonly objects: readonly KubeObject[];
  readonly logs: readonly {
    readonly namespace: string;
    readonly pod: string;
    readonly container: string;
    readonly text: string;
    readonly previous: boolean;
  }[];
  readonly unseen: readonly Resource[];
  readonly serverVersion: string | undefined;
}

/** Reads an example's documents and fills in what was left out. Bad YAML is a bug of the example: `AssertionFailure`. */
export function exampleObjects(text: string): ExampleObjects {
  const objects: KubeObject[] = [];
  const logs: ExampleObjects['logs'][number][] = [];
  const unseen: Resource[] = [];
  let serverVersion: string | undefined;
  for (const document of parseAllDocuments(text)) {
    assert(document.errors.length === 0, `bad example YAML: ${document.errors[0]?.message}`);
    const it = document.toJS() as Loose | null;
    if (it === null) continue;
    const kind = it.kind ?? '';
    if (kind === 'Log')
      logs.push({
        namespace: (it['namespace'] as string | undefined) ?? 'default',
        pod: String(it['pod']),
        container: String(it['container']),
        text: String(it['text']),
        previous: it['previous'] !== false,
      });
    else if (kind === 'ServerVersion') serverVersion = String(it['gitVersion']);
    else if (kind === 'Unseen') {
      const resource = allResources.find((r) => r.plural === it['resource']);
      assert(resource, `unknown resource ${String(it['resource'])}`);
      unseen.push(resource);
    } else objects.push(kind === 'Event' && it['on'] !== undefined ? eventFrom(it) : completed(it));
  }
  return { objects, logs, unseen, serverVersion };
}

function resourceFor(kind: string): Resource {
  const resource = byKind.get(kind);
  assert(resource, `unknown kind ${kind} in example`);
  return resource;
}

const longAgo = '2026-01-01T11:50:00Z';

function completed(it: Loose): KubeObject {
  const kind = it.kind ?? '';
  const resource = resourceFor(kind);
  const { owner, ...rest } = it;
  const namespace = resource.namespaced ? (it.metadata?.namespace ?? 'default') : undefined;
  const [ownerKind, ownerName] = typeof owner === 'string' ? owner.split('/') : [];
  return {
    ...rest,
    apiVersion: it.apiVersion ?? apiVersionOf(resource),
    kind,
    metadata: {
      creationTimestamp: longAgo,
      uid: `uid-${kind}-${it.metadata?.name}`.toLowerCase(),
      ...(ownerKind &&
        ownerName && {
          ownerReferences: [
            {
              apiVersion: apiVersionOf(resourceFor(ownerKind)),
              kind: ownerKind,
              name: ownerName,
              uid: `uid-${ownerKind}-${ownerName}`.toLowerCase(),
              controller: true,
            },
          ],
        }),
      ...it.metadata,
      ...(namespace && { namespace }),
    },
  };
}

let eventNumber = 0;

function eventFrom(it: Loose): KubeObject {
  const [kind = '', name = ''] = String(it['on']).split('/');
  const namespace = (it['namespace'] as string | undefined) ?? 'default';
  const seconds = typeof it['ago'] === 'number' ? it['ago'] : 60;
  eventNumber++;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${eventNumber}`, namespace },
    involvedObject: {
      kind,
      name,
      ...(byKind.get(kind)?.namespaced !== false && { namespace }),
      fieldPath: it['fieldPath'],
    },
    reason: it['reason'],
    message: it['message'],
    type: it['type'] ?? 'Warning',
    count: it['count'] ?? 1,
    lastTimestamp: new Date(exampleNow - seconds * 1000).toISOString(),
  } as KubeObject;
}

function addWhatIsAlwaysThere(
  objects: ReadonlyMap<string, readonly KubeObject[]>,
  put: (resource: Resource, object: KubeObject) => void,
): void {
  const all = [...objects.values()].flat();
  const podList = (objects.get('/pods') ?? []) as readonly V1Pod[];
  if (!objects.has(resourceKey(nodes))) {
    for (const name of new Set(podList.map((it) => it.spec?.nodeName ?? 'n1'))) put(nodes, readyNode(name));
    if (podList.length === 0) put(nodes, readyNode('n1'));
  }
  const used = new Set(all.map((it) => it.metadata?.namespace ?? '').filter((it) => it !== ''));
  for (const name of used) {
    if (!objects.get(resourceKey(namespaces))?.some((it) => it.metadata?.name === name))
      put(namespaces, completed({ kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } }));
    const accounts = objects.get(resourceKey(serviceaccounts)) ?? [];
    if (!accounts.some((it) => it.metadata?.namespace === name && it.metadata?.name === 'default'))
      put(serviceaccounts, completed({ kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } }));
  }
}

const readyNode = (name: string): KubeObject =>
  completed({
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
    spec: {},
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi' },
      capacity: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi' },
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        containerRuntimeVersion: 'containerd://2.0.0',
        kubeletVersion: 'v1.33.0',
      },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
          lastHeartbeatTime: '2026-01-01T11:59:50Z',
        },
      ],
    },
  });
