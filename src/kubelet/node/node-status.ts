import type { V1Node, V1NodeCondition, V1NodeStatus } from '../../api/generated/types.ts';
import { rfc3339 } from '../../base/clock.ts';
import type { Image, RuntimeVersion } from '../../runtime/cri.ts';
import type { MachineInfo } from '../../runtime/node-runtime.ts';
import { kibibytes } from '../quantity.ts';

/** The version that the kubelet reports. */
export const kubeletVersion = 'v1.36.0';

export interface Pressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pid: boolean;
}

export interface NodeStatusInput {
  readonly machine: MachineInfo;
  readonly runtime: RuntimeVersion;
  readonly handlers: readonly string[];
  readonly images: readonly Image[];
  readonly maxPods: number;
  readonly port: number;
  readonly now: number;
  /** Why the node is not ready; empty = it is. */
  readonly errors: readonly string[];
  readonly pressure: Pressure;
  readonly old: V1NodeStatus | undefined;
}

const maxImages = 50;
const maxNames = 5;
const memoryReserve = 100 * 1024 * 1024;
const diskReserve = 0.1;

/** What the machine has, and what pods may use of it. */
export function nodeResources(
  machine: MachineInfo,
  maxPods: number,
): {
  readonly capacity: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
} {
  const common = { cpu: `${machine.cpus}`, 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', pods: `${maxPods}` };
  return {
    capacity: {
      ...common,
      'ephemeral-storage': kibibytes(machine.ephemeralBytes),
      memory: kibibytes(machine.memoryBytes),
    },
    allocatable: {
      ...common,
      'ephemeral-storage': `${Math.floor(machine.ephemeralBytes * (1 - diskReserve))}`,
      memory: kibibytes(Math.max(0, machine.memoryBytes - memoryReserve)),
    },
  };
}

const aggregate = (errors: readonly string[]): string =>
  errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`;

/** The four conditions of a node, with upstream's reasons and messages (pkg/kubelet/nodestatus/setters.go). */
export function nodeConditions(
  input: Pick<NodeStatusInput, 'errors' | 'pressure' | 'now' | 'old'>,
): readonly V1NodeCondition[] {
  const now = rfc3339(input.now);
  const pressure = (type: string, under: boolean, bad: [string, string], good: [string, string]): V1NodeCondition => ({
    type,
    status: under ? 'True' : 'False',
    reason: (under ? bad : good)[0],
    message: (under ? bad : good)[1],
  });
  const ready: V1NodeCondition =
    input.errors.length === 0
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: aggregate(input.errors) };
  return [
    pressure(
      'MemoryPressure',
      input.pressure.memory,
      ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
      ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ),
    pressure(
      'DiskPressure',
      input.pressure.disk,
      ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
      ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ),
    pressure(
      'PIDPressure',
      input.pressure.pid,
      ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
      ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ),
    ready,
  ].map((condition) => {
    const before = input.old?.conditions?.find((it) => it.type === condition.type);
    return {
      ...condition,
      lastHeartbeatTime: now,
      lastTransitionTime: before?.status === condition.status ? (before.lastTransitionTime ?? now) : now,
    };
  });
}

/** The events that a change of conditions is told by: reasons of Normal events about the node. */
export function conditionEvents(old: V1NodeStatus | undefined, next: readonly V1NodeCondition[]): readonly string[] {
  const names: Readonly<Record<string, readonly [string, string]>> = {
    MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
    DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
    PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
    Ready: ['NodeReady', 'NodeNotReady'],
  };
  return next.flatMap((condition) => {
    const before = old?.conditions?.find((it) => it.type === condition.type);
    if (before?.status === condition.status) return [];
    if (condition.type === 'Ready' && !before && condition.status !== 'True') return [];
    const [bad = '', good = ''] = names[condition.type] ?? [];
    return [condition.status === 'True' ? bad : good];
  });
}

/** The whole status of the node. */
export function nodeStatus(input: NodeStatusInput): V1NodeStatus {
  const { machine } = input;
  return {
    addresses: [
      { type: 'InternalIP', address: machine.address },
      { type: 'Hostname', address: machine.hostname },
    ],
    ...nodeResources(machine, input.maxPods),
    conditions: nodeConditions(input),
    daemonEndpoints: { kubeletEndpoint: { Port: input.port } },
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: `${input.runtime.runtimeName}://${input.runtime.runtimeVersion}`,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion,
      machineID: machine.machineId,
      operatingSystem: machine.operatingSystem,
      osImage: machine.osImage,
      systemUUID: machine.systemUuid,
      ...(machine.swapBytes > 0 && { swap: { capacity: machine.swapBytes } }),
    },
    images: [...input.images]
      .sort((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, maxImages)
      .map((image) => ({
        names: [...image.repoDigests, ...image.repoTags].slice(0, maxNames),
        sizeBytes: image.sizeBytes,
      })),
    features: { supplementalGroupsPolicy: true },
    runtimeHandlers: ['', ...input.handlers.filter((it) => it !== '')].map((name) => ({
      name,
      features: { recursiveReadOnlyMounts: false, userNamespaces: false },
    })),
  };
}

/** The node as it is first registered. Upstream: initialNode. */
export function initialNode(
  name: string,
  machine: MachineInfo,
  labels: Readonly<Record<string, string>>,
  taints: NonNullable<V1Node['spec']>['taints'],
): V1Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'beta.kubernetes.io/arch': machine.architecture,
        'beta.kubernetes.io/os': machine.operatingSystem,
        'kubernetes.io/arch': machine.architecture,
        'kubernetes.io/hostname': machine.hostname,
        'kubernetes.io/os': machine.operatingSystem,
        ...labels,
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: { ...(taints && taints.length > 0 && { taints }) },
  };
}
