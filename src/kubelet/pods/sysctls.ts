import type { V1Pod } from '../../api/generated/types.ts';

/** The sysctls that are safe in every pod, by the namespace that holds them. Upstream: sysctl.SafeSysctlAllowlist. */
const safe: Readonly<Record<string, 'ipc' | 'net'>> = {
  'kernel.shm_rmid_forced': 'ipc',
  'net.ipv4.ip_local_port_range': 'net',
  'net.ipv4.tcp_syncookies': 'net',
  'net.ipv4.ping_group_range': 'net',
  'net.ipv4.ip_unprivileged_port_start': 'net',
  'net.ipv4.ip_local_reserved_ports': 'net',
  'net.ipv4.tcp_keepalive_time': 'net',
  'net.ipv4.tcp_fin_timeout': 'net',
  'net.ipv4.tcp_keepalive_intvl': 'net',
  'net.ipv4.tcp_keepalive_probes': 'net',
  'net.ipv4.tcp_rmem': 'net',
  'net.ipv4.tcp_wmem': 'net',
};

/** A sysctl's name with dots: `net/ipv4/x` and `net.ipv4.x` are the same (component-helpers NormalizeName). */
export function sysctlName(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== '/') return name;
  return name.replaceAll(/[./]/g, (it) => (it === '/' ? '.' : '/'));
}

/** Why the pod may not have its sysctls; undefined = it may. Upstream: pkg/kubelet/sysctl/allowlist.go. */
export function forbiddenSysctl(pod: V1Pod): string | undefined {
  for (const { name } of pod.spec?.securityContext?.sysctls ?? []) {
    const plain = sysctlName(name);
    const namespace = safe[plain];
    if (!namespace) return `forbidden sysctl: ${JSON.stringify(plain)} not allowlisted`;
    const shared = namespace === 'ipc' ? pod.spec?.hostIPC : pod.spec?.hostNetwork;
    if (shared) return `forbidden sysctl: ${JSON.stringify(plain)} not allowed with host ${namespace} enabled`;
  }
  return undefined;
}
