import { endpointslices, namespaces, pods, services } from '../../api/generated/resources.ts';
import type { V1EndpointSlice, V1Pod, V1Service } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import type { InformerSet } from '../../client/informer.ts';
import { canonicalIp } from './records.ts';

/** What the cluster's names are made of. */
export interface ZoneData {
  hasNamespace(name: string): boolean;
  service(namespace: string, name: string): V1Service | undefined;
  slices(namespace: string, service: string): readonly V1EndpointSlice[];
  /** The service whose cluster address this is. */
  serviceByIp(ip: string): V1Service | undefined;
  /** Slices that hold the address. */
  slicesByIp(ip: string): readonly V1EndpointSlice[];
  podByIp(namespace: string, ip: string): V1Pod | undefined;
}

const serviceLabel = 'kubernetes.io/service-name';
const clusterIps = (service: V1Service): readonly string[] =>
  (service.spec?.clusterIPs ?? (service.spec?.clusterIP ? [service.spec.clusterIP] : [])).filter((it) => it !== 'None');
const sliceIps = (slice: V1EndpointSlice): readonly string[] =>
  (slice.endpoints ?? []).flatMap((it) => it.addresses.map(canonicalIp));
const sliceOwner = (slice: V1EndpointSlice): string =>
  `${slice.metadata?.namespace}/${slice.metadata?.labels?.[serviceLabel] ?? ''}`;

/** Zone data from informers, indexed so that a query costs a few look-ups. Pods are watched only where asked for. */
export function liveZoneData(
  informers: InformerSet,
  options: { readonly pods: boolean },
): ZoneData & { whenSynced(): Promise<void> } {
  const all = {
    namespaces: informers.informer(namespaces),
    services: informers.informer(services),
    slices: informers.informer(endpointslices),
  };
  const podInformer = options.pods ? informers.informer(pods) : undefined;
  all.services.addIndex('dns/cluster-ip', (it) => clusterIps(it).map(canonicalIp));
  all.slices.addIndex('dns/service', (it) => [sliceOwner(it)]);
  all.slices.addIndex('dns/ip', sliceIps);
  podInformer?.addIndex('dns/ip', (it: Live<V1Pod>) =>
    (it.status?.podIPs ?? []).map((ip) => `${it.metadata.namespace}/${canonicalIp(ip.ip)}`),
  );
  return {
    whenSynced: async () => {
      await Promise.all(Object.values(all).map((it) => it.whenSynced()));
      await podInformer?.whenSynced();
    },
    hasNamespace: (name) => all.namespaces.get(name) !== undefined,
    service: (namespace, name) => all.services.get(`${namespace}/${name}`),
    slices: (namespace, service) => all.slices.byIndex('dns/service', `${namespace}/${service}`),
    serviceByIp: (ip) => all.services.byIndex('dns/cluster-ip', canonicalIp(ip))[0],
    slicesByIp: (ip) => all.slices.byIndex('dns/ip', canonicalIp(ip)),
    podByIp: (namespace, ip) => podInformer?.byIndex('dns/ip', `${namespace}/${canonicalIp(ip)}`)[0],
  };
}

/** Zone data of plain objects. */
export function zoneDataOf(parts: {
  readonly namespaces: readonly string[];
  readonly services: readonly V1Service[];
  readonly slices: readonly V1EndpointSlice[];
  readonly pods?: readonly V1Pod[];
}): ZoneData {
  const known = new Set(parts.namespaces);
  return {
    hasNamespace: (name) => known.has(name),
    service: (namespace, name) =>
      parts.services.find((it) => it.metadata?.namespace === namespace && it.metadata?.name === name),
    slices: (namespace, service) => parts.slices.filter((it) => sliceOwner(it) === `${namespace}/${service}`),
    serviceByIp: (ip) => parts.services.find((it) => clusterIps(it).map(canonicalIp).includes(canonicalIp(ip))),
    slicesByIp: (ip) => parts.slices.filter((it) => sliceIps(it).includes(canonicalIp(ip))),
    podByIp: (namespace, ip) =>
      (parts.pods ?? []).find(
        (it) =>
          it.metadata?.namespace === namespace &&
          (it.status?.podIPs ?? []).some((own) => canonicalIp(own.ip) === canonicalIp(ip)),
      ),
  };
}
