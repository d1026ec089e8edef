import { jobs } from '../../api/generated/resources.ts';
import type {
  V1Container,
  V1Job,
  V1JobCondition,
  V1JobSpec,
  V1Pod,
  V1PodTemplateSpec,
} from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { rfc3339 } from '../../base/clock.ts';
import { conditionOf } from '../support/conditions.ts';
import { controllerReference } from '../support/owners.ts';
import { podFromTemplate } from '../support/pod-control.ts';
import { podCondition } from '../support/pods.ts';

export type Job = Live<V1Job>;
export type Pod = Live<V1Pod>;

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
const indexKey = 'batch.kubernetes.io/job-completion-index';
const failureCountKey = 'batch.kubernetes.io/job-index-failure-count';
const ignoredCountKey = 'batch.kubernetes.io/job-index-ignored-failure-count';
export const defaultManager = 'kubernetes.io/job-controller';

const specOf = (job: V1Job): Partial<V1JobSpec> => job.spec ?? {};
export const isIndexed = (job: V1Job): boolean => specOf(job).completionMode === 'Indexed';
export const isSuspended = (job: V1Job): boolean => specOf(job).suspend === true;
export const hasLimitPerIndex = (job: V1Job): boolean => specOf(job).backoffLimitPerIndex !== undefined;
export const replacesOnlyFailed = (job: V1Job): boolean =>
  specOf(job).podReplacementPolicy === 'Failed' || specOf(job).podFailurePolicy !== undefined;

/** The condition that says it is over: Complete or Failed. */
export const finishedCondition = (job: V1Job): V1JobCondition | undefined =>
  job.status?.conditions?.find((it) => (it.type === 'Complete' || it.type === 'Failed') && it.status === 'True');
export const trueCondition = (job: V1Job, type: string): V1JobCondition | undefined => {
  const found = conditionOf(job.status?.conditions, type);
  return found?.status === 'True' ? found : undefined;
};

export const condition = (type: string, reason: string, message: string, now: number): V1JobCondition => ({
  type,
  status: 'True',
  lastProbeTime: rfc3339(now),
  lastTransitionTime: rfc3339(now),
  reason,
  message,
});

export const isTracked = (pod: Pod): boolean => (pod.metadata.finalizers ?? []).includes(trackingFinalizer);
/** The completion index of a pod, -1 where it has none. */
export function indexOf(pod: V1Pod): number {
  const text = pod.metadata?.annotations?.[indexKey];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : -1;
}
export const failureCount = (pod: Pod): number => Number(pod.metadata.annotations?.[failureCountKey] ?? 0) || 0;
export const absoluteFailureCount = (pod: Pod): number =>
  failureCount(pod) + (Number(pod.metadata.annotations?.[ignoredCountKey] ?? 0) || 0);

/** Counted as failed: ended so, or on its way out where such pods are replaced at once. */
export function isFailed(pod: Pod, job: V1Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

/** When a pod came to its end, epoch milliseconds. */
export function finishedAt(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map((it) => it.state?.terminated?.finishedAt);
  if (ends.length > 0 && ends.every((it) => it !== undefined))
    return Math.max(...ends.map((it) => Date.parse(it ?? '')));
  const ready = podCondition(pod, 'Ready');
  if (ready?.status === 'False' && ready.lastTransitionTime) return Date.parse(ready.lastTransitionTime);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata;
  if (deletionTimestamp) return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  return Date.parse(creationTimestamp);
}

/** The wait before the next pod after so many failures: 10 s doubling to 10 min, from the last one on. */
export function retryWait(failures: number, lastFailure: number, now: number): number {
  if (failures === 0) return 0;
  const delay = Math.min(10_000 * 2 ** Math.min(failures - 1, 16), 600_000);
  return Math.max(0, lastFailure + delay - now);
}

export interface FailureVerdict {
  /** Why the whole Job fails. */
  readonly message?: string;
  readonly counts: boolean;
  readonly action?: string;
}

/** What the pod failure policy makes of a failed pod. */
export function judgeFailure(job: V1Job, pod: Pod): FailureVerdict {
  const rules = specOf(job).podFailurePolicy?.rules ?? [];
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  for (const [i, rule] of rules.entries()) {
    let why: string | undefined;
    if (rule.onExitCodes) {
      const { containerName, operator, values } = rule.onExitCodes;
      const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
      const hit = all.find(({ name: container, state }) => {
        const code = state?.terminated?.exitCode ?? 0;
        if (code === 0 || (containerName !== undefined && containerName !== container)) return false;
        return operator === 'In' ? values.includes(code) : !values.includes(code);
      });
      if (hit) {
        const code = hit.state?.terminated?.exitCode;
        why = `Container ${hit.name} for pod ${name} failed with exit code ${code} matching ${rule.action} rule at index ${i}`;
      }
    } else {
      const hit = (pod.status?.conditions ?? []).find((condition) =>
        (rule.onPodConditions ?? []).some(
          (it) => it.type === condition.type && (it.status ?? 'True') === condition.status,
        ),
      );
      if (hit) why = `Pod ${name} has condition ${hit.type} matching ${rule.action} rule at index ${i}`;
    }
    if (why === undefined) continue;
    const { action } = rule;
    return action === 'FailJob' ? { message: why, counts: true, action } : { counts: action !== 'Ignore', action };
  }
  return { counts: true };
}

/** Which rule of the success policy is met, as the condition says it. */
export function successMessage(
  job: V1Job,
  succeeded: ReadonlySet<number>,
  completions: number,
  parse: typeof import('./indexes.ts').parseIndexes,
): string | undefined {
  if (succeeded.size === 0) return undefined;
  for (const [i, rule] of (specOf(job).successPolicy?.rules ?? []).entries()) {
    if (rule.succeededIndexes !== undefined) {
      const wanted = parse(rule.succeededIndexes, completions);
      if (wanted.size === 0) continue;
      const met = [...wanted].filter((index) => succeeded.has(index)).length;
      if (met >= (rule.succeededCount ?? wanted.size)) return `Matched rules at index ${i}`;
    } else if (rule.succeededCount !== undefined && succeeded.size >= rule.succeededCount) {
      return `Matched rules at index ${i}`;
    }
  }
  return undefined;
}

/** A pod of the Job. `replaced` is the failed pod of the same index that it takes over from. */
export function jobPod(job: Job, index: number | undefined, replaced: Pod | undefined): V1Pod {
  const template = specOf(job).template ?? {};
  const withEnv = index === undefined ? template : indexedTemplate(job, template, index, replaced);
  const finalizers = [...new Set([...(template.metadata?.finalizers ?? []), trackingFinalizer])];
  const full = { ...withEnv, metadata: { ...withEnv.metadata, finalizers } };
  const prefix = index === undefined ? `${job.metadata.name}-` : indexPrefix(job.metadata.name, index);
  return podFromTemplate(full, job, controllerReference(jobs, job), { generateName: prefix });
}

const maxPrefix = 58;
function indexPrefix(name: string, index: number): string {
  const suffix = `-${index}-`;
  return name.slice(0, Math.max(0, maxPrefix - suffix.length)) + suffix;
}

function indexedTemplate(
  job: Job,
  template: V1PodTemplateSpec,
  index: number,
  replaced: Pod | undefined,
): V1PodTemplateSpec {
  const env = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } },
  };
  const add = (container: V1Container): V1Container =>
    container.env?.some((it) => it.name === env.name)
      ? container
      : { ...container, env: [...(container.env ?? []), env] };
  const counts: Record<string, string> = {};
  if (hasLimitPerIndex(job)) {
    const counted = replaced ? judgeFailure(job, replaced).counts : false;
    const ignored = replaced ? absoluteFailureCount(replaced) - failureCount(replaced) + (counted ? 0 : 1) : 0;
    counts[failureCountKey] = String(replaced ? failureCount(replaced) + (counted ? 1 : 0) : 0);
    if (ignored > 0) counts[ignoredCountKey] = String(ignored);
  }
  const { spec } = template;
  return {
    ...template,
    metadata: {
      ...template.metadata,
      labels: { ...template.metadata?.labels, [indexKey]: String(index) },
      annotations: { ...template.metadata?.annotations, [indexKey]: String(index), ...counts },
    },
    ...(spec && {
      spec: {
        ...spec,
        hostname: `${job.metadata.name}-${index}`,
        ...(spec.initContainers && { initContainers: spec.initContainers.map(add) }),
        containers: spec.containers.map(add),
      },
    }),
  };
}

/** Restarts of all containers have used up the limit, where the kubelet restarts them. */
export function restartsExceed(job: Job, pods: readonly Pod[]): boolean {
  if (specOf(job).template?.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const pod of pods) {
    if (pod.status?.phase !== 'Running' && pod.status?.phase !== 'Pending') continue;
    for (const it of [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]) {
      restarts += it.restartCount;
    }
  }
  const limit = specOf(job).backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}
