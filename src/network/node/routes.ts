import type { V1Node } from '../../api/generated/types.ts';

/** The mark (rtnetlink protocol) on routes of ours, by which they are found again; free in iproute2's rt_protos. */
export const routeProtocol = '158';

/** A range of pod addresses and the node that has it. */
export interface PodRoute {
  readonly cidr: string;
  readonly via: string;
}

const v6 = (text: string): boolean => text.includes(':');

/** How pods on other nodes are reached: each node's ranges by way of its internal address of the same family. Pure. */
export function podRoutes(nodes: readonly V1Node[], self: string): readonly PodRoute[] {
  const out: PodRoute[] = [];
  for (const { metadata, spec, status } of nodes) {
    if (metadata?.name === self) continue;
    const addresses = (status?.addresses ?? []).filter((it) => it.type === 'InternalIP').map((it) => it.address);
    const cidrs = spec?.podCIDRs?.length ? spec.podCIDRs : spec?.podCIDR ? [spec.podCIDR] : [];
    for (const cidr of cidrs) {
      const via = addresses.find((it) => v6(it) === v6(cidr));
      if (via !== undefined && via !== '127.0.0.1') out.push({ cidr, via });
    }
  }
  return out.sort((a, b) => (a.cidr < b.cidr ? -1 : 1));
}

/** Arguments of ip(8) that lead from the routes there are to those there should be. Pure. */
export function routeChanges(
  present: readonly PodRoute[],
  wanted: readonly PodRoute[],
): readonly (readonly string[])[] {
  const has = (list: readonly PodRoute[], it: PodRoute): boolean =>
    list.some((other) => other.cidr === it.cidr && other.via === it.via);
  const family = (it: PodRoute): readonly string[] => (v6(it.cidr) ? ['-6'] : []);
  return [
    ...present
      .filter((it) => !wanted.some((other) => other.cidr === it.cidr))
      .map((it) => [...family(it), 'route', 'del', it.cidr, 'proto', routeProtocol]),
    ...wanted
      .filter((it) => !has(present, it))
      .map((it) => [...family(it), 'route', 'replace', it.cidr, 'via', it.via, 'proto', routeProtocol]),
  ];
}

/** The routes of ours in what `ip route show proto …` prints. */
export function parseRoutes(text: string): readonly PodRoute[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\S+) via (\S+)/.exec(line.trim());
    return match ? [{ cidr: match[1] ?? '', via: match[2] ?? '' }] : [];
  });
}
