import type { V1EndpointSlice, V1Service } from '../../api/generated/types.ts';

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** One address and port behind a service. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** '' where not known. */
  readonly node: string;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

/** One port of a service with all its frontends and endpoints. */
export interface ServicePort {
  /** `namespace/name:port` (`namespace/name` where the port has no name), with the protocol. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly portName: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6';
  readonly clusterIp: string;
  /** 0 = none. */
  readonly nodePort: number;
  readonly externalIps: readonly string[];
  readonly loadBalancerIps: readonly string[];
  /** CIDRs that may use the load balancer's addresses; empty = all. */
  readonly sourceRanges: readonly string[];
  /** Seconds that a client stays with its endpoint; 0 = no affinity. */
  readonly affinitySeconds: number;
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  readonly endpoints: readonly Endpoint[];
}

/** Where traffic enters: decides what "local" and "near" mean. */
export interface ProxyNode {
  readonly name: string;
  readonly zone: string;
}

export const familyOf = (ip: string): 'IPv4' | 'IPv6' => (ip.includes(':') ? 'IPv6' : 'IPv4');

/** The ports of a service with their endpoints; none for headless, ExternalName and services of another proxy. */
export function servicePorts(service: V1Service, slices: readonly V1EndpointSlice[]): readonly ServicePort[] {
  const { metadata, spec } = service;
  const ips = spec?.clusterIPs?.length ? spec.clusterIPs : spec?.clusterIP ? [spec.clusterIP] : [];
  if (!spec || spec.type === 'ExternalName' || ips.length === 0 || ips[0] === 'None') return [];
  if (metadata?.labels?.['service.kubernetes.io/service-proxy-name'] !== undefined) return [];
  const out: ServicePort[] = [];
  const ingress = (service.status?.loadBalancer?.ingress ?? []).filter((it) => it.ip && it.ipMode !== 'Proxy');
  for (const clusterIp of ips) {
    const family = familyOf(clusterIp);
    const own = (list: readonly string[]): readonly string[] => list.filter((it) => familyOf(it) === family);
    for (const port of spec.ports ?? []) {
      const portName = port.name ?? '';
      const protocol = (port.protocol ?? 'TCP') as Protocol;
      out.push({
        key: `${metadata?.namespace}/${metadata?.name}${portName ? `:${portName}` : ''}/${protocol}/${family}`,
        namespace: metadata?.namespace ?? '',
        name: metadata?.name ?? '',
        portName,
        protocol,
        port: port.port,
        family,
        clusterIp,
        nodePort: port.nodePort ?? 0,
        externalIps: own(spec.externalIPs ?? []),
        loadBalancerIps: own(ingress.map((it) => it.ip ?? '')),
        sourceRanges: own(spec.loadBalancerSourceRanges ?? []),
        affinitySeconds:
          spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0,
        internalLocal: spec.internalTrafficPolicy === 'Local',
        externalLocal:
          (spec.type === 'NodePort' || spec.type === 'LoadBalancer') && spec.externalTrafficPolicy === 'Local',
        endpoints: endpointsOf(slices, portName, protocol, family),
      });
    }
  }
  return out;
}

function endpointsOf(
  slices: readonly V1EndpointSlice[],
  portName: string,
  protocol: Protocol,
  family: 'IPv4' | 'IPv6',
): readonly Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.addressType !== family) continue;
    for (const port of slice.ports ?? []) {
      if ((port.name ?? '') !== portName || (port.protocol ?? 'TCP') !== protocol || !port.port) continue;
      for (const it of slice.endpoints ?? []) {
        const ip = it.addresses[0];
        if (!ip) continue;
        const ready = it.conditions?.ready ?? true;
        found.set(`${ip}:${port.port}`, {
          ip,
          port: port.port,
          ready,
          serving: it.conditions?.serving ?? ready,
          terminating: it.conditions?.terminating ?? false,
          node: it.nodeName ?? '',
          zoneHints: (it.hints?.forZones ?? []).map((hint) => hint.name),
          nodeHints: (it.hints?.forNodes ?? []).map((hint) => hint.name),
        });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : a.port - b.port));
}

/**
 * The endpoints that traffic entering at `node` may go to (pkg/proxy/topology.go, CategorizeEndpoints): the ready ones, and
 * when none is, those that terminate but still serve; narrowed to the node where the policy is Local, else to its zone (or the
 * node itself) where hints allow.
 */
export function usableEndpoints(port: ServicePort, node: ProxyNode, from: 'inside' | 'outside'): readonly Endpoint[] {
  const local = from === 'inside' ? port.internalLocal : port.externalLocal;
  const candidates = local ? port.endpoints.filter((it) => it.node === node.name) : port.endpoints;
  const ready = candidates.filter((it) => it.ready);
  if (ready.length === 0) return candidates.filter((it) => it.serving && it.terminating);
  return local ? ready : near(ready, node);
}

function near(ready: readonly Endpoint[], node: ProxyNode): readonly Endpoint[] {
  // Hints count only when every endpoint has one, so that none is left without traffic during a roll-out of hints.
  if (ready.every((it) => it.nodeHints.length > 0)) {
    const same = ready.filter((it) => it.nodeHints.includes(node.name));
    if (same.length > 0) return same;
  }
  if (node.zone === '' || !ready.every((it) => it.zoneHints.length > 0)) return ready;
  const zone = ready.filter((it) => it.zoneHints.includes(node.zone));
  return zone.length > 0 ? zone : ready;
}
