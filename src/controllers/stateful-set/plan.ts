import { isPodAvailable } from '../support/pods.ts';
import {
  inRange,
  isParallel,
  isRunningAndReady,
  isTerminating,
  isUnavailable,
  minReadyOf,
  ordinalOf,
  type Pod,
  podRevision,
  replicasOf,
  revisionFor,
  type Slot,
  type StatefulSet,
  startOf,
} from './facts.ts';

export type Action =
  /** `claims`: only the claims are missing; the pod is there and pending. */
  | { readonly type: 'create'; readonly slot: Slot }
  | { readonly type: 'claims'; readonly slot: Slot; readonly pod: Pod }
  | { readonly type: 'update'; readonly pod: Pod; readonly ordinal: number }
  | { readonly type: 'delete'; readonly pod: Pod; readonly ordinal: number };

/** Whether a pod's identity, storage and claims are as the set wants them. */
export type IsConsistent = (pod: Pod, ordinal: number) => boolean;

/**
 * What to do now. An ordered set goes one pod at a time, from the lowest ordinal up when it grows and from the highest down when it shrinks,
 * and waits for each pod to be available; a parallel one does all at once. Updates start when every pod is in order.
 */
export function plan(it: {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly current: string;
  readonly update: string;
  readonly now: number;
  readonly isConsistent: IsConsistent;
}): readonly Action[] {
  const { set, pods, now } = it;
  if (set.metadata.deletionTimestamp) return [];
  const slots = slotsOf(set, pods, it.current, it.update);
  const condemned = pods
    .map((pod) => ({ pod, ordinal: ordinalOf(set, pod.metadata.name) }))
    .filter(({ ordinal }) => ordinal >= 0 && !inRange(set, ordinal))
    .sort((a, b) => b.ordinal - a.ordinal);
  const ordered = !isParallel(set);
  const actions: Action[] = [];
  for (const slot of slots) {
    const step = fill(set, slot, ordered, now, it.isConsistent);
    actions.push(...step.actions);
    if (step.wait && ordered) return actions;
  }
  // A parallel set that had to make or replace pods goes on with the next event.
  if (!ordered && actions.some((action) => action.type !== 'update' && action.type !== 'claims')) return actions;
  const unhealthy = firstUnavailable(set, slots, condemned, now);
  for (const { pod, ordinal } of condemned) {
    if (isTerminating(pod)) {
      if (ordered) return actions;
      continue;
    }
    const healthy = isRunningAndReady(pod) && isPodAvailable(pod, minReadyOf(set), now);
    if (ordered && !healthy && pod !== unhealthy) return actions;
    actions.push({ type: 'delete', pod, ordinal });
    if (ordered) return actions;
  }
  if (condemned.length > 0 && !ordered && actions.some((action) => action.type === 'delete')) return actions;
  if (set.spec?.updateStrategy?.type === 'OnDelete') return actions;
  const outdated = nextToUpdate(set, slots, it.update, now);
  return outdated ? [...actions, outdated] : actions;
}

export function slotsOf(set: StatefulSet, pods: readonly Pod[], current: string, update: string): readonly Slot[] {
  const held = new Map(pods.map((pod) => [ordinalOf(set, pod.metadata.name), pod]));
  return Array.from({ length: replicasOf(set) }, (_, i) => {
    const ordinal = startOf(set) + i;
    const pod = held.get(ordinal);
    return { ordinal, pod, revision: pod ? podRevision(pod) : revisionFor(set, ordinal, current, update) };
  });
}

function fill(
  set: StatefulSet,
  slot: Slot,
  ordered: boolean,
  now: number,
  isConsistent: IsConsistent,
): { readonly actions: readonly Action[]; readonly wait: boolean } {
  const { pod, ordinal } = slot;
  if (!pod) return { actions: [{ type: 'create', slot }], wait: true };
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
    return { actions: isTerminating(pod) ? [] : [{ type: 'delete', pod, ordinal }], wait: true };
  }
  const actions: Action[] = pod.status?.phase === 'Pending' ? [{ type: 'claims', slot, pod }] : [];
  const settled = !isTerminating(pod) && isRunningAndReady(pod) && isPodAvailable(pod, minReadyOf(set), now);
  if (ordered && !settled) return { actions, wait: true };
  if (!isTerminating(pod) && !isConsistent(pod, ordinal)) actions.push({ type: 'update', pod, ordinal });
  return { actions, wait: false };
}

function firstUnavailable(
  set: StatefulSet,
  slots: readonly Slot[],
  condemned: readonly { readonly pod: Pod }[],
  now: number,
): Pod | undefined {
  const candidates = [...slots.map((slot) => slot.pod), ...condemned.map((it) => it.pod).reverse()];
  return candidates.find((pod) => isUnavailable(pod, minReadyOf(set), now));
}

/** The highest outdated pod above the partition, unless one above it is still on its way. */
function nextToUpdate(set: StatefulSet, slots: readonly Slot[], update: string, now: number): Action | undefined {
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let target = slots.length - 1; target >= partition; target--) {
    const slot = slots[target];
    const pod = slot?.pod;
    if (!slot || !pod) return undefined;
    if (podRevision(pod) !== update && !isTerminating(pod)) return { type: 'delete', pod, ordinal: slot.ordinal };
    if (isUnavailable(pod, minReadyOf(set), now)) return undefined;
  }
  return undefined;
}
