import type { V1JobStatus } from '../../api/generated/types.ts';
import {
  absoluteFailureCount,
  failureCount,
  finishedAt,
  hasLimitPerIndex,
  indexOf,
  isFailed,
  isIndexed,
  isTracked,
  type Job,
  judgeFailure,
  type Pod,
} from './facts.ts';
import { parseIndexes } from './indexes.ts';

/** What a Job's pods amount to at this moment. */
export interface Count {
  readonly active: readonly Pod[];
  readonly terminating: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly newSucceeded: readonly Pod[];
  readonly newFailed: readonly Pod[];
  /** Indexed Jobs only. */
  readonly succeededIndexes: ReadonlySet<number>;
  readonly recordedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number> | undefined;
  /** The failed pod of an index that is kept until its successor is made, since it carries the count of failures. */
  readonly keptByIndex: ReadonlyMap<number, Pod>;
}

export function countPods(job: Job, pods: readonly Pod[]): Count {
  const status: V1JobStatus = job.status ?? {};
  const uncountedSucceeded = new Set(status.uncountedTerminatedPods?.succeeded ?? []);
  const uncountedFailed = new Set(status.uncountedTerminatedPods?.failed ?? []);
  const completions = job.spec?.completions ?? Number.POSITIVE_INFINITY;
  const indexed = isIndexed(job);
  const hasIndex = (pod: Pod): boolean => !indexed || (indexOf(pod) >= 0 && indexOf(pod) < completions);
  const active = pods.filter(
    (pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed' && !pod.metadata.deletionTimestamp,
  );
  const tracked = pods.filter((pod) => isTracked(pod) && hasIndex(pod));
  const newSucceeded = tracked.filter(
    (pod) => pod.status?.phase === 'Succeeded' && !uncountedSucceeded.has(pod.metadata.uid),
  );
  const newFailed = tracked.filter((pod) => isFailed(pod, job) && !uncountedFailed.has(pod.metadata.uid));
  const counted = newFailed.filter((pod) => judgeFailure(job, pod).counts);
  const recordedIndexes = indexed ? parseIndexes(status.completedIndexes, completions) : new Set<number>();
  const succeededIndexes = new Set(recordedIndexes);
  if (indexed) for (const pod of tracked) if (pod.status?.phase === 'Succeeded') succeededIndexes.add(indexOf(pod));
  const failedIndexes = indexed && hasLimitPerIndex(job) ? failedOf(job, tracked, completions) : undefined;
  return {
    active,
    terminating: pods.filter(
      (pod) => pod.metadata.deletionTimestamp && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
    ).length,
    succeeded: indexed
      ? succeededIndexes.size
      : (status.succeeded ?? 0) + newSucceeded.length + uncountedSucceeded.size,
    failed: (status.failed ?? 0) + counted.length + uncountedFailed.size,
    newSucceeded,
    newFailed,
    succeededIndexes,
    recordedIndexes,
    failedIndexes,
    keptByIndex: failedIndexes
      ? kept(job, tracked, new Set([...succeededIndexes, ...failedIndexes, ...active.map(indexOf)]))
      : new Map(),
  };
}

function failedOf(job: Job, tracked: readonly Pod[], completions: number): ReadonlySet<number> {
  const failed = parseIndexes(job.status?.failedIndexes, completions);
  const limit = job.spec?.backoffLimitPerIndex ?? 0;
  for (const pod of tracked) {
    if (!isFailed(pod, job)) continue;
    const verdict = judgeFailure(job, pod);
    if (verdict.action === 'FailIndex' || (verdict.counts && failureCount(pod) >= limit)) failed.add(indexOf(pod));
  }
  return failed;
}

function kept(job: Job, tracked: readonly Pod[], settled: ReadonlySet<number>): ReadonlyMap<number, Pod> {
  const map = new Map<number, Pod>();
  for (const pod of tracked) {
    const index = indexOf(pod);
    if (!isFailed(pod, job) || settled.has(index)) continue;
    const other = map.get(index);
    const later =
      !other || (absoluteFailureCount(other) <= absoluteFailureCount(pod) && finishedAt(pod) >= finishedAt(other));
    if (later) map.set(index, pod);
  }
  return map;
}

/** The lowest indexes that neither run nor are settled. */
export function pendingIndexes(
  job: Job,
  pods: readonly Pod[],
  count: Count,
  wanted: number,
  replaceOnlyFailed: boolean,
): readonly number[] {
  const busy = new Set([...count.succeededIndexes, ...(count.failedIndexes ?? []), ...count.active.map(indexOf)]);
  if (replaceOnlyFailed) {
    for (const pod of pods) if (pod.metadata.deletionTimestamp && !isFailed(pod, job)) busy.add(indexOf(pod));
  }
  const found: number[] = [];
  const completions = job.spec?.completions ?? 0;
  for (let index = 0; index < completions && found.length < wanted; index++) if (!busy.has(index)) found.push(index);
  return found;
}
