import { jobs } from '../../api/generated/resources.ts';
import type { V1JobCondition, V1JobStatus } from '../../api/generated/types.ts';
import { rfc3339 } from '../../base/clock.ts';
import type { ControllerContext } from '../../controller/controller.ts';
import { allOrFirstError } from '../support/pod-control.ts';
import { writeStatus } from '../support/status.ts';
import type { Count } from './count.ts';
import {
  condition,
  indexOf,
  isFailed,
  isIndexed,
  isTracked,
  type Job,
  judgeFailure,
  type Pod,
  trueCondition,
} from './facts.ts';
import { formatIndexes } from './indexes.ts';
import { burst, untrack } from './manage.ts';

/**
 * Counts each finished pod exactly once: its uid goes into the status first, then its finalizer comes off, then it becomes part of
 * the numbers. Ends the Job when nothing is left to count.
 */
export async function trackFinished(
  key: string,
  job: Job,
  owned: readonly Pod[],
  count: Count,
  verdictNow: V1JobCondition | undefined,
  draft: V1JobStatus,
  context: ControllerContext,
  flushed: () => void,
): Promise<void> {
  const now = context.clock.now();
  const indexed = isIndexed(job);
  const tracked = new Set(owned.filter(isTracked).map((pod) => pod.metadata.uid));
  const uncounted = settle(draft, tracked);
  const known = new Set(uncounted.failed);
  const knownSucceeded = new Set(uncounted.succeeded);
  const indexes = new Set(count.recordedIndexes);
  const untracked: Pod[] = [];
  let full = false;
  for (const pod of owned) {
    if (!isTracked(pod)) continue;
    const ended = isFailed(pod, job);
    const free = job.metadata.deletionTimestamp || verdictNow || pod.status?.phase === 'Succeeded';
    if (!free && (!ended || count.keptByIndex.get(indexOf(pod)) === pod)) continue;
    untracked.push(pod);
    const { uid } = pod.metadata;
    const inRange = !indexed || (indexOf(pod) >= 0 && indexOf(pod) < (job.spec?.completions ?? 0));
    if (pod.status?.phase === 'Succeeded' && !known.has(uid)) {
      if (indexed && inRange) indexes.add(indexOf(pod));
      else if (!indexed && !knownSucceeded.has(uid)) uncounted.succeeded.push(uid);
    } else if (ended || (verdictNow && verdictNow.type !== 'SuccessCriteriaMet')) {
      if (!known.has(uid) && inRange && judgeFailure(job, pod).counts) uncounted.failed.push(uid);
    }
    if (uncounted.succeeded.length + uncounted.failed.length >= burst) {
      full = true;
      break;
    }
  }
  let { conditions = [] } = draft;
  let final = verdictNow;
  if (final?.type === 'FailureTarget') {
    conditions = [...conditions, final];
    final = condition('Failed', final.reason ?? '', final.message ?? '', now);
  } else if (final?.type === 'SuccessCriteriaMet') {
    if (!trueCondition(job, 'SuccessCriteriaMet')) conditions = [...conditions, final];
    final = condition('Complete', final.reason ?? '', final.message ?? '', now);
  }
  const compose = (): V1JobStatus => {
    const { uncountedTerminatedPods: _, ...rest } = draft;
    const { succeeded, failed } = uncounted;
    return {
      ...rest,
      uncountedTerminatedPods: {
        ...(succeeded.length > 0 && { succeeded: [...succeeded] }),
        ...(failed.length > 0 && { failed: [...failed] }),
      },
      ...(uncounted.succeededCount > 0 && { succeeded: uncounted.succeededCount }),
      ...(uncounted.failedCount > 0 && { failed: uncounted.failedCount }),
      ...(indexed && { succeeded: indexes.size, completedIndexes: formatIndexes(indexes) }),
      ...(count.failedIndexes && { failedIndexes: formatIndexes(count.failedIndexes) }),
      ...(conditions.length > 0 && { conditions }),
    };
  };
  let live = await writeStatus(context, jobs, job, clean(compose()));
  flushed();
  await allOrFirstError(untracked.map((pod) => untrack(context, pod)));
  for (const pod of untracked) tracked.delete(pod.metadata.uid);
  const after = settle(compose(), tracked);
  Object.assign(uncounted, after);
  const allCounted = !full && after.succeeded.length === 0 && after.failed.length === 0;
  const isOver = final !== undefined && allCounted && (draft.terminating ?? 0) === 0;
  if (isOver && final) {
    conditions = [...conditions, final];
    const end = final.type === 'Complete' ? { completionTime: final.lastTransitionTime ?? rfc3339(now) } : {};
    live = await writeStatus(context, jobs, live, clean({ ...compose(), ...end }));
    sayFinished(context, live, final);
    context.log.debug('a job has finished', { key, condition: final.type });
    return;
  }
  await writeStatus(context, jobs, live, clean(compose()));
}

/** Moves pods whose finalizer is off from the list of the uncounted into the numbers. */
function settle(
  status: V1JobStatus,
  tracked: ReadonlySet<string>,
): { succeeded: string[]; failed: string[]; succeededCount: number; failedCount: number } {
  const succeeded = status.uncountedTerminatedPods?.succeeded ?? [];
  const failed = status.uncountedTerminatedPods?.failed ?? [];
  const stillSucceeded = succeeded.filter((uid) => tracked.has(uid));
  const stillFailed = failed.filter((uid) => tracked.has(uid));
  return {
    succeeded: stillSucceeded,
    failed: stillFailed,
    succeededCount: (status.succeeded ?? 0) + succeeded.length - stillSucceeded.length,
    failedCount: (status.failed ?? 0) + failed.length - stillFailed.length,
  };
}

/** Zero counts are left out, as Go does. */
function clean(status: V1JobStatus): V1JobStatus {
  const { active, succeeded, failed, completedIndexes, ...rest } = status;
  return {
    ...rest,
    ...(active && { active }),
    ...(succeeded && { succeeded }),
    ...(failed && { failed }),
    ...(completedIndexes && { completedIndexes }),
  };
}

function sayFinished(context: ControllerContext, job: Job, final: V1JobCondition): void {
  if (final.type !== 'Complete') {
    context.events.event(job, 'Warning', final.reason ?? '', final.message ?? '');
    return;
  }
  const { completions } = job.spec ?? {};
  if (completions !== undefined && (job.status?.succeeded ?? 0) > completions) {
    const message = 'Too many succeeded pods running after completion count reached';
    context.events.event(job, 'Warning', 'TooManySucceededPods', message);
  }
  context.events.event(job, 'Normal', 'Completed', 'Job completed');
}
