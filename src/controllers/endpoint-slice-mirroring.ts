import { isIP } from 'node:net';
import { endpointslices, endpoints as endpointsResource, services } from '../api/generated/resources.ts';
import type {
  V1Endpoint,
  V1EndpointAddress,
  V1EndpointSlice,
  V1EndpointSubset,
  V1Endpoints,
} from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from './support/access.ts';
import { controllerReference } from './support/owners.ts';

const managedBy = 'endpointslice.kubernetes.io/managed-by';
const manager = 'endpointslicemirroring-controller.k8s.io';
const serviceName = 'kubernetes.io/service-name';
const skipMirror = 'endpointslice.kubernetes.io/skip-mirror';
const endpointsManager = 'endpoints.kubernetes.io/managed-by';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
/** Addresses of one subset that are mirrored at most (--mirroring-max-endpoints-per-subset). */
const limit = 1000;

type Slice = Pick<V1EndpointSlice, 'addressType' | 'endpoints' | 'ports'>;

/** Made by hand, and not an old leader lock: such are mirrored. */
export const isMirrored = (it: V1Endpoints): boolean =>
  it.metadata?.labels?.[skipMirror] !== 'true' &&
  it.metadata?.labels?.[endpointsManager] === undefined &&
  it.metadata?.annotations?.[leaderAnnotation] === undefined;

/** The slices that show what a hand-made Endpoints object says: one for each subset and address family. Pure. */
export function mirrorOf(it: V1Endpoints): readonly Slice[] {
  return (it.subsets ?? []).flatMap((subset) =>
    (['IPv4', 'IPv6'] as const).flatMap((addressType): Slice[] => {
      const all = endpointsOf(subset).filter(
        (one) => isIP(one.addresses[0] ?? '') === (addressType === 'IPv4' ? 4 : 6),
      );
      if (all.length === 0) return [];
      const ports = (subset.ports ?? []).map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
        name,
        port,
        protocol,
        ...(appProtocol && { appProtocol }),
      }));
      return [{ addressType, endpoints: all.slice(0, limit), ports }];
    }),
  );
}

function endpointsOf(subset: V1EndpointSubset): readonly V1Endpoint[] {
  const one = (address: V1EndpointAddress, ready: boolean): V1Endpoint => ({
    addresses: [address.ip],
    conditions: { ready },
    ...(address.hostname && { hostname: address.hostname }),
    ...(address.nodeName && { nodeName: address.nodeName }),
    ...(address.targetRef && { targetRef: address.targetRef }),
  });
  return [
    ...(subset.addresses ?? []).map((address) => one(address, true)),
    ...(subset.notReadyAddresses ?? []).map((address) => one(address, false)),
  ];
}

/** Shows hand-made Endpoints of Services without a selector as slices. Upstream: pkg/controller/endpointslicemirroring. */
export const endpointSliceMirroringController: Controller = {
  name: 'endpointslicemirroring-controller',
  watches: [
    watched({ resource: endpointsResource, keys: (it) => [keyOf(it)] }),
    watched({ resource: services, keys: (it) => [keyOf(it)] }),
    watched({
      resource: endpointslices,
      keys: (slice) =>
        slice.metadata.labels?.[managedBy] === manager
          ? [`${slice.metadata.namespace}/${slice.metadata.labels[serviceName]}`]
          : [],
    }),
  ],
  access: [
    rule('', 'endpoints services', read),
    rule('', 'services/finalizers endpoints/finalizers', 'update'),
    rule('discovery.k8s.io', 'endpointslices', `${read} create update delete`),
    ...mayRecord,
  ],
  async reconcile(key, context) {
    const found = context.informers.informer(endpointsResource).get(key);
    const service = context.informers.informer(services).get(key);
    const namespace = key.slice(0, key.indexOf('/'));
    const name = key.slice(key.indexOf('/') + 1);
    const informer = context.informers.informer(endpointslices);
    informer.addIndex('mirror/service', (slice) =>
      slice.metadata.labels?.[managedBy] === manager
        ? [`${slice.metadata.namespace}/${slice.metadata.labels[serviceName]}`]
        : [],
    );
    const mine = [...informer.byIndex('mirror/service', key)];
    const applies =
      found !== undefined &&
      isMirrored(found) &&
      service !== undefined &&
      Object.keys(service.spec?.selector ?? {}).length === 0;
    for (const slice of applies ? mirrorOf(found) : []) {
      const at = mine.findIndex(
        (it) => it.addressType === slice.addressType && semanticEqual(it.ports ?? [], slice.ports ?? []),
      );
      const present = at < 0 ? undefined : mine.splice(at, 1)[0];
      if (!present)
        await context.client.create(endpointslices, sliceFor(found as Live<V1Endpoints>, namespace, name, slice));
      else if (!semanticEqual(present.endpoints, slice.endpoints)) {
        await context.client.update(endpointslices, { ...present, ...slice });
      }
    }
    for (const extra of mine) await context.client.delete(endpointslices, extra.metadata.name, { namespace });
    return undefined;
  },
};

function sliceFor(owner: Live<V1Endpoints>, namespace: string, name: string, slice: Slice): V1EndpointSlice {
  const { [leaderAnnotation]: _, ...annotations } = owner.metadata.annotations ?? {};
  const { 'kubectl.kubernetes.io/last-applied-configuration': __, ...kept } = annotations;
  return {
    ...slice,
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...owner.metadata.labels, [serviceName]: name, [managedBy]: manager },
      annotations: kept,
      ownerReferences: [controllerReference(endpointsResource, owner)],
    },
  };
}
