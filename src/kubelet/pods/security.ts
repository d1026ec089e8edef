import type { V1Container, V1Pod, V1SecurityContext } from '../../api/generated/types.ts';
import type { ContainerSecurityContext, NamespaceOptions, SecurityProfile } from '../../runtime/cri.ts';
import { formatPod, isHostNetwork } from './observed.ts';

const masked = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** The container's context over the pod's. Upstream: securitycontext.DetermineEffectiveSecurityContext. */
export function effectiveSecurityContext(pod: V1Pod, container: V1Container): V1SecurityContext {
  const base = pod.spec?.securityContext;
  return {
    ...(base?.runAsUser !== undefined && { runAsUser: base.runAsUser }),
    ...(base?.runAsGroup !== undefined && { runAsGroup: base.runAsGroup }),
    ...(base?.runAsNonRoot !== undefined && { runAsNonRoot: base.runAsNonRoot }),
    ...(base?.seccompProfile !== undefined && { seccompProfile: base.seccompProfile }),
    ...(base?.appArmorProfile !== undefined && { appArmorProfile: base.appArmorProfile }),
    ...container.securityContext,
  };
}

/** Throws with upstream's text where a container that must not run as root would or might. Upstream: verifyRunAsNonRoot. */
export function verifyRunAsNonRoot(
  pod: V1Pod,
  container: V1Container,
  imageUser: { readonly uid?: number; readonly username: string },
): void {
  const context = effectiveSecurityContext(pod, container);
  if (!context.runAsNonRoot) return;
  const where = `(pod: ${JSON.stringify(formatPod(pod))}, container: ${container.name})`;
  if (context.runAsUser !== undefined) {
    if (context.runAsUser === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  if (imageUser.uid === undefined && imageUser.username !== '')
    throw new Error(
      `container has runAsNonRoot and image has non-numeric user (${imageUser.username}), cannot verify user is non-root ${where}`,
    );
  if (imageUser.uid === 0) throw new Error(`container has runAsNonRoot and image will run as root ${where}`);
}

/** Why the pod's AppArmor profiles cannot be had on a machine without AppArmor; undefined where it asks for none. Upstream: pkg/security/apparmor. */
export function appArmorRefusal(pod: V1Pod): string | undefined {
  const profiles = [
    pod.spec?.securityContext?.appArmorProfile,
    ...[...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(
      (it) => it.securityContext?.appArmorProfile,
    ),
  ];
  return profiles.some((it) => it !== undefined && it.type !== 'Unconfined')
    ? 'AppArmor is not enabled on the host'
    : undefined;
}

/** Upstream: runtimeutil.NamespacesForPod. */
export function podNamespaces(pod: V1Pod): NamespaceOptions {
  return {
    ipc: pod.spec?.hostIPC ? 'NODE' : 'POD',
    network: isHostNetwork(pod) ? 'NODE' : 'POD',
    pid: pod.spec?.hostPID ? 'NODE' : pod.spec?.shareProcessNamespace ? 'POD' : 'CONTAINER',
  };
}

const profile = (
  it: { readonly type?: string; readonly localhostProfile?: string } | undefined,
  root = '',
): SecurityProfile => {
  switch (it?.type) {
    case 'RuntimeDefault':
      return { profileType: 'RuntimeDefault', localhostRef: '' };
    case 'Localhost':
      return { profileType: 'Localhost', localhostRef: `${root}${it.localhostProfile ?? ''}` };
    default:
      return { profileType: 'Unconfined', localhostRef: '' };
  }
};

/** A container's security as the runtime takes it. Upstream: determineEffectiveSecurityContext (kuberuntime). */
export function containerSecurity(
  pod: V1Pod,
  container: V1Container,
  image: { readonly uid?: number; readonly username: string },
  targetId: string | undefined,
  /** The kubelet's directory, below which `seccomp/` holds the node's profiles. */
  rootDir: string,
): ContainerSecurityContext {
  const context = effectiveSecurityContext(pod, container);
  const base = pod.spec?.securityContext;
  const namespaces = podNamespaces(pod);
  const privileged = context.privileged === true;
  const unmasked = context.procMount === 'Unmasked';
  return {
    namespaceOptions:
      targetId !== undefined && namespaces.pid === 'CONTAINER'
        ? { ...namespaces, pid: 'TARGET', targetId }
        : namespaces,
    privileged,
    ...(context.runAsUser !== undefined
      ? { runAsUser: context.runAsUser }
      : {
          ...(image.uid !== undefined && { runAsUser: image.uid }),
          ...(image.username !== '' && { runAsUsername: image.username }),
        }),
    ...(context.runAsGroup !== undefined && { runAsGroup: context.runAsGroup }),
    supplementalGroups: [...(base?.fsGroup !== undefined ? [base.fsGroup] : []), ...(base?.supplementalGroups ?? [])],
    ...(base?.supplementalGroupsPolicy !== undefined && {
      supplementalGroupsPolicy: base.supplementalGroupsPolicy as 'Merge' | 'Strict',
    }),
    readonlyRootfs: context.readOnlyRootFilesystem === true,
    addCapabilities: context.capabilities?.add ?? [],
    dropCapabilities: context.capabilities?.drop ?? [],
    noNewPrivs: context.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : masked,
    readonlyPaths: unmasked ? [] : readonlyPaths,
    seccomp: profile(context.seccompProfile, `${rootDir}/seccomp/`),
    ...(context.appArmorProfile && { apparmor: profile(context.appArmorProfile) }),
  };
}
