import { jobs, pods } from '../../api/generated/resources.ts';
import type { V1JobCondition, V1JobStatus } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { hasReason } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import { keyOf, splitKey } from '../../client/informer.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import { conditionOf } from '../support/conditions.ts';
import { claim, controllerKey, controllerOf } from '../support/owners.ts';
import { allOrFirstError, createPod, deletePod, isNamespaceTerminating, slowStart } from '../support/pod-control.ts';
import { compareForDeletion, isPodReady } from '../support/pods.ts';
import { writeStatus } from '../support/status.ts';
import { type Count, countPods, pendingIndexes } from './count.ts';
import {
  absoluteFailureCount,
  defaultManager,
  finishedAt,
  finishedCondition,
  hasLimitPerIndex,
  indexOf,
  isFailed,
  isIndexed,
  isSuspended,
  isTracked,
  type Job,
  jobPod,
  judgeFailure,
  type Pod,
  replacesOnlyFailed,
  restartsExceed,
  retryWait,
  successMessage,
  trackingFinalizer,
  trueCondition,
} from './facts.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';

/** Pods created or deleted, and pods counted, in one reconcile at most. */
const burst = 500;

/** Failures in a row since the last success, for the wait before the next pod. */
type Failures = Map<string, { count: number; last: number }>;

/** Runs pods to completion. Upstream: pkg/controller/job. */
export function jobController(): Controller {
  const failures: Failures = new Map();
  return {
    name: 'job-controller',
    watches: [
      watched({ resource: jobs, keys: (job) => [keyOf(job)] }),
      watched({
        resource: pods,
        keys(pod, { old, gone }, context) {
          const keys = [...controllerKey(pod, jobs), ...(old ? controllerKey(old, jobs) : [])];
          if (!gone && isTracked(pod) && isOrphan(pod, context)) keys.push(`orphan:${keyOf(pod)}`);
          if (controllerOf(pod) || pod.metadata.deletionTimestamp) return keys;
          for (const job of context.informers.informer(jobs).byIndex('namespace', pod.metadata.namespace ?? '')) {
            if (matchesLabels(requirementsOf(job.spec?.selector), pod.metadata.labels)) keys.push(keyOf(job));
          }
          return keys;
        },
      }),
    ],
    access: [
      rule('batch', 'jobs', `${read} update patch`),
      rule('batch', 'jobs/status jobs/finalizers', 'update'),
      rule('', 'pods', `${read} create delete patch`),
      ...mayRecord,
    ],
    reconcile: (key, context) =>
      key.startsWith('orphan:') ? freeOrphan(key.slice(7), context) : reconcile(key, context, failures),
  };
}

/** A tracked pod whose Job is gone: nobody would ever take its finalizer off. */
function isOrphan(pod: Pod, context: ControllerContext): boolean {
  const owner = controllerOf(pod);
  if (!owner) return true;
  if (owner.kind !== 'Job') return false;
  const job = context.informers.informer(jobs).get(`${pod.metadata.namespace}/${owner.name}`);
  return job?.metadata.uid !== owner.uid;
}

async function freeOrphan(key: string, context: ControllerContext): Promise<Outcome> {
  const pod = context.informers.informer(pods).get(key);
  if (pod && isTracked(pod) && isOrphan(pod, context)) await untrack(context, pod);
  return undefined;
}

async function untrack(context: ControllerContext, pod: Pod): Promise<void> {
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

async function reconcile(key: string, context: ControllerContext, failures: Failures): Promise<Outcome> {
  const job = context.informers.informer(jobs).get(key);
  if (!job) {
    failures.delete(key);
    const { namespace } = splitKey(key);
    // Pods of a Job that went without its finalizers being taken off.
    for (const pod of context.informers.informer(pods).byIndex('namespace', namespace ?? '')) {
      if (isTracked(pod) && controllerKey(pod, jobs)[0] === key && isOrphan(pod, context)) await untrack(context, pod);
    }
    return undefined;
  }
  if ((job.spec?.managedBy ?? defaultManager) !== defaultManager) return undefined;
  if (finishedCondition(job)) {
    failures.delete(key);
    for (const pod of context.informers.informer(pods).byIndex('owner', job.metadata.uid)) {
      if (isTracked(pod)) await untrack(context, pod);
    }
    return undefined;
  }
  const owned = await claim({
    client: context.client,
    owner: job,
    ownerResource: jobs,
    resource: pods,
    informer: context.informers.informer(pods),
    selector: job.spec?.selector,
  });
  return sync(key, job, owned, context, failures);
}

const condition = (type: string, reason: string, message: string, now: number): V1JobCondition => ({
  type,
  status: 'True',
  lastProbeTime: rfc3339(now),
  lastTransitionTime: rfc3339(now),
  reason,
  message,
});

/** Why the Job is to end now, if it is. */
export function verdict(
  job: Job,
  owned: readonly Pod[],
  count: Count,
  startTime: number | undefined,
  now: number,
): V1JobCondition | undefined {
  const met = trueCondition(job, 'SuccessCriteriaMet');
  if (met) return met;
  const target = trueCondition(job, 'FailureTarget');
  if (target) return condition('Failed', target.reason ?? '', target.message ?? '', now);
  const fail = (reason: string, message: string): V1JobCondition => condition('FailureTarget', reason, message, now);
  if (job.spec?.podFailurePolicy) {
    for (const pod of owned) {
      const message = isFailed(pod, job) ? judgeFailure(job, pod).message : undefined;
      if (message !== undefined) return fail('PodFailurePolicy', message);
    }
  }
  if (count.failed > (job.spec?.backoffLimit ?? 6) || restartsExceed(job, owned)) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  const deadline = job.spec?.activeDeadlineSeconds;
  if (deadline !== undefined && startTime !== undefined && !isSuspended(job) && now - startTime >= deadline * 1000) {
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  if (!isIndexed(job)) return undefined;
  const completions = job.spec?.completions ?? 0;
  const failed = count.failedIndexes?.size ?? 0;
  if (job.spec?.maxFailedIndexes !== undefined && failed > job.spec.maxFailedIndexes) {
    return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  if (failed > 0 && failed + count.succeededIndexes.size >= completions) {
    return fail('FailedIndexes', 'Job has failed indexes');
  }
  const message = successMessage(job, count.succeededIndexes, completions, parseIndexes);
  return message === undefined ? undefined : condition('SuccessCriteriaMet', 'SuccessPolicy', message, now);
}

async function sync(
  key: string,
  job: Job,
  owned: readonly Pod[],
  context: ControllerContext,
  failures: Failures,
): Promise<Outcome> {
  const now = context.clock.now();
  const count = countPods(job, owned);
  let startTime = job.status?.startTime ?? (isSuspended(job) ? undefined : rfc3339(now));
  let conditions = job.status?.conditions ?? [];
  let active = count.active.length;
  let terminating = count.terminating;
  let ready = count.active.filter(isPodReady).length;
  let again: number | undefined;
  let problem: unknown;
  let finished = verdict(job, owned, count, startTime === undefined ? undefined : Date.parse(startTime), now);
  const failed = noteFailures(failures.get(key), count);
  const deadline = job.spec?.activeDeadlineSeconds;
  if (!finished && deadline !== undefined && startTime !== undefined && !isSuspended(job)) {
    again = Math.max(1, Date.parse(startTime) + deadline * 1000 - now);
  }
  const gone = (removed: readonly Pod[]): void => {
    active -= removed.length;
    terminating += removed.length;
    ready -= removed.filter(isPodReady).length;
  };
  if (finished) {
    const { removed, error } = await removePods(context, job, count.active);
    gone(removed);
    problem = error;
    if (removed.length !== count.active.length) finished = undefined;
  } else {
    if (!job.metadata.deletionTimestamp) {
      const step = await manage(context, job, owned, count, failed, now);
      gone(step.removed);
      active += step.created;
      problem = step.error;
      if (step.wait !== undefined) again = Math.min(again ?? Number.POSITIVE_INFINITY, step.wait);
    }
    const { completions } = job.spec ?? {};
    const done =
      completions === undefined ? count.succeeded > 0 && active === 0 : count.succeeded >= completions && active === 0;
    if (done) {
      finished = condition(
        'SuccessCriteriaMet',
        'CompletionsReached',
        'Reached expected number of succeeded pods',
        now,
      );
    } else if (!job.metadata.deletionTimestamp) {
      const marked = markSuspension(job, conditions, now);
      if (marked) {
        conditions = marked.conditions;
        context.events.event(job, 'Normal', marked.reason, marked.message);
        startTime = isSuspended(job) ? undefined : rfc3339(now);
      }
    }
  }
  const { startTime: _, ...old } = job.status ?? {};
  const status: V1JobStatus = {
    ...old,
    ...(startTime !== undefined && { startTime }),
    ...(conditions.length > 0 && { conditions }),
    active,
    ready,
    terminating,
  };
  await trackFinished(key, job, owned, count, finished, status, context, () => failures.set(key, failed));
  if (problem !== undefined) throw problem;
  return again === undefined ? undefined : { again };
}

function noteFailures(
  known: { readonly count: number; readonly last: number } | undefined,
  count: Count,
): { count: number; last: number } {
  const failed = count.newFailed.map(finishedAt).sort((a, b) => a - b);
  const lastSuccess = Math.max(Number.NEGATIVE_INFINITY, ...count.newSucceeded.map(finishedAt));
  const recent = failed.filter((at) => at > lastSuccess);
  const base = count.newSucceeded.length > 0 ? 0 : (known?.count ?? 0);
  return { count: base + recent.length, last: recent.at(-1) ?? known?.last ?? 0 };
}

function markSuspension(
  job: Job,
  conditions: readonly V1JobCondition[],
  now: number,
): { readonly conditions: readonly V1JobCondition[]; readonly reason: string; readonly message: string } | undefined {
  const wanted = isSuspended(job) ? 'True' : 'False';
  const current = conditionOf(conditions, 'Suspended');
  if (current ? current.status === wanted : wanted === 'False') return undefined;
  const [reason, message] = isSuspended(job) ? ['JobSuspended', 'Job suspended'] : ['JobResumed', 'Job resumed'];
  const next = { ...condition('Suspended', reason ?? '', message ?? '', now), status: wanted };
  return {
    conditions: current ? conditions.map((it) => (it.type === 'Suspended' ? next : it)) : [...conditions, next],
    reason: isSuspended(job) ? 'Suspended' : 'Resumed',
    message: message ?? '',
  };
}

async function removePods(
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

interface Step {
  readonly removed: readonly Pod[];
  readonly created: number;
  readonly wait?: number;
  readonly error?: unknown;
}

/** Brings the number of running pods to what is wanted. */
async function manage(
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

/**
 * Counts each finished pod exactly once: its uid goes into the status first, then its finalizer comes off, then it becomes part of
 * the numbers. Ends the Job when nothing is left to count.
 */
async function trackFinished(
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
