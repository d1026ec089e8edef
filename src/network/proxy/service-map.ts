import type { V1EndpointSlice, V1Service } from '../../api/generated/types.ts';
import { type ServicePort, servicePorts } from './endpoints.ts';

/** Services and their endpoints, changed one by one, read as a whole. Holds for the rendering and for the simulation alike. */
export interface ServiceMap {
  setService(service: V1Service): void;
  removeService(namespace: string, name: string): void;
  setSlice(slice: V1EndpointSlice): void;
  removeSlice(namespace: string, name: string): void;
  /** All ports by key. */
  ports(): ReadonlyMap<string, ServicePort>;
  /** By `ip|protocol|port` of cluster, external and load-balancer addresses. */
  byAddress(ip: string, protocol: string, port: number): ServicePort | undefined;
  byNodePort(protocol: string, port: number, family: 'IPv4' | 'IPv6'): ServicePort | undefined;
  /** Keys of ports that were added, changed or removed since the last call. */
  takeChanged(): ReadonlySet<string>;
  /** Grows with every change. */
  readonly version: number;
}

export const serviceNameLabel = 'kubernetes.io/service-name';

export function serviceMap(): ServiceMap {
  const services = new Map<string, V1Service>();
  const slices = new Map<string, V1EndpointSlice>();
  const byService = new Map<string, Map<string, V1EndpointSlice>>();
  const ports = new Map<string, ServicePort>();
  const keysOf = new Map<string, readonly string[]>();
  const addresses = new Map<string, string>();
  const nodePorts = new Map<string, string>();
  const dirty = new Set<string>();
  const changed = new Set<string>();
  let version = 0;

  const touch = (key: string): void => {
    dirty.add(key);
    version++;
  };
  const frontends = (port: ServicePort): readonly string[] =>
    [port.clusterIp, ...port.externalIps, ...port.loadBalancerIps].map((ip) => `${ip}|${port.protocol}|${port.port}`);
  const refresh = (): void => {
    for (const key of dirty) {
      for (const old of keysOf.get(key) ?? []) {
        const port = ports.get(old);
        ports.delete(old);
        changed.add(old);
        if (!port) continue;
        for (const at of frontends(port)) if (addresses.get(at) === old) addresses.delete(at);
        if (port.nodePort) nodePorts.delete(`${port.protocol}|${port.nodePort}|${port.family}`);
      }
      const service = services.get(key);
      const next = service ? servicePorts(service, [...(byService.get(key)?.values() ?? [])]) : [];
      for (const port of next) {
        ports.set(port.key, port);
        changed.add(port.key);
        for (const at of frontends(port)) addresses.set(at, port.key);
        if (port.nodePort) nodePorts.set(`${port.protocol}|${port.nodePort}|${port.family}`, port.key);
      }
      if (next.length > 0)
        keysOf.set(
          key,
          next.map((it) => it.key),
        );
      else keysOf.delete(key);
    }
    dirty.clear();
  };
  const ownerOf = (slice: V1EndpointSlice): string | undefined => {
    const name = slice.metadata?.labels?.[serviceNameLabel];
    return name === undefined ? undefined : `${slice.metadata?.namespace}/${name}`;
  };
  const dropSlice = (key: string): void => {
    const old = slices.get(key);
    if (!old) return;
    slices.delete(key);
    const owner = ownerOf(old);
    if (owner === undefined) return;
    const own = byService.get(owner);
    own?.delete(key);
    if (own?.size === 0) byService.delete(owner);
    touch(owner);
  };
  return {
    setService(service) {
      const key = `${service.metadata?.namespace}/${service.metadata?.name}`;
      services.set(key, service);
      touch(key);
    },
    removeService(namespace, name) {
      services.delete(`${namespace}/${name}`);
      touch(`${namespace}/${name}`);
    },
    setSlice(slice) {
      const key = `${slice.metadata?.namespace}/${slice.metadata?.name}`;
      dropSlice(key);
      slices.set(key, slice);
      const owner = ownerOf(slice);
      if (owner === undefined) return;
      let own = byService.get(owner);
      if (!own) {
        own = new Map();
        byService.set(owner, own);
      }
      own.set(key, slice);
      touch(owner);
    },
    removeSlice: (namespace, name) => dropSlice(`${namespace}/${name}`),
    ports() {
      refresh();
      return ports;
    },
    byAddress(ip, protocol, port) {
      refresh();
      return ports.get(addresses.get(`${ip}|${protocol}|${port}`) ?? '');
    },
    byNodePort(protocol, port, family) {
      refresh();
      return ports.get(nodePorts.get(`${protocol}|${port}|${family}`) ?? '');
    },
    takeChanged() {
      refresh();
      const taken = new Set(changed);
      changed.clear();
      return taken;
    },
    get version() {
      return version;
    },
  };
}
