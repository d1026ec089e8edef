import { createHash } from 'node:crypto';
import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort, V1Pod } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { disjointCidrs } from '../addresses.ts';
import { namedPorts, peerMatches, policyTypes } from './allowed.ts';

/** What the kernel is to hold of the policies that isolate one node's pods: named things with content, so that two states compare. */
export interface PolicyRuleset {
  /** Chain to its rules; each holds what lets a packet through (`return`) and ends in `drop`. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Set to its type. */
  readonly sets: ReadonlyMap<string, string>;
  /** Set or map of the base to its elements (key to verdict; '' in a set). */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** The cluster as policies see it. Pods that have ended, or that use their host's network, are not among `pods`. */
export interface PolicyInput {
  readonly nodeName: string;
  readonly pods: readonly V1Pod[];
  readonly policies: readonly V1NetworkPolicy[];
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
}

export const verdictMaps = ['ingress-pods', 'egress-pods', 'ingress-pods6', 'egress-pods6'] as const;

type Direction = 'Ingress' | 'Egress';
interface Rule {
  readonly peers: readonly V1NetworkPolicyPeer[];
  readonly ports: readonly V1NetworkPolicyPort[];
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
const ipsOf = (pod: V1Pod): readonly string[] =>
  pod.status?.podIPs?.length ? pod.status.podIPs.map((it) => it.ip) : pod.status?.podIP ? [pod.status.podIP] : [];
const isSix = (ip: string): boolean => ip.includes(':');
const rulesOf = ({ spec }: V1NetworkPolicy, direction: Direction): readonly Rule[] =>
  direction === 'Ingress'
    ? (spec?.ingress ?? []).map((it) => ({ peers: it.from ?? [], ports: it.ports ?? [] }))
    : (spec?.egress ?? []).map((it) => ({ peers: it.to ?? [], ports: it.ports ?? [] }));

/**
 * The rules for the isolated pods of a node; they say what `allowed` says. Pods that are isolated alike share a chain, peers stand in sets,
 * so that a packet costs the same however many pods there are, and a pod that comes or goes is one element. Pure.
 */
export function policyRuleset(input: PolicyInput): PolicyRuleset {
  const chains = new Map<string, readonly string[]>();
  const sets = new Map<string, string>();
  const elements = new Map<string, Map<string, string>>(verdictMaps.map((name) => [name, new Map()]));
  const byNamespace = new Map<string, V1Pod[]>();
  for (const pod of input.pods) {
    const namespace = pod.metadata?.namespace ?? '';
    const list = byNamespace.get(namespace);
    if (list) list.push(pod);
    else byNamespace.set(namespace, [pod]);
  }
  /** Isolating policies by pod. */
  const isolated = { Ingress: new Map<V1Pod, V1NetworkPolicy[]>(), Egress: new Map<V1Pod, V1NetworkPolicy[]>() };
  for (const policy of input.policies) {
    const subject = requirementsOf(policy.spec?.podSelector ?? {});
    const types = policyTypes(policy);
    for (const pod of byNamespace.get(policy.metadata?.namespace ?? '') ?? []) {
      if (pod.spec?.nodeName !== input.nodeName || !matchesLabels(subject, pod.metadata?.labels)) continue;
      for (const direction of ['Ingress', 'Egress'] as const) {
        if (!types.includes(direction)) continue;
        const list = isolated[direction].get(pod);
        if (list) list.push(policy);
        else isolated[direction].set(pod, [policy]);
      }
    }
  }
  const addSet = (name: string, type: string, keys: Iterable<string>): void => {
    if (sets.has(name)) return;
    sets.set(name, type);
    elements.set(name, new Map([...keys].map((key) => [key, ''])));
  };
  const peersOf = (policy: V1NetworkPolicy, peers: readonly V1NetworkPolicyPeer[]): readonly V1Pod[] => {
    const namespace = policy.metadata?.namespace ?? '';
    const everywhere = peers.some((it) => it.namespaceSelector);
    const candidates = everywhere ? input.pods : (byNamespace.get(namespace) ?? []);
    return candidates.filter((pod) => peers.some((peer) => peerMatches(peer, namespace, pod, '', input)));
  };
  /** Matches on the other end's address; '' where any will do. */
  const peerMatch = (policy: V1NetworkPolicy, rule: Rule, id: string, direction: Direction, six: boolean): string[] => {
    if (rule.peers.length === 0) return [''];
    const address = `${six ? 'ip6' : 'ip'} ${direction === 'Ingress' ? 'saddr' : 'daddr'}`;
    const out: string[] = [];
    const byLabel = rule.peers.filter((it) => !it.ipBlock);
    if (byLabel.length > 0) {
      const name = `peers${six ? 6 : 4}-${id}`;
      const ips = peersOf(policy, byLabel).flatMap((pod) => ipsOf(pod).filter((ip) => isSix(ip) === six));
      addSet(name, six ? 'ipv6_addr' : 'ipv4_addr', ips);
      out.push(`${address} @${name} `);
    }
    for (const { ipBlock } of rule.peers) {
      if (!ipBlock || isSix(ipBlock.cidr) !== six) continue;
      const except = (ipBlock.except ?? []).filter((it) => isSix(it) === six);
      // A range of everything is no range that the kernel takes.
      const within = ipBlock.cidr.endsWith('/0') ? '' : `${address} ${ipBlock.cidr} `;
      out.push(`${within}${except.length > 0 ? `${address} != { ${disjointCidrs(except).join(', ')} } ` : ''}`);
    }
    return out;
  };
  const render = (
    policy: V1NetworkPolicy,
    direction: Direction,
    index: number,
    rule: Rule,
    pod: V1Pod,
    six: boolean,
  ) => {
    const { namespace = '', name = '' } = policy.metadata ?? {};
    const id = hash(`${namespace}/${name}/${direction}/${index}`);
    const out: string[] = [];
    const matches = peerMatch(policy, rule, id, direction, six);
    const fixed = portMatches(rule.ports, direction === 'Ingress' ? pod : undefined);
    for (const match of matches) for (const port of fixed) out.push(`${match}${port}return`);
    if (direction === 'Ingress') return out;
    // A name in an egress rule means another number at each pod that is reached: addresses and ports in pairs.
    const names = rule.ports.filter((it) => typeof it.port === 'string');
    if (names.length === 0) return out;
    const reached =
      rule.peers.length === 0 ? input.pods : input.pods.filter((it) => reachedBy(policy, rule, it, input));
    const keys = reached.flatMap((it) =>
      names.flatMap((port) => {
        const protocol = port.protocol ?? 'TCP';
        const numbers = namedPorts(it, String(port.port), protocol);
        const ips = ipsOf(it).filter((ip) => isSix(ip) === six);
        return ips.flatMap((ip) => numbers.map((number) => `${ip} . ${protocol.toLowerCase()} . ${number}`));
      }),
    );
    const set = `ports${six ? 6 : 4}-${id}`;
    addSet(set, `${six ? 'ipv6_addr' : 'ipv4_addr'} . inet_proto . inet_service`, keys);
    out.push(`${six ? 'ip6' : 'ip'} daddr . meta l4proto . th dport @${set} return`);
    return out;
  };
  for (const direction of ['Ingress', 'Egress'] as const) {
    for (const [pod, policies] of isolated[direction]) {
      for (const ip of ipsOf(pod)) {
        const six = isSix(ip);
        const rules = policies.flatMap((policy) =>
          rulesOf(policy, direction).flatMap((rule, index) => render(policy, direction, index, rule, pod, six)),
        );
        const body = [...new Set(rules), 'drop'];
        const chain = `${direction === 'Ingress' ? 'in' : 'out'}${six ? 6 : 4}-${hash(body.join('\n'))}`;
        chains.set(chain, body);
        elements
          .get(`${direction === 'Ingress' ? 'ingress' : 'egress'}-pods${six ? '6' : ''}`)
          ?.set(ip, `jump ${chain}`);
      }
    }
  }
  return { chains, sets, elements };
}

function reachedBy(policy: V1NetworkPolicy, rule: Rule, pod: V1Pod, input: PolicyInput): boolean {
  const namespace = policy.metadata?.namespace ?? '';
  return ipsOf(pod).some((ip) => rule.peers.some((peer) => peerMatches(peer, namespace, pod, ip, input)));
}

/** Matches on the port; '' where any will do. Names are those of `receiver`; without it they are left out. */
function portMatches(ports: readonly V1NetworkPolicyPort[], receiver: V1Pod | undefined): readonly string[] {
  if (ports.length === 0) return [''];
  const whole = new Set<string>();
  const numbers = new Map<string, Set<string>>();
  for (const { port, endPort, protocol: given } of ports) {
    const protocol = given ?? 'TCP';
    if (port === undefined) {
      whole.add(protocol);
      continue;
    }
    const set = numbers.get(protocol) ?? new Set();
    numbers.set(protocol, set);
    if (typeof port === 'number') set.add(endPort === undefined || endPort === port ? `${port}` : `${port}-${endPort}`);
    else for (const number of namedPorts(receiver, port, protocol)) set.add(`${number}`);
  }
  const out = [...whole].map((protocol) => `meta l4proto ${protocol.toLowerCase()} `);
  for (const [protocol, set] of numbers) {
    if (set.size === 0 || whole.has(protocol)) continue;
    // Ranges that meet are no set that the kernel takes: one rule each then.
    const plain = [...set].filter((it) => !it.includes('-'));
    const lower = protocol.toLowerCase();
    if (plain.length > 0) out.push(`${lower} dport { ${plain.join(', ')} } `);
    for (const range of set) if (range.includes('-')) out.push(`${lower} dport ${range} `);
  }
  return out;
}
