import type {
  V1ContainerStatus,
  V1Pod,
  V1PodCondition,
  V1PodStatus,
  V1ResourceRequirements,
} from '../../api/generated/types.ts';
import { rfc3339 } from '../../base/clock.ts';
import { ephemeralAsContainer, isHostNetwork, isSidecar, isTerminalPhase, type ObservedPod } from '../pods/observed.ts';
import { qosClass } from '../pods/resources.ts';
import { allContainersRestart } from '../pods/restart-rules.ts';
import {
  allContainersRestarting,
  containersReady,
  isKubeletCondition,
  type NewCondition,
  podInitialized,
  podReady,
  readyToStartContainers,
} from './conditions.ts';
import { containerStatuses, type StartReason } from './container-status.ts';
import { type PodPhase, podPhase } from './phase.ts';

/** What the probes say of a container. */
export interface ProbeView {
  /** True once the startup probe, where there is one, has succeeded. */
  started(containerName: string, containerId: string): boolean;
  /** True when the readiness probe says so, or there is none. */
  ready(containerName: string, containerId: string): boolean;
}

export interface PodStatusInput {
  readonly pod: V1Pod;
  readonly observed: ObservedPod;
  /** The newest status that the kubelet has made, else the API's. */
  readonly old: V1PodStatus;
  readonly now: number;
  /** All containers have stopped for good. */
  readonly terminal: boolean;
  readonly runtimeName: string;
  readonly hostIps: readonly string[];
  readonly reasons: ReadonlyMap<string, StartReason>;
  readonly probes: ProbeView;
  readonly actuated: (name: string) => V1ResourceRequirements | undefined;
  readonly resizeConditions: readonly V1PodCondition[];
  /** Set when the pod has to end: activeDeadlineSeconds, or an eviction (which may mark it as a target of disruption). */
  readonly evict?: { readonly reason: string; readonly message: string; readonly disruption?: boolean };
}

function withProbes(
  input: PodStatusInput,
  status: V1ContainerStatus,
  init: 'regular' | 'sidecar' | 'init',
): V1ContainerStatus {
  const running = status.state?.running !== undefined;
  const id = status.containerID ?? '';
  const started = running && input.probes.started(status.name, id);
  const startedField = init === 'init' && !running ? false : started;
  if (init === 'init')
    return {
      ...status,
      started: startedField,
      ready: status.state?.terminated?.exitCode === 0 && status.state.terminated !== undefined,
    };
  return { ...status, started, ready: started && input.probes.ready(status.name, id) };
}

/** Keeps the transition time of conditions whose status has not changed. */
export function stampConditions(
  conditions: readonly NewCondition[],
  old: readonly V1PodCondition[] | undefined,
  now: number,
): readonly V1PodCondition[] {
  return conditions.map((condition) => {
    const before = old?.find((it) => it.type === condition.type);
    return {
      ...condition,
      lastTransitionTime:
        before?.status === condition.status && before.lastTransitionTime !== undefined
          ? before.lastTransitionTime
          : rfc3339(now),
    };
  });
}

/** The whole status of a pod. Pure. Upstream: generateAPIPodStatus in pkg/kubelet/kubelet_pods.go. */
export function podStatus(input: PodStatusInput): V1PodStatus {
  const { pod, observed, old } = input;
  const spec = pod.spec;
  const common = {
    pod,
    observed,
    old,
    runtimeName: input.runtimeName,
    reasons: input.reasons,
    restartingAll: allContainersRestart(pod, observed, old),
    actuated: input.actuated,
  };
  const sidecars = new Set((spec?.initContainers ?? []).filter(isSidecar).map((it) => it.name));
  const regular = containerStatuses(common, spec?.containers ?? [], old.containerStatuses, false).map((it) =>
    withProbes(input, it, 'regular'),
  );
  const init = containerStatuses(common, spec?.initContainers ?? [], old.initContainerStatuses, true).map((it) =>
    withProbes(input, it, sidecars.has(it.name) ? 'sidecar' : 'init'),
  );
  const ephemeral = containerStatuses(
    common,
    (spec?.ephemeralContainers ?? []).map(ephemeralAsContainer),
    old.ephemeralContainerStatuses,
    false,
  );
  const all = [...init, ...regular];
  const sandbox = observed.sandboxes[0];
  const names = new Set((spec?.containers ?? []).map((it) => it.name));
  const anyActive = observed.containers.some((it) => it.sandboxId === sandbox?.id && names.has(it.name));
  let phase: PodPhase = podPhase(pod, all, input.terminal, anyActive);
  let reason = '';
  let message = '';
  const sticky = isTerminalPhase(old.phase)
    ? old.phase
    : isTerminalPhase(pod.status?.phase)
      ? pod.status?.phase
      : undefined;
  if (sticky !== undefined && !isTerminalPhase(phase)) phase = sticky as PodPhase;
  if (phase === old.phase) {
    reason = old.reason ?? pod.status?.reason ?? '';
    message = old.message ?? pod.status?.message ?? '';
  }
  if (input.evict) {
    phase = 'Failed';
    ({ reason, message } = input.evict);
  }
  const disruption: readonly NewCondition[] = input.evict?.disruption
    ? [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message }]
    : [];
  if (isTerminalPhase(pod.status?.phase)) phase = pod.status?.phase as PodPhase;
  const others = (pod.status?.conditions ?? []).filter(
    (it) => !isKubeletCondition(it.type) && !(disruption.length > 0 && it.type === 'DisruptionTarget'),
  );
  const generation = pod.metadata?.generation;
  const restarting = allContainersRestarting(pod, observed, old, phase);
  const own: readonly NewCondition[] = [
    readyToStartContainers(pod, observed),
    podInitialized(pod, old.conditions ?? [], all, phase),
    podReady(pod, others, all, phase),
    containersReady(pod, all, phase),
    { type: 'PodScheduled', status: 'True' },
  ].map((it) => ({ ...it, ...(generation !== undefined && { observedGeneration: generation }) }));
  const hostIp = input.hostIps[0];
  const ips = isHostNetwork(pod) && observed.ips.length === 0 ? input.hostIps : observed.ips;
  return {
    ...(generation !== undefined && { observedGeneration: Math.max(generation, old.observedGeneration ?? 0) }),
    phase,
    conditions: [
      ...others,
      ...(input.terminal ? [] : input.resizeConditions),
      ...stampConditions(
        [...disruption, ...own, ...(restarting ? [restarting] : [])],
        old.conditions ?? pod.status?.conditions,
        input.now,
      ),
    ],
    ...(reason !== '' && { reason }),
    ...(message !== '' && { message }),
    ...(hostIp !== undefined && { hostIP: hostIp, hostIPs: input.hostIps.map((ip) => ({ ip })) }),
    ...(ips.length > 0 && { podIP: ips[0] ?? '', podIPs: ips.map((ip) => ({ ip })) }),
    startTime: old.startTime ?? rfc3339(input.now),
    ...(init.length > 0 && { initContainerStatuses: init }),
    ...(regular.length > 0 && { containerStatuses: regular }),
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
    qosClass: pod.status?.qosClass ?? qosClass(pod),
  };
}
