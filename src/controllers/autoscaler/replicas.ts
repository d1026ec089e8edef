import type { V1Pod } from '../../api/generated/types.ts';
import { milliValueOf } from '../../api/quantity.ts';
import type { Live } from '../../api/resource.ts';
import { podCondition } from '../support/pods.ts';

type Pod = Live<V1Pod>;

/** What a pod uses, in thousandths, measured over `window` milliseconds up to `at` (epoch milliseconds). */
export interface PodUsage {
  readonly milli: number;
  readonly at: number;
  readonly window: number;
}

/** How far the ratio may be from 1 before anything is done. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export interface Proposal {
  readonly replicas: number;
  /** Percent of the requests, where the target is one. */
  readonly utilization?: number;
  /** The average of the pods, thousandths. */
  readonly average: number;
}

/** CPU of a pod that has just started says nothing (--horizontal-pod-autoscaler-cpu-initialization-period, -initial-readiness-delay). */
const cpuInitialization = 5 * 60_000;
const readinessDelay = 30_000;

interface Groups {
  readonly ready: number;
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  readonly ignored: ReadonlySet<string>;
}

/** Which pods' numbers count (groupPods). Pure. */
export function groupPods(
  pods: readonly Pod[],
  usage: ReadonlyMap<string, PodUsage>,
  resource: string,
  now: number,
): Groups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let ready = 0;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const measured = usage.get(name);
    if (deletionTimestamp || pod.status?.phase === 'Failed') ignored.add(name);
    else if (pod.status?.phase === 'Pending') unready.add(name);
    else if (!measured) missing.add(name);
    else if (resource === 'cpu' && isWarmingUp(pod, measured, now)) unready.add(name);
    else ready++;
  }
  return { ready, unready, missing, ignored };
}

function isWarmingUp(pod: Pod, measured: PodUsage, now: number): boolean {
  const condition = podCondition(pod, 'Ready');
  const started = Date.parse(pod.status?.startTime ?? '');
  if (!condition || Number.isNaN(started)) return true;
  const changed = Date.parse(condition.lastTransitionTime ?? '') || 0;
  if (started + cpuInitialization > now) return condition.status === 'False' || measured.at < changed + measured.window;
  return condition.status === 'False' && started + readinessDelay > changed;
}

/** What the pods ask for, thousandths, by name; of one container where named. Throws where one asks for nothing. */
export function requestsOf(
  pods: readonly Pod[],
  resource: string,
  container: string | undefined,
): ReadonlyMap<string, number> {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    const whole = container === undefined ? pod.spec?.resources?.requests : undefined;
    if (whole && Object.keys(whole).length > 0) {
      if (whole[resource] === undefined) {
        throw new Error(`missing pod-level request for ${resource} in Pod ${pod.metadata.name}`);
      }
      requests.set(pod.metadata.name, milliValueOf(whole[resource]));
      continue;
    }
    const sidecars = (pod.spec?.initContainers ?? []).filter((it) => it.restartPolicy === 'Always');
    const all = [...(pod.spec?.containers ?? []), ...sidecars].filter(
      (it) => container === undefined || it.name === container,
    );
    if (all.length === 0) throw new Error(`container ${container} not found in Pod ${pod.metadata.name}`);
    let sum = 0;
    for (const it of all) {
      const request = it.resources?.requests?.[resource];
      if (request === undefined) {
        throw new Error(`missing request for ${resource} in container ${it.name} of Pod ${pod.metadata.name}`);
      }
      sum += milliValueOf(request);
    }
    requests.set(pod.metadata.name, sum);
  }
  return requests;
}

type Target = { readonly utilization: number } | { readonly averageMilli: number };

/**
 * How many replicas bring the average to the target (replica_calculator.go). Pods that are not measured are taken to use what hinders a change:
 * nothing when scaling up, all they may when scaling down. Pure; throws what the condition says.
 */
export function proposeReplicas(it: {
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly usage: ReadonlyMap<string, PodUsage>;
  readonly resource: string;
  readonly container?: string;
  readonly target: Target;
  readonly tolerances: Tolerances;
  readonly now: number;
}): Proposal {
  const { current, pods, resource, target } = it;
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count');
  const groups = groupPods(pods, it.usage, resource, it.now);
  const measured = new Map<string, number>();
  for (const [name, { milli }] of it.usage) {
    if (!groups.ignored.has(name) && !groups.unready.has(name)) measured.set(name, milli);
  }
  if (measured.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)');
  const requests = 'utilization' in target ? requestsOf(pods, resource, it.container) : undefined;
  const rate = (values: ReadonlyMap<string, number>): { ratio: number; utilization?: number; average: number } => {
    let sum = 0;
    let asked = 0;
    for (const [name, milli] of values) {
      if (requests && !requests.has(name)) continue;
      sum += milli;
      asked += requests?.get(name) ?? 0;
    }
    const average = Math.floor(sum / values.size);
    if (!('utilization' in target)) return { ratio: sum / values.size / target.averageMilli, average };
    if (asked === 0) throw new Error('no metrics returned matched known pods');
    const utilization = Math.floor((sum * 100) / asked);
    return { ratio: utilization / target.utilization, utilization, average };
  };
  const first = rate(measured);
  const within = (ratio: number): boolean => 1 - it.tolerances.down <= ratio && ratio <= 1 + it.tolerances.up;
  const answer = (replicas: number): Proposal => ({
    replicas,
    average: first.average,
    ...(first.utilization !== undefined && { utilization: first.utilization }),
  });
  const upWithUnready = groups.unready.size > 0 && first.ratio > 1;
  if (!upWithUnready && groups.missing.size === 0) {
    return answer(within(first.ratio) ? current : Math.ceil(first.ratio * groups.ready));
  }
  if (first.ratio < 1) {
    const full = (name: string): number =>
      'utilization' in target
        ? Math.floor(((requests?.get(name) ?? 0) * Math.max(100, target.utilization)) / 100)
        : target.averageMilli;
    for (const name of groups.missing) measured.set(name, full(name));
  } else if (first.ratio > 1) for (const name of groups.missing) measured.set(name, 0);
  if (upWithUnready) for (const name of groups.unready) measured.set(name, 0);
  const { ratio } = rate(measured);
  if (within(ratio) || (first.ratio < 1 && ratio > 1) || (first.ratio > 1 && ratio < 1)) return answer(current);
  const next = Math.ceil(ratio * measured.size);
  if ((ratio < 1 && next > current) || (ratio > 1 && next < current)) return answer(current);
  return answer(next);
}
