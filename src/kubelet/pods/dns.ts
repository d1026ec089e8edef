import type { V1Pod } from '../../api/generated/types.ts';
import { formatPod, isHostNetwork } from './observed.ts';

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface DnsInput {
  readonly pod: V1Pod;
  /** The node's own resolver configuration. */
  readonly host: DnsConfig;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
}

/** A configuration, and what the pod's owner should hear (reason and text of Warning events). */
export interface DnsResult {
  readonly config: DnsConfig;
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
}

const maxServers = 3;
const maxSearches = 32;
const maxSearchChars = 2048;

const unique = (items: readonly string[]): string[] => [...new Set(items)];

/** Reads resolv.conf. Upstream: parseResolvConf. */
export function parseResolvConf(text: string): DnsConfig {
  const servers: string[] = [];
  let searches: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (line.trim().startsWith('#')) continue;
    if (fields[0] === 'nameserver' && fields[1]) servers.push(fields[1]);
    if (fields[0] === 'search')
      searches = fields
        .slice(1)
        .filter((it) => it !== '.')
        .map((it) => it.replace(/\.$/, ''));
    if (fields[0] === 'options')
      for (const option of fields.slice(1)) options.set(option.split(':')[0] ?? option, option);
  }
  return { servers, searches, options: [...options.values()] };
}

const mergeOptions = (
  existing: readonly string[],
  more: readonly { readonly name?: string; readonly value?: string }[],
): string[] => {
  const merged = new Map<string, string>();
  for (const option of existing) {
    const colon = option.indexOf(':');
    merged.set(colon < 0 ? option : option.slice(0, colon), colon < 0 ? '' : option.slice(colon + 1));
  }
  for (const option of more) merged.set(option.name ?? '', option.value ?? '');
  return [...merged].map(([name, value]) => (value === '' ? name : `${name}:${value}`));
};

/** The pod's resolver. Upstream: pkg/kubelet/network/dns GetPodDNS. */
export function podDns(input: DnsInput): DnsResult {
  const { pod, host, clusterDns, clusterDomain } = input;
  const warnings: { reason: string; message: string }[] = [];
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  const kind =
    policy === 'None'
      ? 'none'
      : policy === 'Default' || (policy === 'ClusterFirst' && isHostNetwork(pod))
        ? 'host'
        : 'cluster';
  let config = host;
  if (kind === 'none') config = { servers: [], searches: [], options: [] };
  else if (kind === 'cluster' && clusterDns.length > 0) {
    const own =
      clusterDomain === ''
        ? []
        : [`${pod.metadata?.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
    config = { servers: clusterDns, searches: unique([...own, ...host.searches]), options: ['ndots:5'] };
  } else if (kind === 'cluster')
    warnings.push({
      reason: 'MissingClusterDNS',
      message: `pod: ${JSON.stringify(formatPod(pod))}. kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.`,
    });
  const own = pod.spec?.dnsConfig;
  if (own)
    config = {
      servers: unique([...config.servers, ...(own.nameservers ?? [])]),
      searches: unique([...config.searches, ...(own.searches ?? [])]),
      options: mergeOptions(config.options, own.options ?? []),
    };
  let { servers, searches } = config;
  if (servers.length > maxServers) {
    servers = servers.slice(0, maxServers);
    warnings.push({
      reason: 'DNSConfigForming',
      message: `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`,
    });
  }
  const fitting = searches.slice(0, maxSearches).filter((it) => it.length <= 253);
  while (fitting.join(' ').length > maxSearchChars) fitting.pop();
  if (fitting.length < searches.length) {
    searches = fitting;
    warnings.push({
      reason: 'DNSConfigForming',
      message: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`,
    });
  }
  return { config: { servers, searches, options: config.options }, warnings };
}
