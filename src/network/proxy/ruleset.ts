import { createHash } from 'node:crypto';
import { type Endpoint, type ProxyNode, type ServicePort, usableEndpoints } from './endpoints.ts';

/** What the kernel is to hold for one address family: named things with their content, so that two states can be compared. */
export interface Ruleset {
  readonly family: 'ip' | 'ip6';
  /** Chain to its rules. Base chains are not among them. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Set to its declaration; for client affinity. */
  readonly sets: ReadonlyMap<string, string>;
  /** Map or set of the base to its elements (key to value; '' in a set). */
  readonly elements: ReadonlyMap<BaseMap, ReadonlyMap<string, string>>;
}

export const baseMaps = [
  'service-ips',
  'nodeports',
  'firewall-ips',
  'no-endpoints',
  'no-endpoints-nodeports',
  'dropped',
  'dropped-nodeports',
] as const;
export type BaseMap = (typeof baseMaps)[number];

export interface RulesetOptions {
  readonly node: ProxyNode;
  /** The pods' address range: what comes from outside it is masqueraded on its way to a cluster address. */
  readonly clusterCidr?: string;
}

/** The packet mark that asks for masquerading. */
export const masqueradeMark = '0x4000';
const markIt = `meta mark set meta mark | ${masqueradeMark}`;

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** The rules of all service ports of a family. Pure. */
export function rulesetOf(ports: Iterable<ServicePort>, family: 'ip' | 'ip6', options: RulesetOptions): Ruleset {
  const chains = new Map<string, readonly string[]>();
  const sets = new Map<string, string>();
  const elements = new Map<BaseMap, Map<string, string>>(baseMaps.map((name) => [name, new Map()]));
  const put = (map: BaseMap, key: string, value: string): void => void elements.get(map)?.set(key, value);
  const wanted = family === 'ip' ? 'IPv4' : 'IPv6';
  for (const port of ports) {
    if (port.family !== wanted) continue;
    const id = hash(port.key);
    const protocol = port.protocol.toLowerCase();
    const inside = usableEndpoints(port, options.node, 'inside');
    const outside = usableEndpoints(port, options.node, 'outside');
    const external = [...port.externalIps, ...port.loadBalancerIps];
    const at = (ip: string): string => `${ip} . ${protocol} . ${port.port}`;
    const atNode = `${protocol} . ${port.nodePort}`;
    const balance = (chain: string, list: readonly Endpoint[], before: readonly string[]): void => {
      chains.set(chain, [...before, ...affinityRules(family, id, port, list), ...spreadRules(id, list)]);
    };
    for (const endpoint of [...inside, ...outside]) {
      const chain = endpointChain(id, endpoint);
      if (chains.has(chain)) continue;
      const rules = [`${family} saddr ${endpoint.ip} ${markIt}`];
      if (port.affinitySeconds > 0) {
        const set = affinitySet(id, endpoint);
        const type = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
        sets.set(set, `type ${type}; flags dynamic,timeout; timeout ${port.affinitySeconds}s; size 65535;`);
        rules.push(`update @${set} { ${family} saddr }`);
      }
      const target = family === 'ip' ? `${endpoint.ip}:${endpoint.port}` : `[${endpoint.ip}]:${endpoint.port}`;
      rules.push(`meta l4proto ${protocol} dnat to ${target}`);
      chains.set(chain, rules);
    }
    if (inside.length > 0) {
      const from = options.clusterCidr
        ? [`${family} daddr ${port.clusterIp} ${family} saddr != ${options.clusterCidr} ${markIt}`]
        : [];
      balance(`svc-${id}`, inside, from);
      put('service-ips', at(port.clusterIp), `goto svc-${id}`);
    } else put(hidden(port, port.internalLocal) ? 'dropped' : 'no-endpoints', at(port.clusterIp), '');
    if (outside.length > 0) {
      if (port.externalLocal) {
        // Pods and the node itself may use every endpoint; strangers keep their address and find only the local ones.
        const own =
          inside.length > 0 && options.clusterCidr ? [`${family} saddr ${options.clusterCidr} goto svc-${id}`] : [];
        const local =
          inside.length > 0 ? [`fib saddr type local ${markIt}`, `fib saddr type local goto svc-${id}`] : [];
        balance(`ext-${id}`, outside, [...own, ...local]);
      } else balance(`ext-${id}`, outside, [markIt]);
      for (const ip of external) put('service-ips', at(ip), `goto ext-${id}`);
      if (port.nodePort) put('nodeports', atNode, `goto ext-${id}`);
    } else {
      const drop = hidden(port, port.externalLocal);
      for (const ip of external) put(drop ? 'dropped' : 'no-endpoints', at(ip), '');
      if (port.nodePort) put(drop ? 'dropped-nodeports' : 'no-endpoints-nodeports', atNode, '');
    }
    if (port.sourceRanges.length > 0 && port.loadBalancerIps.length > 0) {
      chains.set(`fw-${id}`, [`${family} saddr != { ${port.sourceRanges.join(', ')} } drop`]);
      for (const ip of port.loadBalancerIps) put('firewall-ips', at(ip), `goto fw-${id}`);
    }
  }
  return { family, chains, sets, elements };
}

/** Policy Local with endpoints elsewhere: packets vanish instead of being refused. */
const hidden = (port: ServicePort, local: boolean): boolean => local && port.endpoints.some((it) => it.ready);

const endpointChain = (id: string, it: Endpoint): string => `ep-${id}-${hash(`${it.ip}|${it.port}`)}`;
const affinitySet = (id: string, it: Endpoint): string => `aff-${id}-${hash(`${it.ip}|${it.port}`)}`;

const affinityRules = (family: string, id: string, port: ServicePort, list: readonly Endpoint[]): readonly string[] =>
  port.affinitySeconds === 0
    ? []
    : list.map((it) => `${family} saddr @${affinitySet(id, it)} goto ${endpointChain(id, it)}`);

function spreadRules(id: string, list: readonly Endpoint[]): readonly string[] {
  const [only] = list;
  if (only && list.length === 1) return [`goto ${endpointChain(id, only)}`];
  const verdicts = list.map((it, i) => `${i} : goto ${endpointChain(id, it)}`);
  return [`numgen random mod ${list.length} vmap { ${verdicts.join(', ')} }`];
}
