import type { V1Pod } from '../../api/generated/types.ts';
import { dns1123Label, dns1123Subdomain } from '../../api/names.ts';

/** Upstream: GeneratePodHostNameAndDomain. Throws for names that are no DNS labels. */
export function podHostname(pod: V1Pod, clusterDomain: string): { readonly hostname: string; readonly domain: string } {
  const name = pod.metadata?.name ?? '';
  const within = (hostname: string): string => {
    if (hostname.length <= 63) return hostname;
    const cut = hostname.slice(0, 63).replace(/[-.]+$/, '');
    if (cut === '')
      throw new Error(`hostname for pod ${JSON.stringify(name)} was invalid: ${JSON.stringify(hostname)}`);
    return cut;
  };
  const override = pod.spec?.hostnameOverride;
  if (override !== undefined) {
    const errors = dns1123Subdomain(override);
    if (errors.length > 0)
      throw new Error(
        `pod HostnameOverride ${JSON.stringify(override)} is not a valid DNS subdomain: ${errors.join(';')}`,
      );
    return { hostname: within(override), domain: '' };
  }
  const wanted = pod.spec?.hostname;
  if (wanted) {
    const errors = dns1123Label(wanted);
    if (errors.length > 0)
      throw new Error(`pod Hostname ${JSON.stringify(wanted)} is not a valid DNS label: ${errors.join(';')}`);
  }
  const subdomain = pod.spec?.subdomain;
  if (subdomain) {
    const errors = dns1123Label(subdomain);
    if (errors.length > 0)
      throw new Error(`pod Subdomain ${JSON.stringify(subdomain)} is not a valid DNS label: ${errors.join(';')}`);
  }
  return {
    hostname: within(wanted || name),
    domain: subdomain ? `${subdomain}.${pod.metadata?.namespace}.svc.${clusterDomain}` : '',
  };
}

/** The name the kernel is told: the full one when asked for, if it fits its 64 bytes. Upstream: GetNodenameForKernel. */
export function kernelHostname(hostname: string, domain: string, asFqdn: boolean | undefined): string {
  if (!asFqdn || domain === '') return hostname;
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length > 64)
    throw new Error(
      `Failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (64 is the max characters allowed)`,
    );
  return fqdn;
}

const aliases = (pod: V1Pod): string => {
  const list = pod.spec?.hostAliases ?? [];
  if (list.length === 0) return '';
  return `\n# Entries added by HostAliases.\n${list.map((it) => `${it.ip}\t${(it.hostnames ?? []).join('\t')}\n`).join('')}`;
};

/** The pod's /etc/hosts. `nodeFile` is the node's own, for pods in its network. Upstream: managedHostsFileContent. */
export function hostsFile(
  pod: V1Pod,
  ips: readonly string[],
  hostname: string,
  domain: string,
  nodeFile: string | undefined,
): string {
  if (nodeFile !== undefined) return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${aliases(pod)}`;
  const own = ips.map((ip) => (domain === '' ? `${ip}\t${hostname}\n` : `${ip}\t${hostname}.${domain}\t${hostname}\n`));
  return [
    '# Kubernetes-managed hosts file.\n',
    '127.0.0.1\tlocalhost\n',
    '::1\tlocalhost ip6-localhost ip6-loopback\n',
    'fe00::0\tip6-localnet\n',
    'fe00::0\tip6-mcastprefix\n',
    'fe00::1\tip6-allnodes\n',
    'fe00::2\tip6-allrouters\n',
    ...own,
    aliases(pod),
  ].join('');
}
