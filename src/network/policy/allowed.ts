import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort, V1Pod } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { inCidr } from '../addresses.ts';

/** What policies are judged by. */
export interface PolicyWorld {
  /** Of one namespace. */
  policies(namespace: string): readonly V1NetworkPolicy[];
  /** The pod that has the address in the pod network; pods on the host's network have none of their own. */
  podByIp(ip: string): V1Pod | undefined;
  namespaceLabels(namespace: string): Readonly<Record<string, string>>;
  /** Addresses of nodes: their traffic to pods is never stopped, or the kubelet could not probe. */
  isNode(ip: string): boolean;
}

export interface Flow {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

export interface PolicyVerdict {
  readonly allowed: boolean;
  /** Who refused: the policies that isolate the pod and of which none lets the flow through, as `namespace/name`. */
  readonly direction?: 'Ingress' | 'Egress';
  readonly isolatedBy?: readonly string[];
}

const pass: PolicyVerdict = { allowed: true };

/** Whether NetworkPolicies let a connection be made (networking.k8s.io/v1, NetworkPolicySpec). Replies always pass. Pure. */
export function allowed(flow: Flow, world: PolicyWorld): PolicyVerdict {
  if (flow.source === flow.destination) return pass;
  const from = onPodNetwork(world.podByIp(flow.source));
  const to = onPodNetwork(world.podByIp(flow.destination));
  if (from) {
    const verdict = judge('Egress', from, to, flow.destination, flow, to, world);
    if (!verdict.allowed) return verdict;
  }
  if (!to || (!from && world.isNode(flow.source))) return pass;
  return judge('Ingress', to, from, flow.source, flow, to, world);
}

const onPodNetwork = (pod: V1Pod | undefined): V1Pod | undefined => (pod?.spec?.hostNetwork ? undefined : pod);

function judge(
  direction: 'Ingress' | 'Egress',
  subject: V1Pod,
  peer: V1Pod | undefined,
  peerIp: string,
  flow: Flow,
  receiver: V1Pod | undefined,
  world: PolicyWorld,
): PolicyVerdict {
  const namespace = subject.metadata?.namespace ?? '';
  const isolating: string[] = [];
  for (const policy of world.policies(namespace)) {
    const { spec } = policy;
    if (!spec || !policyTypes(policy).includes(direction)) continue;
    if (!matchesLabels(requirementsOf(spec.podSelector ?? {}), subject.metadata?.labels)) continue;
    isolating.push(`${namespace}/${policy.metadata?.name}`);
    const rules =
      direction === 'Ingress'
        ? (spec.ingress ?? []).map((it) => ({ peers: it.from ?? [], ports: it.ports ?? [] }))
        : (spec.egress ?? []).map((it) => ({ peers: it.to ?? [], ports: it.ports ?? [] }));
    for (const { peers, ports } of rules) {
      if (ports.length > 0 && !ports.some((it) => portMatches(it, flow, receiver))) continue;
      if (peers.length === 0 || peers.some((it) => peerMatches(it, namespace, peer, peerIp, world))) return pass;
    }
  }
  return isolating.length === 0 ? pass : { allowed: false, direction, isolatedBy: isolating };
}

/** Absent: Ingress always, Egress when there are egress rules. */
export const policyTypes = ({ spec }: V1NetworkPolicy): readonly string[] =>
  spec?.policyTypes ?? ((spec?.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']);

/** Whether a peer of a rule means this address, held by this pod (if by any). `namespace` is the policy's. */
export function peerMatches(
  peer: V1NetworkPolicyPeer,
  namespace: string,
  pod: V1Pod | undefined,
  ip: string,
  world: Pick<PolicyWorld, 'namespaceLabels'>,
): boolean {
  if (peer.ipBlock) {
    return inCidr(ip, peer.ipBlock.cidr) && !(peer.ipBlock.except ?? []).some((it) => inCidr(ip, it));
  }
  if (!pod) return false;
  const own = pod.metadata?.namespace ?? '';
  const home = peer.namespaceSelector
    ? matchesLabels(requirementsOf(peer.namespaceSelector), world.namespaceLabels(own))
    : own === namespace;
  return home && matchesLabels(requirementsOf(peer.podSelector ?? {}), pod.metadata?.labels);
}

function portMatches(rule: V1NetworkPolicyPort, flow: Flow, receiver: V1Pod | undefined): boolean {
  if ((rule.protocol ?? 'TCP') !== flow.protocol) return false;
  if (rule.port === undefined) return true;
  if (typeof rule.port === 'number') {
    return rule.endPort === undefined ? flow.port === rule.port : flow.port >= rule.port && flow.port <= rule.endPort;
  }
  return namedPorts(receiver, rule.port, flow.protocol).includes(flow.port);
}

/** The numbers that a pod's containers give to a port's name, sidecars among them. */
export function namedPorts(pod: V1Pod | undefined, name: string, protocol: string): readonly number[] {
  const sidecars = (pod?.spec?.initContainers ?? []).filter((it) => it.restartPolicy === 'Always');
  return [...(pod?.spec?.containers ?? []), ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((it) => it.name === name && (it.protocol ?? 'TCP') === protocol)
      .map((it) => it.containerPort),
  );
}
