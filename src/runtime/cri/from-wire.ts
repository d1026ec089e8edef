import type {
  ContainerState,
  ContainerStats,
  ContainerStatus,
  ContainerSummary,
  Image,
  LinuxResources,
  Mount,
  NamespaceMode,
  PodSandboxMetadata,
  PodSandboxStatus,
} from '../cri.ts';

/** What the loader makes of CRI messages: camelCase, every field there, 64-bit numbers as text, absent messages null. */
type Labels = Readonly<Record<string, string>>;
interface WireNumber {
  readonly value: string;
}
interface WireNamespaces {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  readonly targetId: string;
}
export interface WireSandbox {
  readonly id: string;
  readonly metadata: PodSandboxMetadata;
  readonly state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
  readonly createdAt: string;
  readonly network?: { readonly ip: string; readonly additionalIps: readonly { readonly ip: string }[] } | null;
  readonly linux?: { readonly namespaces: { readonly options: WireNamespaces | null } | null } | null;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly runtimeHandler: string;
}
export interface WireContainer {
  readonly id: string;
  readonly podSandboxId: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: { readonly image: string } | null;
  readonly imageRef: string;
  readonly state: `CONTAINER_${ContainerState}`;
  readonly createdAt: string;
  readonly labels: Labels;
  readonly annotations: Labels;
}
type WireMount = Omit<Mount, 'propagation'> & { readonly propagation: string };
export interface WireContainerStatus extends WireContainer {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly mounts: readonly WireMount[];
  readonly logPath: string;
  readonly resources: { readonly linux: Readonly<Record<string, string>> | null } | null;
  readonly user: {
    readonly linux: {
      readonly uid: string;
      readonly gid: string;
      readonly supplementalGroups: readonly string[];
    } | null;
  } | null;
}
export interface WireImage {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly size: string;
  readonly uid: WireNumber | null;
  readonly username: string;
  readonly pinned: boolean;
}
export interface WireStats {
  readonly attributes: {
    readonly id: string;
    readonly metadata: { readonly name: string; readonly attempt: number };
    readonly labels: Labels;
  };
  readonly cpu: { readonly timestamp: string; readonly usageCoreNanoSeconds: WireNumber | null } | null;
  readonly memory: {
    readonly timestamp: string;
    readonly workingSetBytes: WireNumber | null;
    readonly usageBytes: WireNumber | null;
    readonly rssBytes: WireNumber | null;
  } | null;
  readonly writableLayer: { readonly usedBytes: WireNumber | null; readonly inodesUsed: WireNumber | null } | null;
}

/** Nanoseconds as text to milliseconds, to the microsecond. */
const millis = (nanos: string): number => (nanos === '' || nanos === '0' ? 0 : Number(BigInt(nanos) / 1000n) / 1000);
const amount = (it: WireNumber | null | undefined): number => Number(it?.value ?? 0);

export function sandboxFromWire(it: WireSandbox): PodSandboxStatus {
  const options = it.linux?.namespaces?.options;
  return {
    id: it.id,
    metadata: it.metadata,
    state: it.state === 'SANDBOX_READY' ? 'READY' : 'NOTREADY',
    createdAt: millis(it.createdAt),
    ips: it.network?.ip ? [it.network.ip, ...it.network.additionalIps.map((one) => one.ip)] : [],
    namespaceOptions: options ?? { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
    labels: it.labels,
    annotations: it.annotations,
    runtimeHandler: it.runtimeHandler,
  };
}

export function containerFromWire(it: WireContainer): ContainerSummary {
  return {
    id: it.id,
    podSandboxId: it.podSandboxId,
    metadata: it.metadata,
    image: { image: it.image?.image ?? '' },
    imageRef: it.imageRef,
    state: it.state.slice('CONTAINER_'.length) as ContainerState,
    createdAt: millis(it.createdAt),
    labels: it.labels,
    annotations: it.annotations,
  };
}

/** Runtimes that do not report resources leave zeros; these mean: unknown. */
function resourcesFromWire(it: Readonly<Record<string, string>> | null | undefined): LinuxResources | undefined {
  if (!it) return undefined;
  const known = ['cpuPeriod', 'cpuQuota', 'cpuShares', 'memoryLimitInBytes'].filter(
    (key) => Number(it[key] ?? 0) !== 0,
  );
  return known.length === 0 ? undefined : Object.fromEntries(known.map((key) => [key, Number(it[key])]));
}

export function statusFromWire(it: WireContainerStatus, podSandboxId: string): ContainerStatus {
  const resources = resourcesFromWire(it.resources?.linux);
  const user = it.user?.linux;
  return {
    ...containerFromWire(it),
    podSandboxId,
    startedAt: millis(it.startedAt),
    // A process of a moment can have ended before the daemon notes that it has started.
    finishedAt: millis(it.finishedAt) === 0 ? 0 : Math.max(millis(it.finishedAt), millis(it.startedAt)),
    exitCode: it.exitCode,
    reason: it.reason,
    message: it.message,
    logPath: it.logPath,
    mounts: it.mounts.map((mount) => ({
      ...mount,
      propagation: mount.propagation.slice('PROPAGATION_'.length) as Mount['propagation'],
    })),
    ...(resources && { resources }),
    ...(user && {
      user: { uid: Number(user.uid), gid: Number(user.gid), supplementalGroups: user.supplementalGroups.map(Number) },
    }),
  };
}

export function imageFromWire(it: WireImage): Image {
  return {
    id: it.id,
    repoTags: it.repoTags,
    repoDigests: it.repoDigests,
    sizeBytes: Number(it.size),
    ...(it.uid && { uid: Number(it.uid.value) }),
    username: it.username,
    pinned: it.pinned,
  };
}

export function statsFromWire(it: WireStats): ContainerStats {
  return {
    id: it.attributes.id,
    metadata: it.attributes.metadata,
    labels: it.attributes.labels,
    timestamp: millis(it.cpu?.timestamp ?? it.memory?.timestamp ?? '0'),
    cpuUsageCoreNanoSeconds: amount(it.cpu?.usageCoreNanoSeconds),
    memoryWorkingSetBytes: amount(it.memory?.workingSetBytes),
    memoryUsageBytes: amount(it.memory?.usageBytes),
    memoryRssBytes: amount(it.memory?.rssBytes),
    rootfsUsedBytes: amount(it.writableLayer?.usedBytes),
    rootfsUsedInodes: amount(it.writableLayer?.inodesUsed),
  };
}
