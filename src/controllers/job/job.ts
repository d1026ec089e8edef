import { jobs, pods } from '../../api/generated/resources.ts';
import type { V1JobCondition, V1JobStatus } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { rfc3339 } from '../../base/clock.ts';
import { keyOf, splitKey } from '../../client/informer.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import { conditionOf } from '../support/conditions.ts';
import { claim, controllerKey, controllerOf } from '../support/owners.ts';
import { isPodReady } from '../support/pods.ts';
import { type Count, countPods } from './count.ts';
import {
  condition,
  defaultManager,
  finishedAt,
  finishedCondition,
  isFailed,
  isIndexed,
  isSuspended,
  isTracked,
  type Job,
  judgeFailure,
  type Pod,
  restartsExceed,
  successMessage,
  trueCondition,
} from './facts.ts';
import { parseIndexes } from './indexes.ts';
import { manage, removePods, untrack } from './manage.ts';
import { trackFinished } from './track.ts';

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
