import type { V1Container, V1Pod } from '../../api/generated/types.ts';
import type { LinuxResources } from '../../runtime/cri.ts';
import { milliUnits, type ResourceList, wholeUnits } from '../quantity.ts';
import { isSidecar } from './observed.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const qosResources = ['cpu', 'memory'] as const;

/** Upstream: pkg/apis/core/v1/helper/qos ComputePodQOS. */
export function qosClass(pod: V1Pod): QosClass {
  const sets =
    (pod.spec?.resources?.requests ?? pod.spec?.resources?.limits)
      ? [pod.spec?.resources ?? {}]
      : [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((it) => it.resources ?? {});
  let any = false;
  let guaranteed = true;
  const requests = { cpu: 0, memory: 0 };
  const limits = { cpu: 0, memory: 0 };
  for (const set of sets)
    for (const name of qosResources) {
      const request = milliUnits(set.requests?.[name]);
      const limit = milliUnits(set.limits?.[name]);
      if (request > 0 || limit > 0) any = true;
      if (limit === 0) guaranteed = false;
      requests[name] += request;
      limits[name] += limit;
    }
  if (!any) return 'BestEffort';
  if (guaranteed && qosResources.every((name) => requests[name] === 0 || requests[name] === limits[name]))
    return 'Guaranteed';
  return 'Burstable';
}

/** The score by which the kernel picks whom to kill. Upstream: pkg/kubelet/qos/policy.go. */
export function oomScoreAdj(pod: V1Pod, container: V1Container, memoryCapacity: number): number {
  if (pod.spec?.priorityClassName === 'system-node-critical') return -997;
  switch (qosClass(pod)) {
    case 'Guaranteed':
      return -997;
    case 'BestEffort':
      return 1000;
    case 'Burstable': {
      const score = (bytes: number): number => 1000 - Math.trunc((1000 * bytes) / Math.max(1, memoryCapacity));
      let adjust = score(wholeUnits(container.resources?.requests?.['memory']));
      if (isSidecar(container)) {
        const least = Math.min(
          ...(pod.spec?.containers ?? []).map((it) => wholeUnits(it.resources?.requests?.['memory'])),
        );
        adjust = Math.min(adjust, score(least));
      }
      return Math.min(999, Math.max(3, adjust));
    }
  }
}

const period = 100_000;
/** Upstream: cm.MilliCPUToShares. */
export function cpuShares(milli: number): number {
  return milli === 0 ? 2 : Math.min(262_144, Math.max(2, Math.trunc((milli * 1024) / 1000)));
}
/** Upstream: cm.MilliCPUToQuota; 0 = no limit. */
export function cpuQuota(milli: number): number {
  return milli === 0 ? 0 : Math.max(1000, Math.trunc((milli * period) / 1000));
}

/** A container's limits as the runtime takes them. Upstream: generateLinuxContainerResources. */
export function linuxResources(pod: V1Pod, container: V1Container, memoryCapacity: number): LinuxResources {
  const own = container.resources;
  const podLimits = pod.spec?.resources?.limits;
  const limit = (name: string): string | undefined =>
    milliUnits(own?.limits?.[name]) > 0 ? own?.limits?.[name] : podLimits?.[name];
  const cpuLimit = milliUnits(limit('cpu'));
  const request = own?.requests?.['cpu'] === undefined ? cpuLimit : milliUnits(own.requests['cpu']);
  const hugepages = Object.entries(own?.limits ?? {})
    .filter(([name]) => name.startsWith('hugepages-'))
    .map(([name, value]) => ({
      pageSize: name.slice('hugepages-'.length).replace(/i$/, 'B'),
      limit: wholeUnits(value),
    }));
  return {
    cpuShares: cpuShares(request),
    cpuPeriod: period,
    cpuQuota: cpuQuota(cpuLimit),
    memoryLimitInBytes: wholeUnits(limit('memory')),
    oomScoreAdj: oomScoreAdj(pod, container, memoryCapacity),
    ...(hugepages.length > 0 && { hugepageLimits: hugepages }),
  };
}

/** What a pod asks of its node: the larger of its start-up and its steady state, with overhead. In milli for cpu. */
export function podRequests(pod: V1Pod): Readonly<Record<string, number>> {
  const amount = (name: string, value: string): number => (name === 'cpu' ? milliUnits(value) : wholeUnits(value));
  const read = (list: ResourceList | undefined): Map<string, number> =>
    new Map(Object.entries(list ?? {}).map(([name, value]) => [name, amount(name, value)]));
  const add = (into: Map<string, number>, from: ReadonlyMap<string, number>): void => {
    for (const [name, value] of from) into.set(name, (into.get(name) ?? 0) + value);
  };
  const total = new Map<string, number>();
  for (const container of pod.spec?.containers ?? []) add(total, read(container.resources?.requests));
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const container of pod.spec?.initContainers ?? []) {
    const own = read(container.resources?.requests);
    if (isSidecar(container)) {
      add(total, own);
      add(sidecars, own);
      for (const [name, value] of sidecars) peak.set(name, Math.max(peak.get(name) ?? 0, value));
    } else {
      add(own, sidecars);
      for (const [name, value] of own) peak.set(name, Math.max(peak.get(name) ?? 0, value));
    }
  }
  for (const [name, value] of peak) total.set(name, Math.max(total.get(name) ?? 0, value));
  for (const [name, value] of read(pod.spec?.resources?.requests)) total.set(name, value);
  add(total, read(pod.spec?.overhead));
  return Object.fromEntries(total);
}

/** Where the pod's processes are counted: `/kubepods/burstable/pod<uid>`, below the kubelet's own root. */
export function podCgroup(root: string, pod: V1Pod): string {
  return `${qosCgroup(root, qosClass(pod))}/pod${pod.metadata?.uid}`;
}

/** The group of a QoS class. */
export function qosCgroup(root: string, qos: QosClass): string {
  return qos === 'Guaranteed' ? `${root}/kubepods` : `${root}/kubepods/${qos.toLowerCase()}`;
}

/** What a pod as a whole is held to: limits only where every container has one. Upstream: cm.ResourceConfigForPod. */
export function podResources(pod: V1Pod): LinuxResources {
  const limits = (pod.spec?.containers ?? []).map((it) => it.resources?.limits ?? pod.spec?.resources?.limits);
  const total = (read: (value: string | undefined) => number, name: string): number =>
    limits.every((it) => read(it?.[name]) > 0) ? limits.reduce((sum, it) => sum + read(it?.[name]), 0) : 0;
  return {
    cpuShares: qosClass(pod) === 'BestEffort' ? 2 : cpuShares(podRequests(pod)['cpu'] ?? 0),
    cpuPeriod: period,
    cpuQuota: cpuQuota(total(milliUnits, 'cpu')),
    memoryLimitInBytes: total(wholeUnits, 'memory'),
  };
}
