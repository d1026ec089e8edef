import { jobs, pods } from '../../api/generated/resources.ts';
import { hasReason } from '../../api/status.ts';
import type { ControllerContext } from '../../controller/controller.ts';
import { createPod, deletePod, isNamespaceTerminating, slowStart } from '../support/pod-control.ts';
import { compareForDeletion } from '../support/pods.ts';
import { type Count, pendingIndexes } from './count.ts';
import {
  absoluteFailureCount,
  finishedAt,
  hasLimitPerIndex,
  indexOf,
  isIndexed,
  isSuspended,
  isTracked,
  type Job,
  jobPod,
  type Pod,
  replacesOnlyFailed,
  retryWait,
  trackingFinalizer,
} from './facts.ts';

/** Pods created or deleted in one reconcile at most. */
export const burst = 500;

/** Takes the finalizer off a pod that is counted. */
export async function untrack(context: ControllerContext, pod: Pod): Promise<void> {
  const patch = { metadata: { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] } };
  try {
    await context.client.patch(pods, pod.metadata.name, patch, {
      namespace: pod.metadata.namespace ?? '',
      type: 'application/strategic-merge-patch+json',
    });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}

/** Deletes pods whose finalizer comes off first; says which it could. */
export async function removePods(
  context: ControllerContext,
  job: Job,
  victims: readonly Pod[],
): Promise<{ readonly removed: readonly Pod[]; readonly error?: unknown }> {
  const results = await Promise.allSettled(
    victims.map(async (pod) => {
      if (isTracked(pod)) await untrack(context, pod);
      await deletePod(context, job, pod);
    }),
  );
  const removed = victims.filter((_, i) => results[i]?.status === 'fulfilled');
  const failed = results.find((it) => it.status === 'rejected');
  return { removed, ...(failed && { error: failed.reason }) };
}

/** What was done, and how long to wait before the next look. */
export interface Step {
  readonly removed: readonly Pod[];
  readonly created: number;
  readonly wait?: number;
  readonly error?: unknown;
}

/** Brings the number of running pods to what is wanted. */
export async function manage(
  context: ControllerContext,
  job: Job,
  owned: readonly Pod[],
  count: Count,
  failed: { readonly count: number; readonly last: number },
  now: number,
): Promise<Step> {
  const nothing = { removed: [], created: 0 };
  if (isSuspended(job)) return { created: 0, ...(await removePods(context, job, count.active.slice(0, burst))) };
  const parallelism = job.spec?.parallelism ?? 1;
  const { completions } = job.spec ?? {};
  const active = count.active.length;
  const open = completions === undefined ? undefined : Math.max(0, completions - count.succeeded);
  const wanted = open === undefined ? (count.succeeded > 0 ? active : parallelism) : Math.min(open, parallelism);
  const surplus = tooMany(job, count.active, Math.max(0, active - wanted), now);
  if (surplus.length > 0) return { created: 0, ...(await removePods(context, job, surplus.slice(0, burst))) };
  const onlyFailed = replacesOnlyFailed(job);
  const missing = Math.min(burst, wanted - active - (onlyFailed ? count.terminating : 0));
  if (missing <= 0) return nothing;
  if (!hasLimitPerIndex(job)) {
    const wait = retryWait(failed.count, failed.last, now);
    if (wait > 0) return { ...nothing, wait };
  }
  let targets: readonly (number | undefined)[] = Array.from({ length: missing }, () => undefined);
  if (isIndexed(job)) {
    const pending = pendingIndexes(job, owned, count, missing, onlyFailed);
    const waits = pending.map((index) => {
      const last = count.keptByIndex.get(index);
      return last ? retryWait(absoluteFailureCount(last) + 1, finishedAt(last), now) : 0;
    });
    targets = pending.filter((_, i) => waits[i] === 0);
    if (targets.length === 0 && pending.length > 0) return { ...nothing, wait: Math.min(...waits) };
  }
  const template = job.spec?.template ?? {};
  const { succeeded, error } = await slowStart(targets.length, (i) => {
    const index = targets[i];
    const replaced = index === undefined ? undefined : count.keptByIndex.get(index);
    return createPod(context, job, jobs, template, jobPod(job, index, replaced));
  });
  return { removed: [], created: succeeded, ...(error !== undefined && !isNamespaceTerminating(error) && { error }) };
}

/** Pods that go: doubles of an index and indexes that are no more first, then as many as there are too many. */
function tooMany(job: Job, active: readonly Pod[], atLeast: number, now: number): readonly Pod[] {
  const byOrder = [...active].sort((a, b) => compareForDeletion(a, b, () => 0, now));
  if (!isIndexed(job)) return byOrder.slice(0, atLeast);
  const completions = job.spec?.completions ?? 0;
  const holders = new Set<number>();
  const surplus: Pod[] = [];
  const rest: Pod[] = [];
  for (const pod of [...byOrder].reverse()) {
    const index = indexOf(pod);
    if (index < 0 || index >= completions || holders.has(index)) surplus.push(pod);
    else {
      holders.add(index);
      rest.unshift(pod);
    }
  }
  return surplus.length >= atLeast ? surplus : [...surplus, ...rest.slice(0, atLeast - surplus.length)];
}
