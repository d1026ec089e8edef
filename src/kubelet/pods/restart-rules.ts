import type { V1Container, V1Pod, V1PodStatus } from '../../api/generated/types.ts';
import { findContainer, type ObservedPod } from './observed.ts';

/** The action of the first restart rule that this exit code matches. Upstream: FindMatchingContainerRestartRule. */
export function matchingRestartAction(container: V1Container, exitCode: number): string | undefined {
  for (const rule of container.restartPolicyRules ?? []) {
    if (!rule.exitCodes) continue;
    const listed = (rule.exitCodes.values ?? []).includes(exitCode);
    if ((rule.exitCodes.operator === 'In' && listed) || (rule.exitCodes.operator === 'NotIn' && !listed))
      return rule.action;
  }
  return undefined;
}

/** Whether a container that ended with this code runs again: rules, then its own policy, then the pod's. */
export function exitRestarts(container: V1Container, podPolicy: string | undefined, exitCode: number): boolean {
  if (container.restartPolicy !== undefined) {
    const action = matchingRestartAction(container, exitCode);
    if (action === 'Restart' || action === 'RestartAllContainers') return true;
  }
  switch (container.restartPolicy ?? podPolicy) {
    case 'OnFailure':
      return exitCode !== 0;
    case 'Never':
      return false;
    default:
      return true;
  }
}

/** Upstream: ShouldContainerBeRestarted. */
export function shouldStart(container: V1Container, pod: V1Pod, observed: ObservedPod): boolean {
  if (pod.metadata?.deletionTimestamp) return false;
  const status = findContainer(observed, container.name);
  if (!status) return true;
  switch (status.state) {
    case 'running':
      return false;
    case 'unknown':
    case 'created':
      return true;
    case 'exited':
      return exitRestarts(container, pod.spec?.restartPolicy, status.exitCode);
  }
}

/** True when the pod has any rule that restarts all its containers. */
export function hasRestartAllRule(pod: V1Pod): boolean {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].some((container) =>
    (container.restartPolicyRules ?? []).some((rule) => rule.action === 'RestartAllContainers'),
  );
}

/** True while such a rule has fired and the restart is not done. Upstream: ShouldAllContainersRestart. */
export function allContainersRestart(
  pod: V1Pod,
  observed: ObservedPod | undefined,
  status: V1PodStatus | undefined,
): boolean {
  if (status?.conditions?.some((it) => it.type === 'AllContainersRestarting' && it.status === 'True')) return true;
  if (!hasRestartAllRule(pod)) return false;
  const reported = new Map(
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map((it) => [it.name, it]),
  );
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    if (observed) {
      const seen = findContainer(observed, container.name);
      if (seen?.state !== 'exited') continue;
      if (matchingRestartAction(container, seen.exitCode) === 'RestartAllContainers') return true;
    }
    const ended = reported.get(container.name)?.state?.terminated;
    if (ended && matchingRestartAction(container, ended.exitCode) === 'RestartAllContainers') return true;
  }
  return false;
}
