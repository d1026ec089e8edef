import type { V1ContainerStatus, V1Pod } from '../../api/generated/types.ts';
import { isSidecar, isStaticPod } from '../pods/observed.ts';
import { exitRestarts } from '../pods/restart-rules.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

const restartingAll = 'RestartingAllContainers';

/** The pod's phase from its containers' statuses. Pure. Upstream: getPhase in pkg/kubelet/kubelet_pods.go. */
export function podPhase(
  pod: V1Pod,
  statuses: readonly V1ContainerStatus[],
  podIsTerminal: boolean,
  anyRegularStarted: boolean,
): PodPhase {
  const byName = new Map(statuses.map((it) => [it.name, it]));
  const policy = pod.spec?.restartPolicy;
  let pendingInit = 0;
  let pendingSidecars = 0;
  let failedForGood = 0;
  let unknown = 0;
  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let stoppedForGood = 0;
  let succeeded = 0;
  for (const container of pod.spec?.initContainers ?? []) {
    const status = byName.get(container.name);
    const state = status?.state;
    if (isSidecar(container)) {
      if (!status) unknown++;
      else if (state?.running) {
        if (!status.started) pendingSidecars++;
        running++;
      } else if (state?.waiting) {
        if (!status.lastState?.terminated) {
          pendingSidecars++;
          waiting++;
        }
      } else if (!state?.terminated) {
        pendingSidecars++;
        unknown++;
      }
      continue;
    }
    const ended = state?.terminated ?? (state?.waiting ? status?.lastState?.terminated : undefined);
    if (!ended || state?.running) pendingInit++;
    else if (ended.exitCode !== 0 && !exitRestarts(container, policy, ended.exitCode) && ended.reason !== restartingAll)
      failedForGood++;
  }
  for (const container of pod.spec?.containers ?? []) {
    const status = byName.get(container.name);
    const state = status?.state;
    if (!state) {
      unknown++;
      continue;
    }
    const ended = state.terminated ?? (state.waiting ? status.lastState?.terminated : undefined);
    if (state.running) running++;
    else if (ended) {
      stopped++;
      if (!exitRestarts(container, policy, ended.exitCode) && ended.reason !== restartingAll) stoppedForGood++;
      if (state.terminated?.exitCode === 0) succeeded++;
    } else if (state.waiting) waiting++;
    else unknown++;
  }
  if (failedForGood > 0) return 'Failed';
  if (pendingInit > 0 || (pendingSidecars > 0 && !anyRegularStarted) || waiting > 0) return 'Pending';
  if (running > 0 && unknown === 0) return 'Running';
  if (running === 0 && stopped > 0 && unknown === 0) {
    if (podIsTerminal && !isStaticPod(pod)) return stopped === succeeded ? 'Succeeded' : 'Failed';
    if (stopped !== stoppedForGood) return 'Running';
    return stopped === succeeded ? 'Succeeded' : 'Failed';
  }
  return 'Pending';
}
