import type { V1Container, V1Pod, V1PodCondition, V1ResourceRequirements } from '../../api/generated/types.ts';
import { type KubeletContext, podEvent } from '../context.ts';
import { findContainer, type ObservedContainer, type ObservedPod } from './observed.ts';
import type { ResizeVerdict } from './plan.ts';
import {
  type Allocation,
  resizeCondition,
  resizeSummary,
  resizeVerdict,
  sameAllocation,
  wantedAllocation,
  withAllocation,
} from './resize.ts';

/** When a deferred resize is tried again, milliseconds, if no pod goes before. */
const deferredRetry = 30_000;

/** What one pod has been granted and what its containers run with. Upstream: pkg/kubelet/allocation. */
export interface ResizeState {
  granted(pod: V1Pod): V1Pod;
  /** Grants the spec's resources, or says why not. Returns when to try again, epoch milliseconds. */
  consider(pod: V1Pod): number | undefined;
  /** Learns of containers that run already, and forgets those that are gone. */
  adopt(observed: ObservedPod): void;
  /** Closes a resize that every container has been through. */
  settle(pod: V1Pod, observed: ObservedPod): void;
  verdict(spec: V1Container, container: ObservedContainer): ResizeVerdict;
  /** The runtime has been told. */
  actuated(name: string, containerId: string): void;
  actuatedOf(observed: ObservedPod, name: string): V1ResourceRequirements | undefined;
  failed(pod: V1Pod, error: string): void;
  conditions(): readonly V1PodCondition[];
  deferred(): boolean;
}

export function resizeState(
  context: KubeletContext,
  first: V1Pod,
  refuse: (pod: V1Pod) => { readonly reason: 'Infeasible' | 'Deferred'; readonly message: string } | undefined,
): ResizeState {
  const { clock } = context;
  let allocation: Allocation = wantedAllocation(first);
  /** What the runtime was last told, by container id. */
  const told = new Map<string, V1ResourceRequirements>();
  let pending: V1PodCondition | undefined;
  let inProgress: V1PodCondition | undefined;
  const granted = (pod: V1Pod): V1Pod => withAllocation(pod, allocation);
  return {
    granted,
    consider(pod) {
      const wanted = wantedAllocation(pod);
      if (sameAllocation(wanted, allocation)) {
        pending = undefined;
        return undefined;
      }
      const generation = pod.metadata?.generation;
      const refusal = refuse(pod);
      if (!refusal) {
        allocation = wanted;
        pending = undefined;
        inProgress = resizeCondition('PodResizeInProgress', '', '', generation, clock.now());
        podEvent(context, pod, 'Normal', 'ResizeStarted', `Pod resize started: ${resizeSummary(pod)}`);
        return undefined;
      }
      const { reason, message } = refusal;
      if (pending?.reason !== reason || pending.message !== message || pending.observedGeneration !== generation) {
        pending = resizeCondition('PodResizePending', reason, message, generation, clock.now());
        podEvent(
          context,
          pod,
          'Warning',
          reason === 'Infeasible' ? 'ResizeInfeasible' : 'ResizeDeferred',
          `Pod resize ${reason}: ${resizeSummary(pod, message)}`,
        );
      }
      return reason === 'Deferred' ? clock.now() + deferredRetry : undefined;
    },
    adopt(observed) {
      for (const container of observed.containers) {
        const own = allocation.get(container.name);
        if (container.state === 'running' && own && !told.has(container.id)) told.set(container.id, own);
      }
      for (const id of told.keys()) if (!observed.containers.some((it) => it.id === id)) told.delete(id);
    },
    settle(pod, observed) {
      if (!inProgress) return;
      const it = granted(pod);
      const specs = [...(it.spec?.containers ?? []), ...(it.spec?.initContainers ?? [])];
      const busy = observed.containers.some((container) => {
        const spec = container.state === 'running' ? specs.find((c) => c.name === container.name) : undefined;
        return spec !== undefined && resizeVerdict(spec, told.get(container.id)) !== 'keep';
      });
      if (busy) return;
      inProgress = undefined;
      podEvent(context, pod, 'Normal', 'ResizeCompleted', `Pod resize completed: ${resizeSummary(it)}`);
    },
    verdict: (spec, container) => resizeVerdict(spec, told.get(container.id)),
    actuated(name, containerId) {
      const own = allocation.get(name);
      if (own) told.set(containerId, own);
    },
    actuatedOf(observed, name) {
      const container = findContainer(observed, name);
      return container ? told.get(container.id) : undefined;
    },
    failed(pod, error) {
      inProgress = resizeCondition('PodResizeInProgress', 'Error', error, pod.metadata?.generation, clock.now());
      podEvent(context, pod, 'Warning', 'ResizeError', `Pod resize error: ${resizeSummary(pod, error)}`);
    },
    conditions: () => [...(pending ? [pending] : []), ...(inProgress ? [inProgress] : [])],
    deferred: () => pending?.reason === 'Deferred',
  };
}
