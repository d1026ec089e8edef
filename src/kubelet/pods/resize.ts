import type { V1Container, V1Node, V1Pod, V1PodCondition, V1ResourceRequirements } from '../../api/generated/types.ts';
import { rfc3339 } from '../../base/clock.ts';
import { milliUnits, sameResources } from '../quantity.ts';
import { shortage } from './admission.ts';
import type { ResizeVerdict } from './plan.ts';

export type Allocation = ReadonlyMap<string, V1ResourceRequirements>;

const resizable = (pod: V1Pod): readonly V1Container[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
];

/** The resources that the pod's spec asks for, by container. */
export function wantedAllocation(pod: V1Pod): Allocation {
  return new Map(resizable(pod).map((it) => [it.name, it.resources ?? {}]));
}

const same = (a: V1ResourceRequirements | undefined, b: V1ResourceRequirements | undefined): boolean =>
  sameResources(a?.requests, b?.requests) && sameResources(a?.limits, b?.limits);

export function sameAllocation(a: Allocation, b: Allocation): boolean {
  return a.size === b.size && [...a].every(([name, it]) => same(it, b.get(name)));
}

/** The pod with the resources that the node has granted it. */
export function withAllocation(pod: V1Pod, allocation: Allocation): V1Pod {
  if (sameAllocation(wantedAllocation(pod), allocation)) return pod;
  const apply = (list: readonly V1Container[] | undefined): readonly V1Container[] =>
    (list ?? []).map((it) => ({ ...it, resources: allocation.get(it.name) ?? it.resources ?? {} }));
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: apply(pod.spec?.containers),
      ...(pod.spec?.initContainers && { initContainers: apply(pod.spec.initContainers) }),
    },
  };
}

/** Whether a resize can be granted now; undefined = yes. Upstream: canAdmitPod for resizes. */
export function resizeRefusal(
  pod: V1Pod,
  node: V1Node,
  others: readonly V1Pod[],
): { readonly reason: 'Infeasible' | 'Deferred'; readonly message: string } | undefined {
  const alone = shortage(pod, node, []);
  if (alone)
    return {
      reason: 'Infeasible',
      message: `Node didn't have enough capacity: ${alone.resource}, requested: ${alone.requested}, capacity: ${alone.capacity}`,
    };
  const beside = shortage(pod, node, others);
  if (!beside) return undefined;
  return {
    reason: 'Deferred',
    message: `Node didn't have enough resource: ${beside.resource}, requested: ${beside.requested}, used: ${beside.used}, capacity: ${beside.capacity}`,
  };
}

/** What a running container needs to get from what it has to what it is granted. Upstream: computePodResizeAction. */
export function resizeVerdict(container: V1Container, has: V1ResourceRequirements | undefined): ResizeVerdict {
  if (has === undefined || same(container.resources, has)) return 'keep';
  const restart = (container.resizePolicy ?? []).some(
    (policy) =>
      policy.restartPolicy === 'RestartContainer' &&
      (milliUnits(container.resources?.requests?.[policy.resourceName]) !==
        milliUnits(has.requests?.[policy.resourceName]) ||
        milliUnits(container.resources?.limits?.[policy.resourceName]) !==
          milliUnits(has.limits?.[policy.resourceName])),
  );
  return restart ? 'restart' : 'update';
}

/** The resources of all containers as the events about a resize show them. Upstream: events/resize.go. */
export function resizeSummary(pod: V1Pod, error?: string): string {
  const list = (containers: readonly V1Container[] | undefined): object[] | undefined =>
    containers && containers.length > 0
      ? containers.map((it) => ({
          name: it.name,
          resources: {
            ...(it.resources?.limits && { limits: it.resources.limits }),
            ...(it.resources?.requests && { requests: it.resources.requests }),
          },
        }))
      : undefined;
  const init = list(pod.spec?.initContainers);
  const containers = list(pod.spec?.containers);
  return JSON.stringify({
    ...(init && { initContainers: init }),
    ...(containers && { containers }),
    generation: pod.metadata?.generation ?? 0,
    ...(error !== undefined && error !== '' && { error }),
  });
}

/** A PodResizePending or PodResizeInProgress condition. */
export function resizeCondition(
  type: 'PodResizePending' | 'PodResizeInProgress',
  reason: string,
  message: string,
  generation: number | undefined,
  now: number,
): V1PodCondition {
  return {
    type,
    status: 'True',
    lastProbeTime: rfc3339(now),
    lastTransitionTime: rfc3339(now),
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(reason !== '' && { reason }),
    ...(message !== '' && { message }),
  };
}
