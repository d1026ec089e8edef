import { endpoints, endpointslices, nodes, pods, services } from '../api/generated/resources.ts';
import type {
  DiscoveryV1EndpointPort,
  V1Endpoint,
  V1EndpointSlice,
  V1EndpointSubset,
  V1Endpoints,
  V1Node,
  V1Pod,
  V1Service,
  V1ServicePort,
} from '../api/generated/types.ts';
import { matchesLabels, requirementsOfMap } from '../api/label-selector.ts';
import type { Live } from '../api/resource.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, type ControllerContext, watched } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from './support/access.ts';
import { isPodReady } from './support/pods.ts';

const managedBy = 'endpointslice.kubernetes.io/managed-by';
const manager = 'endpointslice-controller.k8s.io';
const serviceName = 'kubernetes.io/service-name';
const headless = 'service.kubernetes.io/headless';
/** Endpoints in one slice at most, and addresses in one Endpoints object (upstream's defaults). */
const sliceLimit = 100;
const endpointsLimit = 1000;

const isFinished = (pod: V1Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** The number that a Service's target port is in a pod; undefined when the pod has no port of that name. */
export function targetPort(port: V1ServicePort, pod: V1Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  const sidecars = (pod.spec?.initContainers ?? []).filter((it) => it.restartPolicy === 'Always');
  for (const container of [...sidecars, ...(pod.spec?.containers ?? [])]) {
    const found = container.ports?.find(
      (it) => it.name === target && (it.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

/** One pod as an endpoint (k8s.io/endpointslice, utils.go). */
function endpointOf(service: V1Service, pod: Live<V1Pod>, node: V1Node | undefined): V1Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const zone = node?.metadata?.labels?.['topology.kubernetes.io/zone'];
  const named = pod.spec?.hostname && pod.spec.subdomain === service.metadata?.name;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hints = ready ? hintsFor(service, pod.spec?.nodeName, zone) : undefined;
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: {
      ready,
      serving,
      terminating,
    },
    ...(named && pod.spec?.hostname && { hostname: pod.spec.hostname }),
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    ...(zone && { zone }),
    ...(hints && { hints }),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name, uid: pod.metadata.uid },
  };
}

/** Who should use an endpoint, as `spec.trafficDistribution` says (k8s.io/endpointslice, trafficdist). */
function hintsFor(service: V1Service, node: string | undefined, zone: string | undefined): V1Endpoint['hints'] {
  const { trafficDistribution: wanted } = service.spec ?? {};
  const forZones = zone ? { forZones: [{ name: zone }] } : {};
  switch (wanted) {
    case 'PreferClose':
    case 'PreferSameZone':
      return zone ? forZones : undefined;
    case 'PreferSameNode':
      return node ? { ...forZones, forNodes: [{ name: node }] } : undefined;
    default:
      return undefined;
  }
}

interface Group {
  readonly ports: readonly DiscoveryV1EndpointPort[];
  readonly endpoints: V1Endpoint[];
}

/** A Service's endpoints, grouped by the port numbers that its pods give its ports. Pure. */
export function groupsOf(
  service: V1Service,
  selected: readonly Live<V1Pod>[],
  nodeOf: (name: string) => V1Node | undefined,
): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const pod of selected) {
    if (!pod.status?.podIP || isFinished(pod)) continue;
    const ports = (service.spec?.ports ?? []).flatMap((port): DiscoveryV1EndpointPort[] => {
      const number = targetPort(port, pod);
      const app = port.appProtocol ? { appProtocol: port.appProtocol } : {};
      return number === undefined
        ? []
        : [{ name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP', ...app }];
    });
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(service, pod, nodeOf(pod.spec?.nodeName ?? '')));
  }
  // A Service without any endpoint still has one slice, so that its consumers know it is empty.
  return groups.size > 0 ? [...groups.values()] : [{ ports: [], endpoints: [] }];
}

const nameOfEndpoint = (endpoint: V1Endpoint): string => endpoint.targetRef?.name ?? '';

function labelsFor(service: V1Service): Record<string, string> {
  const { [serviceName]: _a, [managedBy]: _b, [headless]: _c, ...own } = service.metadata?.labels ?? {};
  const isHeadless = service.spec?.clusterIP === 'None';
  return {
    ...own,
    [serviceName]: service.metadata?.name ?? '',
    [managedBy]: manager,
    ...(isHeadless && { [headless]: '' }),
  };
}

/** The slices that should be, each with at most `sliceLimit` endpoints, in a stable order. */
export function wantedSlices(
  service: Live<V1Service>,
  groups: readonly Group[],
): readonly Pick<V1EndpointSlice, 'addressType' | 'endpoints' | 'ports'>[] {
  return groups.flatMap(({ ports, endpoints: all }) => {
    const sorted = [...all].sort((a, b) => (nameOfEndpoint(a) < nameOfEndpoint(b) ? -1 : 1));
    const count = Math.max(1, Math.ceil(sorted.length / sliceLimit));
    return Array.from({ length: count }, (_, i) => ({
      addressType: service.spec?.ipFamilies?.[0] ?? 'IPv4',
      endpoints: sorted.slice(i * sliceLimit, (i + 1) * sliceLimit),
      ports,
    }));
  });
}

function selectedPods(context: ControllerContext, service: Live<V1Service>): readonly Live<V1Pod>[] {
  const requirements = requirementsOfMap(service.spec?.selector);
  const all = context.informers.informer(pods).byIndex('namespace', service.metadata.namespace ?? '');
  return all.filter((pod) => matchesLabels(requirements, pod.metadata.labels));
}

/** Services whose selector takes the pod as it is or was. */
function servicesOf(pod: Live<V1Pod>, old: Live<V1Pod> | undefined, context: ControllerContext): readonly string[] {
  const rivals = context.informers.informer(services).byIndex('namespace', pod.metadata.namespace ?? '');
  return rivals
    .filter(({ spec }) => {
      if (!spec?.selector || Object.keys(spec.selector).length === 0) return false;
      const requirements = requirementsOfMap(spec.selector);
      return (
        matchesLabels(requirements, pod.metadata.labels) ||
        (old !== undefined && matchesLabels(requirements, old.metadata.labels))
      );
    })
    .map(keyOf);
}

const hasSelector = (service: V1Service): boolean =>
  service.spec?.selector !== undefined && service.spec.type !== 'ExternalName';

const ownerOf = (service: Live<V1Service>) => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    name: service.metadata.name,
    uid: service.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  },
];

async function reconcileSlices(key: string, context: ControllerContext): Promise<undefined> {
  const service = context.informers.informer(services).get(key);
  if (!service || service.metadata.deletionTimestamp || !hasSelector(service)) return undefined;
  const { namespace = '', name, uid } = service.metadata;
  const nodeInformer = context.informers.informer(nodes);
  const wanted = wantedSlices(
    service,
    groupsOf(service, selectedPods(context, service), (node) => nodeInformer.get(node)),
  );
  const mine = context.informers
    .informer(endpointslices)
    .byIndex('owner', uid)
    .filter((slice) => slice.metadata.labels?.[managedBy] === manager);
  const labels = labelsFor(service);
  const free = [...mine];
  for (const slice of wanted) {
    // A slice with the same ports is changed rather than replaced, so that consumers see a small change.
    const at = free.findIndex((one) => semanticEqual(one.ports ?? [], slice.ports ?? []));
    const present = at < 0 ? free.shift() : free.splice(at, 1)[0];
    if (!present) {
      const metadata = { generateName: `${name}-`, namespace, labels, ownerReferences: ownerOf(service) };
      await context.client.create(endpointslices, { ...slice, metadata });
    } else if (
      !semanticEqual(present.endpoints ?? [], slice.endpoints ?? []) ||
      !semanticEqual(present.ports ?? [], slice.ports ?? []) ||
      !semanticEqual(present.metadata.labels, labels)
    ) {
      await context.client.update(endpointslices, { ...present, ...slice, metadata: { ...present.metadata, labels } });
    }
  }
  for (const extra of free) await context.client.delete(endpointslices, extra.metadata.name, { namespace });
  return undefined;
}

/** Keeps the EndpointSlices of Services with a selector (pkg/controller/endpointslice). */
export const endpointSliceController: Controller = {
  name: 'endpointslice-controller',
  watches: [
    watched({ resource: services, keys: (service) => [keyOf(service)] }),
    watched({ resource: pods, keys: (pod, { old }, context) => servicesOf(pod, old, context) }),
    watched({
      resource: endpointslices,
      keys: (slice) =>
        slice.metadata.labels?.[managedBy] === manager
          ? [`${slice.metadata.namespace}/${slice.metadata.labels[serviceName]}`]
          : [],
    }),
  ],
  access: [
    rule('', 'services pods nodes', read),
    rule('', 'services/finalizers', 'update'),
    rule('discovery.k8s.io', 'endpointslices', `${read} create update delete`),
    ...mayRecord,
  ],
  reconcile: reconcileSlices,
};

/** The subsets of an Endpoints object: ready and not ready addresses by equal ports. Pure. */
export function subsetsOf(groups: readonly Group[]): readonly V1EndpointSubset[] {
  return groups.flatMap(({ ports, endpoints: all }): V1EndpointSubset[] => {
    const shown = [...all].filter((it) => it.conditions?.ready || !it.conditions?.terminating).slice(0, endpointsLimit);
    const address = (it: V1Endpoint) => ({
      ip: it.addresses[0] ?? '',
      ...(it.hostname && { hostname: it.hostname }),
      ...(it.nodeName && { nodeName: it.nodeName }),
      ...(it.targetRef && { targetRef: it.targetRef }),
    });
    const order = (a: { ip: string }, b: { ip: string }): number => (a.ip < b.ip ? -1 : 1);
    const ready = shown
      .filter((it) => it.conditions?.ready)
      .map(address)
      .sort(order);
    const notReady = shown
      .filter((it) => !it.conditions?.ready)
      .map(address)
      .sort(order);
    if (ready.length + notReady.length === 0) return [];
    const shownPorts = ports.map(({ name, port, protocol, appProtocol }) => ({
      ...(name && { name }),
      port: port ?? 0,
      ...(protocol && { protocol }),
      ...(appProtocol && { appProtocol }),
    }));
    return [
      {
        ...(ready.length > 0 && { addresses: ready }),
        ...(notReady.length > 0 && { notReadyAddresses: notReady }),
        ...(shownPorts.length > 0 && { ports: shownPorts }),
      },
    ];
  });
}

/** Keeps the Endpoints object of Services with a selector (pkg/controller/endpoint). */
export const endpointsController: Controller = {
  name: 'endpoint-controller',
  watches: [
    watched({ resource: services, keys: (service) => [keyOf(service)] }),
    watched({ resource: pods, keys: (pod, { old }, context) => servicesOf(pod, old, context) }),
    watched({ resource: endpoints, keys: (object) => [keyOf(object)] }),
  ],
  access: [
    rule('', 'services pods', read),
    rule('', 'endpoints', `${read} create update delete`),
    rule('', 'endpoints/restricted', 'create'),
    ...mayRecord,
  ],
  async reconcile(key, context) {
    const service = context.informers.informer(services).get(key);
    const present = context.informers.informer(endpoints).get(key);
    const managed = 'endpoints.kubernetes.io/managed-by';
    if (!service) {
      if (present?.metadata.labels?.[managed]) {
        await context.client.delete(endpoints, present.metadata.name, { namespace: present.metadata.namespace ?? '' });
      }
      return undefined;
    }
    if (service.metadata.deletionTimestamp || !hasSelector(service)) return undefined;
    const subsets = subsetsOf(groupsOf(service, selectedPods(context, service), () => undefined));
    const labels = {
      ...service.metadata.labels,
      [managed]: 'endpoint-controller',
      ...(service.spec?.clusterIP === 'None' && { [headless]: '' }),
    };
    const { name, namespace = '' } = service.metadata;
    const wanted: V1Endpoints = { metadata: { name, namespace, labels }, ...(subsets.length > 0 && { subsets }) };
    if (!present) await context.client.create(endpoints, wanted);
    else if (!semanticEqual(present.subsets ?? [], subsets) || !semanticEqual(present.metadata.labels, labels)) {
      const { subsets: _, ...rest } = present;
      await context.client.update(endpoints, { ...rest, ...wanted, metadata: { ...present.metadata, labels } });
    }
    return undefined;
  },
};
