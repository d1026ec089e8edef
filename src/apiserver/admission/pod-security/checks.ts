import type { V1Container, V1EphemeralContainer, V1Pod, V1Volume } from '../../../api/generated/types.ts';
import type { Loose } from '../../../kinds/draft.ts';
import { quote } from '../../authz/quote.ts';

/** What one check finds wrong with a pod. */
export interface Violation {
  /** `privileged`, `host namespaces`. */
  readonly reason: string;
  /** `container "c" must not set securityContext.privileged=true`. */
  readonly detail: string;
}

/** The parts of a pod that a check looks at. */
export type CheckedPod = Pick<Loose<V1Pod>, 'metadata' | 'spec'>;
type Container = Loose<V1Container> | Loose<V1EphemeralContainer>;

export interface Check {
  /** Upstream's id; checks of a level run in the order of their ids. */
  readonly id: string;
  readonly level: 'baseline' | 'restricted';
  /** The baseline check that this one stands for at the restricted level. */
  readonly replaces?: string;
  run(pod: CheckedPod): Violation | undefined;
}

export const containersOf = (pod: CheckedPod): readonly Container[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
  ...(pod.spec?.ephemeralContainers ?? []),
];

const quoted = (items: Iterable<string | undefined>): string => [...items].map((item) => quote(item ?? '')).join(', ');
const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`);
const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort();

/** `container "a"` or `containers "a", "b"`. */
const named = (containers: readonly Container[]): string =>
  `${plural('container', containers.length)} ${quoted(containers.map((container) => container.name))}`;

const offenders = (pod: CheckedPod, bad: (container: Container) => boolean): readonly Container[] =>
  containersOf(pod).filter(bad);
const found = (reason: string, detail: string): Violation => ({ reason, detail });
const isWindows = (pod: CheckedPod): boolean => pod.spec?.os?.name === 'windows';

const defaultCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);
const selinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);
const freeVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

const appArmor: Check = {
  id: 'appArmorProfile',
  level: 'baseline',
  run(pod) {
    const profiles: string[] = [];
    const where: string[] = [];
    if (pod.spec?.securityContext?.appArmorProfile?.type === 'Unconfined') {
      where.push('pod');
      profiles.push('"Unconfined"');
    }
    const bad = offenders(pod, (container) => container.securityContext?.appArmorProfile?.type === 'Unconfined');
    if (bad.length > 0) {
      where.push(named(bad));
      profiles.push('"Unconfined"');
    }
    const annotations = Object.entries(pod.metadata?.annotations ?? {})
      .filter(([key]) => key.startsWith('container.apparmor.security.beta.kubernetes.io/'))
      .filter(([, value]) => value !== '' && value !== 'runtime/default' && !value?.startsWith('localhost/'))
      .map(([key, value]) => `${quote(`${key}=${value}`)}`)
      .sort();
    if (where.length === 0 && annotations.length === 0) return undefined;
    const details = [
      ...(where.length > 0
        ? [`${where.join(' and ')} must not set AppArmor profile type to ${sorted(profiles).join(', ')}`]
        : []),
      ...(annotations.length > 0 ? [`${plural('annotation', annotations.length)} ${annotations.join(', ')}`] : []),
    ];
    return found(`forbidden AppArmor ${plural('profile', where.length + annotations.length)}`, details.join('; '));
  },
};

const baselineCapabilities: Check = {
  id: 'capabilities_baseline',
  level: 'baseline',
  run(pod) {
    const forbidden = (container: Container): string[] =>
      (container.securityContext?.capabilities?.add ?? []).filter((name) => !defaultCapabilities.has(name));
    const bad = offenders(pod, (container) => forbidden(container).length > 0);
    if (bad.length === 0) return undefined;
    const names = sorted(bad.flatMap(forbidden));
    return found(
      'non-default capabilities',
      `${named(bad)} must not include ${quoted(names)} in securityContext.capabilities.add`,
    );
  },
};

const hostNamespaces: Check = {
  id: 'hostNamespaces',
  level: 'baseline',
  run(pod) {
    const { hostNetwork, hostPID, hostIPC } = pod.spec ?? {};
    const set = [
      ...(hostNetwork ? ['hostNetwork=true'] : []),
      ...(hostPID ? ['hostPID=true'] : []),
      ...(hostIPC ? ['hostIPC=true'] : []),
    ];
    return set.length > 0 ? found('host namespaces', set.join(', ')) : undefined;
  },
};

const hostPath: Check = {
  id: 'hostPathVolumes',
  level: 'baseline',
  run(pod) {
    const bad = (pod.spec?.volumes ?? []).filter((volume) => volume.hostPath).map((volume) => volume.name);
    return bad.length > 0 ? found('hostPath volumes', `${plural('volume', bad.length)} ${quoted(bad)}`) : undefined;
  },
};

const hostPorts: Check = {
  id: 'hostPorts',
  level: 'baseline',
  run(pod) {
    const portsOf = (container: Container): number[] =>
      (container.ports ?? []).map((port) => port.hostPort ?? 0).filter((port) => port !== 0);
    const bad = offenders(pod, (container) => portsOf(container).length > 0);
    if (bad.length === 0) return undefined;
    const ports = sorted(bad.flatMap(portsOf).map(String));
    const verb = bad.length === 1 ? 'uses' : 'use';
    return found('hostPort', `${named(bad)} ${verb} ${plural('hostPort', ports.length)} ${ports.join(', ')}`);
  },
};

const probeHosts: Check = {
  id: 'hostProbesAndHostLifecycle',
  level: 'baseline',
  run(pod) {
    const hosts = (container: Container): string[] => {
      const handlers = [
        container.livenessProbe,
        container.readinessProbe,
        container.startupProbe,
        container.lifecycle?.postStart,
        container.lifecycle?.preStop,
      ];
      return handlers
        .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
        .filter((host): host is string => host !== undefined && host !== '');
    };
    const bad = offenders(pod, (container) => hosts(container).length > 0);
    if (bad.length === 0) return undefined;
    const verb = bad.length === 1 ? 'uses' : 'use';
    const names = sorted(bad.flatMap(hosts));
    return found(
      'probe or lifecycle host',
      `${named(bad)} ${verb} probe or lifecycle ${plural('host', names.length)} ${quoted(names)}`,
    );
  },
};

const privileged: Check = {
  id: 'privileged',
  level: 'baseline',
  run(pod) {
    const bad = offenders(pod, (container) => container.securityContext?.privileged === true);
    return bad.length > 0
      ? found('privileged', `${named(bad)} must not set securityContext.privileged=true`)
      : undefined;
  },
};

const procMount: Check = {
  id: 'procMount',
  level: 'baseline',
  run(pod) {
    if (pod.spec?.hostUsers === false) return undefined;
    const mountOf = (container: Container): string => container.securityContext?.procMount ?? 'Default';
    const bad = offenders(pod, (container) => mountOf(container) !== 'Default');
    if (bad.length === 0) return undefined;
    const types = sorted(bad.map(mountOf));
    return found('procMount', `${named(bad)} must not set securityContext.procMount to ${quoted(types)}`);
  },
};

const selinux: Check = {
  id: 'seLinuxOptions',
  level: 'baseline',
  run(pod) {
    const types: string[] = [];
    let user = false;
    let role = false;
    const look = (options: { type?: string; user?: string; role?: string } | undefined): boolean => {
      const badType = options?.type !== undefined && !selinuxTypes.has(options.type);
      if (badType && options?.type !== undefined) types.push(options.type);
      user ||= Boolean(options?.user);
      role ||= Boolean(options?.role);
      return badType || Boolean(options?.user) || Boolean(options?.role);
    };
    const inPod = look(pod.spec?.securityContext?.seLinuxOptions);
    const bad = offenders(pod, (container) => look(container.securityContext?.seLinuxOptions));
    if (!inPod && bad.length === 0) return undefined;
    const setters = [...(inPod ? ['pod'] : []), ...(bad.length > 0 ? [named(bad)] : [])];
    const names = sorted(types);
    const problems = [
      ...(names.length > 0 ? [`${plural('type', names.length)} ${quoted(names)}`] : []),
      ...(user ? ['user may not be set'] : []),
      ...(role ? ['role may not be set'] : []),
    ];
    return found(
      'seLinuxOptions',
      `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${problems.join('; ')}`,
    );
  },
};

const baselineSeccomp: Check = {
  id: 'seccompProfile_baseline',
  level: 'baseline',
  run(pod) {
    const typeOf = (holder: { seccompProfile?: { type?: string } } | undefined): string | undefined =>
      holder?.seccompProfile?.type;
    const wrong = (type: string | undefined): boolean =>
      type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost';
    const podType = typeOf(pod.spec?.securityContext);
    const bad = offenders(pod, (container) => wrong(typeOf(container.securityContext)));
    const where = [...(wrong(podType) ? ['pod'] : []), ...(bad.length > 0 ? [named(bad)] : [])];
    if (where.length === 0) return undefined;
    const types = sorted(
      [...(wrong(podType) ? [podType] : []), ...bad.map((container) => typeOf(container.securityContext))].map(
        (type) => type ?? '',
      ),
    );
    return found(
      'seccompProfile',
      `${where.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
    );
  },
};

const sysctls: Check = {
  id: 'sysctls',
  level: 'baseline',
  run(pod) {
    const bad = (pod.spec?.securityContext?.sysctls ?? [])
      .map((sysctl) => sysctl.name ?? '')
      .filter((name) => !safeSysctls.has(name));
    return bad.length > 0 ? found('forbidden sysctls', bad.join(', ')) : undefined;
  },
};

const hostProcess: Check = {
  id: 'windowsHostProcess',
  level: 'baseline',
  run(pod) {
    const inPod = pod.spec?.securityContext?.windowsOptions?.hostProcess === true;
    const bad = offenders(pod, (container) => container.securityContext?.windowsOptions?.hostProcess === true);
    const where = [...(inPod ? ['pod'] : []), ...(bad.length > 0 ? [named(bad)] : [])];
    if (where.length === 0) return undefined;
    return found('hostProcess', `${where.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`);
  },
};

const privilegeEscalation: Check = {
  id: 'allowPrivilegeEscalation',
  level: 'restricted',
  run(pod) {
    if (isWindows(pod)) return undefined;
    const bad = offenders(pod, (container) => container.securityContext?.allowPrivilegeEscalation !== false);
    return bad.length > 0
      ? found(
          'allowPrivilegeEscalation != false',
          `${named(bad)} must set securityContext.allowPrivilegeEscalation=false`,
        )
      : undefined;
  },
};

const restrictedCapabilities: Check = {
  id: 'capabilities_restricted',
  level: 'restricted',
  replaces: 'capabilities_baseline',
  run(pod) {
    if (isWindows(pod)) return undefined;
    const undropped = offenders(pod, (container) => !container.securityContext?.capabilities?.drop?.includes('ALL'));
    const added = (container: Container): string[] =>
      (container.securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
    const adding = offenders(pod, (container) => added(container).length > 0);
    const details = [
      ...(undropped.length > 0 ? [`${named(undropped)} must set securityContext.capabilities.drop=["ALL"]`] : []),
      ...(adding.length > 0
        ? [
            `${named(adding)} must not include ${quoted(sorted(adding.flatMap(added)))} in securityContext.capabilities.add`,
          ]
        : []),
    ];
    return details.length > 0 ? found('unrestricted capabilities', details.join('; ')) : undefined;
  },
};

const restrictedVolumes: Check = {
  id: 'restrictedVolumes',
  level: 'restricted',
  replaces: 'hostPathVolumes',
  run(pod) {
    const typeOf = (volume: Loose<V1Volume>): string | undefined =>
      Object.entries(volume).find(([key, value]) => key !== 'name' && value !== undefined && value !== null)?.[0];
    const bad = (pod.spec?.volumes ?? []).filter((volume) => !freeVolumes.has(typeOf(volume) ?? 'emptyDir'));
    if (bad.length === 0) return undefined;
    const types = sorted(bad.map((volume) => typeOf(volume) ?? ''));
    const uses = bad.length === 1 ? 'uses' : 'use';
    return found(
      'restricted volume types',
      `${plural('volume', bad.length)} ${quoted(bad.map((volume) => volume.name))} ${uses} restricted volume ${plural('type', types.length)} ${quoted(types)}`,
    );
  },
};

const runAsNonRoot: Check = {
  id: 'runAsNonRoot',
  level: 'restricted',
  run(pod) {
    if (pod.spec?.hostUsers === false) return undefined;
    const podSays = pod.spec?.securityContext?.runAsNonRoot;
    const denying = offenders(pod, (container) => container.securityContext?.runAsNonRoot === false);
    const wrong = [...(podSays === false ? ['pod'] : []), ...(denying.length > 0 ? [named(denying)] : [])];
    if (wrong.length > 0) {
      return found('runAsNonRoot != true', `${wrong.join(' and ')} must not set securityContext.runAsNonRoot=false`);
    }
    if (podSays === true) return undefined;
    const silent = offenders(pod, (container) => container.securityContext?.runAsNonRoot === undefined);
    return silent.length > 0
      ? found('runAsNonRoot != true', `pod or ${named(silent)} must set securityContext.runAsNonRoot=true`)
      : undefined;
  },
};

const runAsUser: Check = {
  id: 'runAsUser',
  level: 'restricted',
  run(pod) {
    if (pod.spec?.hostUsers === false) return undefined;
    const bad = offenders(pod, (container) => container.securityContext?.runAsUser === 0);
    const where = [
      ...(pod.spec?.securityContext?.runAsUser === 0 ? ['pod'] : []),
      ...(bad.length > 0 ? [named(bad)] : []),
    ];
    return where.length > 0 ? found('runAsUser=0', `${where.join(' and ')} must not set runAsUser=0`) : undefined;
  },
};

const restrictedSeccomp: Check = {
  id: 'seccompProfile_restricted',
  level: 'restricted',
  replaces: 'seccompProfile_baseline',
  run(pod) {
    if (isWindows(pod)) return undefined;
    const wrong = baselineSeccomp.run(pod);
    if (wrong) return wrong;
    if (pod.spec?.securityContext?.seccompProfile?.type !== undefined) return undefined;
    const silent = offenders(pod, (container) => container.securityContext?.seccompProfile?.type === undefined);
    return silent.length > 0
      ? found(
          'seccompProfile',
          `pod or ${named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
        )
      : undefined;
  },
};

export const checks: readonly Check[] = Object.freeze([
  appArmor,
  baselineCapabilities,
  hostNamespaces,
  hostPath,
  hostPorts,
  probeHosts,
  privileged,
  procMount,
  selinux,
  baselineSeccomp,
  sysctls,
  hostProcess,
  privilegeEscalation,
  restrictedCapabilities,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  restrictedSeccomp,
]);
