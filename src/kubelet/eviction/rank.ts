import type { V1Pod } from '../../api/generated/types.ts';
import { podRequests } from '../pods/resources.ts';
import { wholeUnits } from '../quantity.ts';
import { diskOf, inodesOf, memoryOf, type PodUsage } from './pod-usage.ts';
import {
  amountText,
  type Observations,
  resourceOf,
  type StarvedResource,
  type Threshold,
  thresholdAmount,
} from './thresholds.ts';

/** A pod that may be evicted. Without usage: the runtime says nothing of it. */
export interface Candidate {
  readonly pod: V1Pod;
  readonly usage: PodUsage | undefined;
}

type Measure = (candidate: Candidate) => number;
type Order = (a: Candidate, b: Candidate) => number;

const requestOf = (pod: V1Pod, resource: string): number => podRequests(pod)[resource] ?? 0;
const used: Readonly<Record<StarvedResource, (usage: PodUsage) => number>> = {
  memory: memoryOf,
  'ephemeral-storage': diskOf,
  inodes: inodesOf,
  pids: (usage) => usage.pids,
};

const descending =
  (measure: Measure): Order =>
  (a, b) =>
    // What nothing is known of goes first, as upstream.
    measure(b) - measure(a) || 0;

/**
 * Whom to evict first: those that hold more than they asked for, then those of lower priority, then those that hold most beyond their
 * request. Upstream: rankMemoryPressure, rankDiskPressureFunc, rankPIDPressure.
 */
export function rankVictims(resource: StarvedResource, candidates: readonly Candidate[]): readonly Candidate[] {
  const beyond: Measure = ({ pod, usage }) =>
    usage ? used[resource](usage) - requestOf(pod, resource) : Number.MAX_SAFE_INTEGER;
  const priority: Order = (a, b) => (a.pod.spec?.priority ?? 0) - (b.pod.spec?.priority ?? 0);
  const exceeds: Order = descending((it) => (beyond(it) > 0 ? 1 : 0));
  const orders: readonly Order[] =
    resource === 'memory' || resource === 'ephemeral-storage'
      ? [exceeds, priority, descending(beyond)]
      : [priority, descending(beyond)];
  return candidates.toSorted((a, b) => {
    for (const order of orders) {
      const result = order(a, b);
      if (result !== 0) return result;
    }
    return 0;
  });
}

/** What the evicted pod's status and event say. Upstream: evictionMessage. */
export function evictionMessage(
  resource: StarvedResource,
  candidate: Candidate,
  met: readonly Threshold[],
  observations: Observations,
): string {
  let message = `The node was low on resource: ${resource}. `;
  const threshold = met.find((it) => resourceOf[it.signal] === resource);
  const seen = threshold && observations.get(threshold.signal);
  if (threshold && seen)
    message += `Threshold quantity: ${amountText(resource, thresholdAmount(threshold, seen.capacity))}, available: ${amountText(
      resource,
      seen.available,
    )}. `;
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return message;
  for (const container of candidate.usage?.containers ?? []) {
    const spec = candidate.pod.spec?.containers?.find((it) => it.name === container.name);
    if (!spec) continue;
    const request = wholeUnits(spec.resources?.requests?.[resource]);
    const amount = resource === 'memory' ? container.memory : container.rootfs + container.logs;
    if (amount > request)
      message += `Container ${container.name} was using ${amountText(resource, amount)}, request is ${amountText(resource, request)}, has larger consumption of ${resource}. `;
  }
  return message;
}
