import type { ServicePort } from './endpoints.ts';

/** A flow entry of the kernel to be forgotten, as arguments of conntrack(8). */
export type FlowDeletion = readonly string[];

/**
 * UDP has no end of connection: the kernel would send datagrams to endpoints that are gone, or nowhere after a service got its
 * first. Which entries to forget when ports change from `before` to `after`. Pure.
 */
export function staleFlows(
  before: ReadonlyMap<string, ServicePort>,
  after: ReadonlyMap<string, ServicePort>,
  changed: Iterable<string>,
): readonly FlowDeletion[] {
  const out: FlowDeletion[] = [];
  for (const key of changed) {
    const [old, next] = [before.get(key), after.get(key)];
    if ((old ?? next)?.protocol !== 'UDP') continue;
    const frontends = (port: ServicePort): readonly (readonly string[])[] => [
      ...[port.clusterIp, ...port.externalIps, ...port.loadBalancerIps].map((ip) => [
        '--orig-dst',
        ip,
        '--dport',
        String(port.port),
      ]),
      ...(port.nodePort ? [['--dport', String(port.nodePort)]] : []),
    ];
    const usable = (port: ServicePort | undefined) => (port?.endpoints ?? []).filter((it) => it.ready || it.serving);
    if (old && usable(old).length === 0 && next && usable(next).length > 0) {
      for (const match of frontends(next)) out.push(['-D', '-p', 'udp', ...match]);
      continue;
    }
    if (!old) continue;
    const kept = new Set(usable(next).map((it) => it.ip));
    for (const endpoint of usable(old)) {
      if (kept.has(endpoint.ip)) continue;
      for (const match of frontends(old)) out.push(['-D', '-p', 'udp', ...match, '--dst-nat', endpoint.ip]);
    }
  }
  return out;
}
