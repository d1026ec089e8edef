import type { V1ContainerStatus, V1Pod, V1PodCondition } from '../../api/generated/types.ts';
import { goList } from '../go-format.ts';
import { isSidecar, type ObservedPod } from '../pods/observed.ts';
import { sandboxChanged } from '../pods/plan.ts';
import { allContainersRestart, hasRestartAllRule } from '../pods/restart-rules.ts';
import type { PodPhase } from './phase.ts';

/** A condition before its transition time is known. */
export type NewCondition = Omit<V1PodCondition, 'lastTransitionTime' | 'lastProbeTime'>;

/** The kubelet's own conditions; all others belong to somebody else. Upstream: types.PodConditionByKubelet. */
const owned = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);
export function isKubeletCondition(type: string): boolean {
  return owned.has(type);
}

const find = (statuses: readonly V1ContainerStatus[], name: string): V1ContainerStatus | undefined =>
  statuses.find((it) => it.name === name);

const terminal = (type: string, phase: PodPhase): NewCondition => ({
  type,
  status: 'False',
  reason: phase === 'Failed' ? 'PodFailed' : 'PodCompleted',
});

const notReady = (
  type: string,
  reason: string,
  unknown: readonly string[],
  listed: readonly string[],
  words: string,
): NewCondition | undefined => {
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${goList(unknown)}`] : []),
    ...(listed.length > 0 ? [`containers with ${words} status: ${goList(listed)}`] : []),
  ];
  return messages.length === 0 ? undefined : { type, status: 'False', reason, message: messages.join(', ') };
};

/** Upstream: GenerateContainersReadyCondition. */
export function containersReady(pod: V1Pod, statuses: readonly V1ContainerStatus[], phase: PodPhase): NewCondition {
  const type = 'ContainersReady';
  const unknown: string[] = [];
  const unready: string[] = [];
  for (const container of [...(pod.spec?.initContainers ?? []).filter(isSidecar), ...(pod.spec?.containers ?? [])]) {
    const status = find(statuses, container.name);
    if (!status) unknown.push(container.name);
    else if (!status.ready) unready.push(container.name);
  }
  if (phase === 'Failed' || (phase === 'Succeeded' && unknown.length === 0)) return terminal(type, phase);
  return notReady(type, 'ContainersNotReady', unknown, unready, 'unready') ?? { type, status: 'True' };
}

/** Upstream: GeneratePodReadyCondition. `conditions` are those of others, for readiness gates. */
export function podReady(
  pod: V1Pod,
  conditions: readonly NewCondition[],
  statuses: readonly V1ContainerStatus[],
  phase: PodPhase,
): NewCondition {
  const base = containersReady(pod, statuses, phase);
  if (base.status !== 'True') return { ...base, type: 'Ready' };
  const messages = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = conditions.find((it) => it.type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return condition.status === 'True'
      ? []
      : [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return messages.length > 0
    ? { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
    : { type: 'Ready', status: 'True' };
}

/** Upstream: GeneratePodInitializedCondition. */
export function podInitialized(
  pod: V1Pod,
  old: readonly V1PodCondition[],
  statuses: readonly V1ContainerStatus[],
  phase: PodPhase,
): NewCondition {
  const type = 'Initialized';
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of pod.spec?.initContainers ?? []) {
    const status = find(statuses, container.name);
    if (!status) unknown.push(container.name);
    else if (isSidecar(container) ? !status.started : !status.ready) incomplete.push(container.name);
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { type, status: 'True', reason: 'PodCompleted' };
  const regular = new Set((pod.spec?.containers ?? []).map((it) => it.name));
  if (statuses.some((it) => regular.has(it.name) && (it.state?.running || it.state?.terminated)))
    return { type, status: 'True' };
  if (hasRestartAllRule(pod) && old.some((it) => it.type === type && it.status === 'True'))
    return { type, status: 'True' };
  return notReady(type, 'ContainersNotInitialized', unknown, incomplete, 'incomplete') ?? { type, status: 'True' };
}

/** Upstream: GeneratePodReadyToStartContainersCondition. */
export function readyToStartContainers(pod: V1Pod, observed: ObservedPod): NewCondition {
  return { type: 'PodReadyToStartContainers', status: sandboxChanged(pod, observed).changed ? 'False' : 'True' };
}

/** Upstream: GenerateAllContainersRestartingCondition; undefined for pods without such a rule. */
export function allContainersRestarting(
  pod: V1Pod,
  observed: ObservedPod,
  old: V1Pod['status'],
  phase: PodPhase,
): NewCondition | undefined {
  if (!hasRestartAllRule(pod)) return undefined;
  const type = 'AllContainersRestarting';
  if (phase === 'Succeeded' || phase === 'Failed') return terminal(type, phase);
  const names = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((it) => it.name);
  const cleaned = !observed.containers.some((it) => names.includes(it.name));
  if (!allContainersRestart(pod, observed, old) || cleaned) return { type, status: 'False' };
  return {
    type,
    status: 'True',
    reason: 'RestartAllContainersStarted',
    message: 'container exited with restart policy rule',
  };
}
