import type { Clock } from '../../base/clock.ts';
import { type Random, randomInt } from '../../base/random.ts';
import { inCidr } from '../addresses.ts';
import {
  type Endpoint,
  familyOf,
  type Protocol,
  type ProxyNode,
  type ServicePort,
  usableEndpoints,
} from './endpoints.ts';
import type { ServiceMap } from './service-map.ts';

export type Resolution =
  | { readonly kind: 'endpoint'; readonly ip: string; readonly port: number; readonly service: ServicePort }
  /** Nobody behind it: the connection is refused. */
  | { readonly kind: 'reject' }
  /** Policy Local and nobody here: packets vanish. */
  | { readonly kind: 'drop' };

export interface ServiceResolver {
  /** Where a connection to `ip:port` goes; undefined when it is no address of a service. */
  resolve(
    ip: string,
    port: number,
    protocol: Protocol,
    source: { readonly ip: string; readonly node: ProxyNode },
  ): Resolution | undefined;
}

/** Affinities remembered at a time; the oldest go first. */
const maxAffinities = 65_536;

/** Resolves service addresses as the kernel's rules would, for a network without a kernel. */
export function serviceResolver(options: {
  readonly map: ServiceMap;
  readonly clock: Clock;
  readonly random: Random;
  /** The nodes' own addresses, where node ports answer. */
  readonly nodeIps: () => ReadonlySet<string>;
}): ServiceResolver {
  const { map, clock, random, nodeIps } = options;
  const affinities = new Map<string, { readonly endpoint: string; at: number }>();

  const choose = (port: ServicePort, endpoints: readonly Endpoint[], client: string): Endpoint => {
    const pick = (): Endpoint => endpoints[randomInt(random, endpoints.length)] as Endpoint;
    if (port.affinitySeconds === 0) return pick();
    const key = `${port.key}|${client}`;
    const known = affinities.get(key);
    const now = clock.now();
    const same =
      known && now - known.at < port.affinitySeconds * 1000
        ? endpoints.find((it) => `${it.ip}:${it.port}` === known.endpoint)
        : undefined;
    const chosen = same ?? pick();
    affinities.delete(key);
    affinities.set(key, { endpoint: `${chosen.ip}:${chosen.port}`, at: now });
    if (affinities.size > maxAffinities) {
      const oldest = affinities.keys().next().value;
      if (oldest !== undefined) affinities.delete(oldest);
    }
    return chosen;
  };
  return {
    resolve(ip, port, protocol, source) {
      let service = map.byAddress(ip, protocol, port);
      let outside = service !== undefined && service.clusterIp !== ip;
      if (!service && nodeIps().has(ip)) {
        service = map.byNodePort(protocol, port, familyOf(ip));
        outside = true;
      }
      if (!service) return undefined;
      const found = service;
      if (
        found.loadBalancerIps.includes(ip) &&
        found.sourceRanges.length > 0 &&
        !found.sourceRanges.some((it) => inCidr(source.ip, it))
      ) {
        return { kind: 'drop' };
      }
      const endpoints = usableEndpoints(found, source.node, outside ? 'outside' : 'inside');
      if (endpoints.length === 0) {
        const local = outside ? found.externalLocal : found.internalLocal;
        const elsewhere = local && found.endpoints.some((it) => it.ready);
        return { kind: elsewhere ? 'drop' : 'reject' };
      }
      const endpoint = choose(found, endpoints, source.ip);
      return { kind: 'endpoint', ip: endpoint.ip, port: endpoint.port, service: found };
    },
  };
}
