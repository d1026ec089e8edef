import type { DnsPlugin, Handler } from '../chain.ts';
import { answer, type ZoneOptions } from '../cluster-zone.ts';
import { CorefileError } from '../corefile.ts';
import { canonicalName, type DnsAnswer, isBelow, reverseAddress } from '../records.ts';

/** The cluster's own names. */
export const kubernetesPlugin: DnsPlugin = {
  name: 'kubernetes',
  async setup({ args, body, line }, { zones, data }) {
    const served = args.length > 0 ? args.map(canonicalName) : zones;
    const forward = served.filter((it) => !it.endsWith('arpa'));
    const reverse = served.filter((it) => it.endsWith('arpa'));
    let options: Omit<ZoneOptions, 'zone'> = { ttl: 5, pods: 'disabled' };
    let through: readonly string[] | undefined;
    for (const it of body) {
      switch (it.name) {
        case 'pods': {
          const mode = it.args[0];
          if (mode !== 'disabled' && mode !== 'insecure' && mode !== 'verified') {
            throw new CorefileError(
              it.line,
              `kubernetes: pods ${mode ?? ''} is not one of disabled, insecure, verified`,
            );
          }
          options = { ...options, pods: mode };
          break;
        }
        case 'ttl': {
          const ttl = Number(it.args[0]);
          if (!(ttl >= 0 && ttl <= 3600))
            throw new CorefileError(it.line, 'kubernetes: ttl must be in range [0, 3600]');
          options = { ...options, ttl };
          break;
        }
        case 'endpoint_pod_names':
          options = { ...options, endpointPodNames: true };
          break;
        case 'fallthrough':
          through = it.args.map(canonicalName);
          break;
        case 'noendpoints':
        case 'ignore':
        case 'upstream':
          break;
        default:
          throw new CorefileError(
            it.line,
            `kubernetes: ${it.name} is not supported: the cluster is the one it runs in`,
          );
      }
    }
    const zone = forward[0];
    if (zone === undefined) throw new CorefileError(line, 'kubernetes: needs a zone');
    const passes = (name: string): boolean =>
      through !== undefined && (through.length === 0 || through.some((it) => isBelow(name, it)));
    return (next) => async (request) => {
      const name = canonicalName(request.name);
      if (reverseAddress(name) !== undefined) {
        if (!reverse.some((it) => isBelow(name, it))) return next(request);
        const found = answer(request, data, { ...options, zone });
        if (found) return found;
        if (passes(name)) return next(request);
        return { rcode: 'NXDOMAIN', authoritative: true, answers: [], authorities: [], additionals: [] };
      }
      const own = forward.find((it) => isBelow(name, it));
      if (own === undefined) return next(request);
      const found = answer(request, data, { ...options, zone: own });
      if (!found || (found.rcode === 'NXDOMAIN' && passes(name))) return next(request);
      return chase(found, request, next, (query) => answer(query, data, { ...options, zone: own }));
    };
  },
};

/** Adds what an ExternalName's target resolves to, as CoreDNS does for addresses. */
async function chase(
  found: DnsAnswer,
  request: Parameters<Handler>[0],
  next: Handler,
  local: (query: { readonly name: string; readonly type: string }) => DnsAnswer | undefined,
): Promise<DnsAnswer> {
  const alias = found.answers[0];
  if (alias?.type !== 'CNAME' || (request.type !== 'A' && request.type !== 'AAAA')) return found;
  const target = { ...request, name: alias.data };
  const more = local(target) ?? (await next(target));
  return { ...found, answers: [...found.answers, ...more.answers] };
}
