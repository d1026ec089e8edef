import type { V1Pod, V1PodCondition } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';

type Pod = Live<V1Pod>;

export const podCondition = (pod: V1Pod, type: string): V1PodCondition | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type);

export const isPodReady = (pod: V1Pod): boolean => podCondition(pod, 'Ready')?.status === 'True';

/** Ready for at least `minReadySeconds` at `now` (epoch milliseconds). */
export function isPodAvailable(pod: V1Pod, minReadySeconds: number, now: number): boolean {
  if (!isPodReady(pod)) return false;
  if (minReadySeconds === 0) return true;
  const since = Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '');
  return !Number.isNaN(since) && since + minReadySeconds * 1000 <= now;
}

export const isPodTerminal = (pod: V1Pod): boolean =>
  pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';

/** Neither finished nor being deleted (controller.IsPodActive). */
export const isPodActive = (pod: Pod): boolean => !isPodTerminal(pod) && !pod.metadata.deletionTimestamp;

/** Being deleted, and not finished (controller.IsPodTerminating). */
export const isPodTerminating = (pod: Pod): boolean =>
  !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;

/** Milliseconds until the next of these pods becomes available, or undefined. */
export function nextAvailability(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  let next: number | undefined;
  for (const pod of pods) {
    if (!isPodReady(pod)) continue;
    const since = Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '');
    const wait = since + minReadySeconds * 1000 - now;
    if (wait > 0 && (next === undefined || wait < next)) next = wait;
  }
  return next;
}

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** Counts pods of related owners on the same node: pods that share a node with many go first. */
export type Rank = (pod: Pod) => number;

/**
 * Which of two pods goes first when there are too many (controller.ActivePodsWithRanks): negative = `a` goes first. `now` in epoch
 * milliseconds: ages are compared on a logarithmic scale.
 */
export function compareForDeletion(a: Pod, b: Pod, rank: Rank, now: number): number {
  const assignedA = a.spec?.nodeName ? 1 : 0;
  const assignedB = b.spec?.nodeName ? 1 : 0;
  if (assignedA !== assignedB) return assignedA - assignedB;
  const phase = (phaseOrder[a.status?.phase ?? ''] ?? 0) - (phaseOrder[b.status?.phase ?? ''] ?? 0);
  if (phase !== 0) return phase;
  const ready = Number(isPodReady(a)) - Number(isPodReady(b));
  if (ready !== 0) return ready;
  const cost = deletionCost(a) - deletionCost(b);
  if (cost !== 0) return cost;
  const ranks = rank(b) - rank(a);
  if (ranks !== 0) return ranks;
  if (isPodReady(a)) {
    const readyA = Date.parse(podCondition(a, 'Ready')?.lastTransitionTime ?? '') || 0;
    const readyB = Date.parse(podCondition(b, 'Ready')?.lastTransitionTime ?? '') || 0;
    if (readyA !== readyB) return byAge(a, b, readyA, readyB, now);
  }
  const restarts = compareRestarts(a, b);
  if (restarts !== 0) return restarts;
  const createdA = Date.parse(a.metadata.creationTimestamp);
  const createdB = Date.parse(b.metadata.creationTimestamp);
  return createdA === createdB ? 0 : byAge(a, b, createdA, createdB, now);
}

/** Younger first; ages in the same power of two of seconds count as equal, and then the uid decides. */
function byAge(a: Pod, b: Pod, timeA: number, timeB: number, now: number): number {
  if (timeA === 0 || timeB === 0) return timeB - timeA;
  const difference = logAge(timeA, now) - logAge(timeB, now);
  if (difference !== 0) return difference;
  return a.metadata.uid < b.metadata.uid ? -1 : 1;
}

// Ages in nanoseconds, as upstream's logarithmicRankDiff.
const logAge = (time: number, now: number): number => {
  const age = (now - time) * 1e6;
  return age <= 0 ? -1 : Math.floor(Math.log2(age));
};

const deletionCost = (pod: Pod): number => {
  const text = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'];
  return text !== undefined && /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : 0;
};

function compareRestarts(a: Pod, b: Pod): number {
  const most = (pod: Pod): readonly [number, number] => {
    let regular = 0;
    let sidecar = 0;
    for (const status of pod.status?.containerStatuses ?? []) regular = Math.max(regular, status.restartCount);
    const sidecars = new Set(
      (pod.spec?.initContainers ?? []).filter((it) => it.restartPolicy === 'Always').map((it) => it.name),
    );
    for (const status of pod.status?.initContainerStatuses ?? []) {
      if (sidecars.has(status.name)) sidecar = Math.max(sidecar, status.restartCount);
    }
    return [regular, sidecar];
  };
  const [regularA, sidecarA] = most(a);
  const [regularB, sidecarB] = most(b);
  return regularB - regularA || sidecarB - sidecarA;
}

/** The first `count` pods to delete. */
export function podsToDelete(pods: readonly Pod[], count: number, rank: Rank, now: number): readonly Pod[] {
  if (count >= pods.length) return pods;
  return [...pods].sort((a, b) => compareForDeletion(a, b, rank, now)).slice(0, count);
}
