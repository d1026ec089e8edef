import { namespaces, networkpolicies, pods } from '../../api/generated/resources.ts';
import type { V1NetworkPolicy, V1Pod } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Informer, InformerSet } from '../../client/informer.ts';
import { allowed, type PolicyWorld } from '../../network/policy/allowed.ts';
import type { ProxyNode } from '../../network/proxy/endpoints.ts';
import { followServices } from '../../network/proxy/follow-services.ts';
import { serviceResolver } from '../../network/proxy/resolve.ts';
import { serviceMap } from '../../network/proxy/service-map.ts';
import type { SimNetworkHooks } from '../../runtime/sim/net/sim-network.ts';

const addressIndex = 'sim/pod-address';
const none: Readonly<Record<string, string>> = Object.freeze({});

/** The addresses that a pod has in the pod network now. */
function addressesOf({ spec, status }: Live<V1Pod>): readonly string[] {
  if (spec?.hostNetwork || status?.phase === 'Succeeded' || status?.phase === 'Failed') return [];
  return (status?.podIPs ?? []).map(({ ip }) => ip);
}

function policyWorld(
  informers: InformerSet,
  policies: Informer<V1NetworkPolicy>,
  isNode: (ip: string) => boolean,
): PolicyWorld {
  const allPods = informers.informer(pods);
  const allNamespaces = informers.informer(namespaces);
  allPods.addIndex(addressIndex, addressesOf);
  return {
    policies: (namespace) => policies.byIndex('namespace', namespace),
    podByIp: (ip) => allPods.byIndex(addressIndex, ip)[0],
    namespaceLabels: (name) => allNamespaces.get(name)?.metadata.labels ?? none,
    isNode,
  };
}

/** Services and NetworkPolicies of the cluster for the virtual network, from the same logic that programs a real node. */
export function clusterHooks(options: {
  readonly informers: InformerSet;
  readonly clock: Clock;
  readonly random: Random;
  readonly nodeIps: () => ReadonlySet<string>;
  readonly node: (name: string) => ProxyNode;
  readonly signal: AbortSignal;
}): Required<Pick<SimNetworkHooks, 'resolveService' | 'allow'>> & { whenSynced(): Promise<void> } {
  const { informers, clock, random, nodeIps, node } = options;
  const map = serviceMap();
  const stop = followServices(informers, map, () => undefined);
  options.signal.addEventListener('abort', stop, { once: true });
  const resolver = serviceResolver({ map, clock, random, nodeIps });
  const policies = informers.informer(networkpolicies);
  const world = policyWorld(informers, policies, (ip) => nodeIps().has(ip));
  return {
    whenSynced: () => informers.whenSynced(),
    resolveService(ip, port, protocol, source) {
      const found = resolver.resolve(ip, port, protocol, { ip: source.ip, node: node(source.node) });
      return found?.kind === 'endpoint' ? { ip: found.ip, port: found.port } : found?.kind;
    },
    allow: (source, destination, port, protocol) =>
      policies.list().length === 0 || allowed({ source, destination, port, protocol }, world).allowed,
  };
}
