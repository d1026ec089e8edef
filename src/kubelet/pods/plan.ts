import type { V1Container, V1Pod } from '../../api/generated/types.ts';
import {
  ephemeralAsContainer,
  findContainer,
  hashContainer,
  isHostNetwork,
  type ObservedContainer,
  type ObservedPod,
} from './observed.ts';
import { planInitContainers } from './plan-init.ts';
import { matchingRestartAction, shouldStart } from './restart-rules.ts';

export type KillReason = 'StartupProbe' | 'LivenessProbe' | 'RestartAllContainers' | 'Unknown';
export type ProbeVerdict = 'success' | 'failure' | 'unknown' | undefined;

/** What the probes last said of a container id; undefined where none has run. */
export interface ProbeVerdicts {
  liveness(containerId: string): ProbeVerdict;
  startup(containerId: string): ProbeVerdict;
}

export interface KillAction {
  readonly container: ObservedContainer;
  readonly message: string;
  readonly reason: KillReason;
}

export interface ResetAction {
  readonly container: ObservedContainer;
  readonly kill: boolean;
}

/** How a running container has to change for its wanted resources. */
export type ResizeVerdict = 'keep' | 'update' | 'restart';

export interface PlanInput {
  readonly pod: V1Pod;
  readonly observed: ObservedPod;
  readonly probes: ProbeVerdicts;
  /** A rule has asked to restart all containers. */
  readonly restartAll: boolean;
  readonly resize: (container: V1Container, observed: ObservedContainer) => ResizeVerdict;
}

/** What to do for one pod, in the order of the fields. */
export interface PodPlan {
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  /** The sandbox to work in, or the one that is replaced; '' where there is none. */
  readonly sandboxId: string;
  readonly attempt: number;
  readonly toKill: readonly KillAction[];
  readonly toReset: readonly ResetAction[];
  readonly ephemeralToStart: readonly number[];
  readonly initToStart: readonly number[];
  readonly toUpdate: readonly { readonly spec: V1Container; readonly container: ObservedContainer }[];
  readonly toStart: readonly number[];
}

/** A plan being made. */
export interface PlanDraft {
  killPod: boolean;
  createSandbox: boolean;
  sandboxId: string;
  attempt: number;
  toKill: KillAction[];
  toReset: ResetAction[];
  ephemeralToStart: number[];
  initToStart: number[];
  toUpdate: { spec: V1Container; container: ObservedContainer }[];
  toStart: number[];
}

/** True when the plan asks for nothing. */
export function isIdle(plan: PodPlan): boolean {
  return (
    !plan.killPod &&
    !plan.createSandbox &&
    plan.toKill.length + plan.toReset.length + plan.ephemeralToStart.length + plan.initToStart.length === 0 &&
    plan.toUpdate.length + plan.toStart.length === 0
  );
}

/** Whether the pod needs a new sandbox, with which attempt, and the newest one's id. Upstream: PodSandboxChanged. */
export function sandboxChanged(
  pod: V1Pod,
  observed: ObservedPod,
): { readonly changed: boolean; readonly attempt: number; readonly id: string } {
  const newest = observed.sandboxes[0];
  if (!newest) return { changed: true, attempt: 0, id: '' };
  const next = { changed: true, attempt: newest.attempt + 1, id: newest.id };
  if (observed.sandboxes.filter((it) => it.ready).length > 1 || !newest.ready) return next;
  if (newest.hostNetwork !== isHostNetwork(pod)) return { ...next, id: '' };
  if (!isHostNetwork(pod) && newest.ips.length === 0) return next;
  return { changed: false, attempt: newest.attempt, id: newest.id };
}

/** True when a regular container has been made, in whatever sandbox. */
export function anyRegularCreated(pod: V1Pod, observed: ObservedPod): boolean {
  return (pod.spec?.containers ?? []).some((container) => findContainer(observed, container.name) !== undefined);
}

const planReset = (pod: V1Pod, observed: ObservedPod): ResetAction[] => {
  const split = (containers: readonly V1Container[]): { sources: ResetAction[]; targets: ResetAction[] } => {
    const sources: ResetAction[] = [];
    const targets: ResetAction[] = [];
    for (const spec of containers)
      for (const container of observed.containers.filter((it) => it.name === spec.name)) {
        if (container.state !== 'exited') targets.push({ container, kill: true });
        else if (matchingRestartAction(spec, container.exitCode) === 'RestartAllContainers')
          sources.push({ container, kill: false });
        else targets.push({ container, kill: false });
      }
    return { sources, targets };
  };
  const init = split(pod.spec?.initContainers ?? []);
  const regular = split(pod.spec?.containers ?? []);
  return [...regular.targets, ...init.targets, ...regular.sources, ...init.sources];
};

const planNewSandbox = (pod: V1Pod, observed: ObservedPod, draft: PlanDraft): void => {
  const containers = pod.spec?.containers ?? [];
  if (pod.spec?.restartPolicy === 'Never' && draft.attempt !== 0 && observed.containers.length > 0) {
    draft.createSandbox = false;
    return;
  }
  const start: number[] = [];
  containers.forEach((container, index) => {
    const onlyOnce = (container.restartPolicy ?? pod.spec?.restartPolicy) === 'OnFailure';
    const last = findContainer(observed, container.name);
    if (onlyOnce && last?.state === 'exited' && last.exitCode === 0) return;
    start.push(index);
  });
  if (start.length === 0 && anyRegularCreated(pod, observed)) {
    draft.createSandbox = false;
    return;
  }
  if ((pod.spec?.initContainers ?? []).length > 0) draft.initToStart = [0];
  else draft.toStart = start;
};

const planRegular = (input: PlanInput, draft: PlanDraft): void => {
  const { pod, observed, probes } = input;
  let kept = 0;
  (pod.spec?.containers ?? []).forEach((spec, index) => {
    const container = findContainer(observed, spec.name);
    if (container?.state !== 'running') {
      if (!shouldStart(spec, pod, observed)) return;
      draft.toStart.push(index);
      if (container?.state === 'unknown')
        draft.toKill.push({
          container,
          message: 'Container is in "unknown" state, try killing it before restart',
          reason: 'Unknown',
        });
      return;
    }
    let restart = (spec.restartPolicy ?? pod.spec?.restartPolicy) !== 'Never';
    let message: string;
    let reason: KillReason = 'Unknown';
    if (container.hash !== hashContainer(spec)) {
      message = `Container ${spec.name} definition changed`;
      restart = true;
    } else if (probes.liveness(container.id) === 'failure') {
      message = `Container ${spec.name} failed liveness probe`;
      reason = 'LivenessProbe';
    } else if (probes.startup(container.id) === 'failure') {
      message = `Container ${spec.name} failed startup probe`;
      reason = 'StartupProbe';
    } else {
      const verdict = input.resize(spec, container);
      if (verdict === 'restart') {
        draft.toKill.push({ container, message: `Container ${spec.name} resize requires restart`, reason: 'Unknown' });
        draft.toStart.push(index);
        return;
      }
      if (verdict === 'update') draft.toUpdate.push({ spec, container });
      kept++;
      return;
    }
    if (restart) {
      message = `${message}, will be restarted`;
      draft.toStart.push(index);
    }
    draft.toKill.push({ container, message, reason });
  });
  if (kept === 0 && draft.toStart.length === 0) {
    draft.killPod = true;
    draft.initToStart = [];
  }
};

/** What brings the pod's containers to what its spec wants. Pure. Upstream: computePodActions. */
export function planPod(input: PlanInput): PodPlan {
  const { pod, observed } = input;
  const sandbox = sandboxChanged(pod, observed);
  const draft: PlanDraft = {
    killPod: sandbox.changed,
    createSandbox: sandbox.changed,
    sandboxId: sandbox.id,
    attempt: sandbox.attempt,
    toKill: [],
    toReset: [],
    ephemeralToStart: [],
    initToStart: [],
    toUpdate: [],
    toStart: [],
  };
  if (input.restartAll) {
    draft.killPod = false;
    draft.createSandbox = false;
    draft.toReset = planReset(pod, observed);
    if (draft.toReset.length > 0) return draft;
    draft.killPod = sandbox.changed;
    draft.createSandbox = sandbox.changed;
  }
  if (sandbox.changed) {
    planNewSandbox(pod, observed, draft);
    return draft;
  }
  (pod.spec?.ephemeralContainers ?? []).forEach((container, index) => {
    if (!findContainer(observed, ephemeralAsContainer(container).name)) draft.ephemeralToStart.push(index);
  });
  const initialized = planInitContainers(input, draft);
  if (draft.killPod || !initialized) return draft;
  planRegular(input, draft);
  return draft;
}
