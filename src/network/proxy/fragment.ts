import { createHash } from 'node:crypto';
import { disjointCidrs } from '../addresses.ts';
import { type Endpoint, type ProxyNode, type ServicePort, usableEndpoints } from './endpoints.ts';

export type Family = 'ip' | 'ip6';

/** One element of a named map or set of the table; the value is '' in a set. */
export interface Element {
  readonly map: string;
  readonly key: string;
  readonly value: string;
}

/** What one service port needs in the kernel. Most ports need elements only, and so cost no chain of their own. */
export interface Fragment {
  readonly elements: readonly Element[];
  /** Chain to its rules; for ports with affinity, or whose outside and inside differ. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Set to its declaration; remembers clients for affinity. */
  readonly sets: ReadonlyMap<string, string>;
  /** Shared chains that must be there: by the way in, how many endpoints they spread over. */
  readonly spreads: readonly Spread[];
}

/** The shared chain for `count` endpoints, by how the packet came: to a cluster address, to another address of the service, to a node port. */
export interface Spread {
  readonly way: 'cluster' | 'address' | 'node';
  readonly count: number;
}

export interface FragmentOptions {
  readonly node: ProxyNode;
  /** The pods' address range of this family. */
  readonly clusterCidr?: string;
}

/** The packet mark that asks for masquerading. */
export const masqueradeMark = '0x4000';
export const markIt = `meta mark set meta mark | ${masqueradeMark}`;
export const spreadName = ({ way, count }: Spread): string => `${way}-${count}`;

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
const targetOf = (it: Endpoint): string => `${it.ip} . ${it.port}`;

/** Policy Local with endpoints elsewhere: packets vanish instead of being refused. */
const hidden = (port: ServicePort, local: boolean): boolean => local && port.endpoints.some((it) => it.ready);

/** The kernel's share of one service port. Pure. */
export function fragmentOf(port: ServicePort, options: FragmentOptions): Fragment {
  const family: Family = port.family === 'IPv4' ? 'ip' : 'ip6';
  const elements: Element[] = [];
  const chains = new Map<string, readonly string[]>();
  const sets = new Map<string, string>();
  const spreads: Spread[] = [];
  const put = (map: string, key: string, value = ''): void => void elements.push({ map, key, value });
  const protocol = port.protocol.toLowerCase();
  const inside = usableEndpoints(port, options.node, 'inside');
  const outside = usableEndpoints(port, options.node, 'outside');
  const external = [...port.externalIps, ...port.loadBalancerIps];
  const at = (ip: string): string => `${ip} . ${protocol} . ${port.port}`;
  const atNode = `${protocol} . ${port.nodePort}`;
  const exposed = external.length > 0 || port.nodePort > 0;
  const sticky = port.affinitySeconds > 0;
  const id = sticky || (exposed && port.externalLocal) ? hash(port.key) : '';

  /** Leads a frontend to endpoints by elements alone: which of the slots, says the shared chain. */
  const spread = (way: Spread['way'], key: string, list: readonly Endpoint[]): void => {
    spreads.push({ way, count: list.length });
    put(way === 'node' ? 'nodeports' : 'service-ips', key, `goto ${spreadName({ way, count: list.length })}`);
    list.forEach((it, slot) => {
      put(`${way === 'node' ? 'node-slot' : 'slot'}-${slot}`, key, targetOf(it));
    });
  };
  const ownChain = (name: string, before: readonly string[], list: readonly Endpoint[]): void => {
    chains.set(name, [...before, ...(sticky ? stickyRules(family, id, list) : [inlineSpread(family, protocol, list)])]);
  };
  for (const it of [...inside, ...outside]) {
    if (it.node === options.node.name || it.node === '') put('hairpin', `${it.ip} . ${it.ip}`);
    if (!sticky || sets.has(affinitySet(id, it))) continue;
    const type = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
    const life = `flags dynamic,timeout; timeout ${port.affinitySeconds}s; size 65535;`;
    sets.set(affinitySet(id, it), `type ${type}; ${life}`);
    chains.set(endpointChain(id, it), [
      `update @${affinitySet(id, it)} { ${family} saddr }`,
      `meta l4proto ${protocol} dnat to ${family === 'ip' ? it.ip : `[${it.ip}]`}:${it.port}`,
    ]);
  }
  const strangers = options.clusterCidr ? [`${family} saddr != ${options.clusterCidr} ${markIt}`] : [];
  if (inside.length > 0) {
    if (sticky) {
      ownChain(`svc-${id}`, strangers, inside);
      put('service-ips', at(port.clusterIp), `goto svc-${id}`);
    } else spread('cluster', at(port.clusterIp), inside);
  } else put(hidden(port, port.internalLocal) ? 'dropped' : 'no-endpoints', at(port.clusterIp));

  if (exposed && outside.length > 0) {
    if (sticky || port.externalLocal) {
      // Pods and the node itself may use every endpoint; strangers keep their address and find only the local ones.
      const all: string[] = [];
      if (port.externalLocal && inside.length > 0) {
        ownChain(`all-${id}`, [], inside);
        if (options.clusterCidr) all.push(`${family} saddr ${options.clusterCidr} goto all-${id}`);
        all.push(`fib saddr type local ${markIt}`, `fib saddr type local goto all-${id}`);
      }
      ownChain(`ext-${id}`, port.externalLocal ? all : [markIt], outside);
      for (const ip of external) put('service-ips', at(ip), `goto ext-${id}`);
      if (port.nodePort) put('nodeports', atNode, `goto ext-${id}`);
    } else {
      for (const ip of external) spread('address', at(ip), outside);
      if (port.nodePort) spread('node', atNode, outside);
    }
  } else if (exposed) {
    const drop = hidden(port, port.externalLocal);
    for (const ip of external) put(drop ? 'dropped' : 'no-endpoints', at(ip));
    if (port.nodePort) put(drop ? 'dropped-nodeports' : 'no-endpoints-nodeports', atNode);
  }
  if (port.sourceRanges.length > 0 && port.loadBalancerIps.length > 0) {
    const name = `fw-${hash(port.key)}`;
    chains.set(name, [`${family} saddr != { ${disjointCidrs(port.sourceRanges).join(', ')} } drop`]);
    for (const ip of port.loadBalancerIps) put('firewall-ips', at(ip), `goto ${name}`);
  }
  return { elements, chains, sets, spreads };
}

const endpointChain = (id: string, it: Endpoint): string => `ep-${id}-${hash(`${it.ip}|${it.port}`)}`;
const affinitySet = (id: string, it: Endpoint): string => `aff-${id}-${hash(`${it.ip}|${it.port}`)}`;

function stickyRules(family: Family, id: string, list: readonly Endpoint[]): readonly string[] {
  const known = list.map((it) => `${family} saddr @${affinitySet(id, it)} goto ${endpointChain(id, it)}`);
  const [only] = list;
  if (only && list.length === 1) return [`goto ${endpointChain(id, only)}`];
  const verdicts = list.map((it, i) => `${i} : goto ${endpointChain(id, it)}`);
  return [...known, `numgen random mod ${list.length} vmap { ${verdicts.join(', ')} }`];
}

function inlineSpread(family: Family, protocol: string, list: readonly Endpoint[]): string {
  const [only] = list;
  const to = `meta l4proto ${protocol} dnat ${family} to`;
  if (only && list.length === 1) return `${to} ${family === 'ip' ? only.ip : `[${only.ip}]`}:${only.port}`;
  const choices = list.map((it, i) => `${i} : ${targetOf(it)}`);
  return `${to} numgen random mod ${list.length} map { ${choices.join(', ')} }`;
}
