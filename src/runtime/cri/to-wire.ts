import type {
  ContainerConfig,
  ContainerFilter,
  LinuxResources,
  Mount,
  NamespaceOptions,
  PodSandboxConfig,
  SecurityProfile,
} from '../cri.ts';

/** CRI messages from our shapes: the same fields, but wrapped numbers, nested Linux parts and lists of key and value. */
const number = (value: number | undefined) => (value === undefined ? undefined : { value });
const namespaces = (it: NamespaceOptions) => ({
  network: it.network,
  pid: it.pid,
  ipc: it.ipc,
  targetId: it.targetId ?? '',
});
const profile = (it: SecurityProfile | undefined) =>
  it && { profileType: it.profileType, localhostRef: it.localhostRef };

export const resourcesToWire = (it: LinuxResources | undefined) =>
  it && { ...it, hugepageLimits: it.hugepageLimits ?? [], unified: it.unified ?? {} };

export function sandboxToWire(config: PodSandboxConfig): object {
  const { linux } = config;
  const context = linux.securityContext;
  return {
    metadata: config.metadata,
    // A pod in the host's network has the host's name too; runtimes refuse to set it there.
    hostname: context.namespaceOptions.network === 'NODE' ? '' : config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: config.dnsConfig,
    portMappings: config.portMappings,
    labels: config.labels,
    annotations: config.annotations,
    linux: {
      cgroupParent: linux.cgroupParent,
      sysctls: linux.sysctls,
      overhead: resourcesToWire(linux.overhead),
      resources: resourcesToWire(linux.resources),
      securityContext: {
        namespaceOptions: namespaces(context.namespaceOptions),
        runAsUser: number(context.runAsUser),
        runAsGroup: number(context.runAsGroup),
        readonlyRootfs: context.readonlyRootfs,
        supplementalGroups: context.supplementalGroups,
        privileged: context.privileged,
        seccomp: profile(context.seccomp),
      },
    },
  };
}

const mount = (it: Mount) => ({
  containerPath: it.containerPath,
  hostPath: it.image ? '' : it.hostPath,
  readonly: it.readonly,
  selinuxRelabel: it.selinuxRelabel ?? false,
  propagation: `PROPAGATION_${it.propagation}`,
  recursiveReadOnly: it.recursiveReadOnly ?? false,
  image: it.image,
  imageSubPath: it.imageSubPath ?? '',
});

export function containerToWire(config: ContainerConfig): object {
  const context = config.linux.securityContext;
  return {
    metadata: config.metadata,
    image: config.image,
    command: config.command,
    args: config.args,
    workingDir: config.workingDir,
    envs: config.envs,
    mounts: config.mounts.map(mount),
    devices: config.devices,
    labels: config.labels,
    annotations: config.annotations,
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: resourcesToWire(config.linux.resources),
      securityContext: {
        capabilities: { addCapabilities: context.addCapabilities, dropCapabilities: context.dropCapabilities },
        privileged: context.privileged,
        namespaceOptions: namespaces(context.namespaceOptions),
        runAsUser: number(context.runAsUser),
        runAsGroup: number(context.runAsGroup),
        runAsUsername: context.runAsUsername ?? '',
        readonlyRootfs: context.readonlyRootfs,
        supplementalGroups: context.supplementalGroups,
        supplementalGroupsPolicy: context.supplementalGroupsPolicy ?? 'Merge',
        noNewPrivs: context.noNewPrivs,
        maskedPaths: context.maskedPaths,
        readonlyPaths: context.readonlyPaths,
        seccomp: profile(context.seccomp),
        apparmor: profile(context.apparmor),
      },
    },
  };
}

export const containerFilter = (filter: ContainerFilter | undefined): object =>
  filter
    ? {
        id: filter.id ?? '',
        podSandboxId: filter.podSandboxId ?? '',
        labelSelector: filter.labels ?? {},
        ...(filter.state && { state: { state: `CONTAINER_${filter.state}` } }),
      }
    : {};
