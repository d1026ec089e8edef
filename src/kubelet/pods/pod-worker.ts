import { equalJson } from '../../api/draft.ts';
import type { V1Pod, V1PodStatus } from '../../api/generated/types.ts';
import { type KubeletContext, podEvent, podSpan } from '../context.ts';
import { errorMessage } from '../go-format.ts';
import { podReady } from '../status/conditions.ts';
import type { StartReason } from '../status/container-status.ts';
import { podStatus } from '../status/pod-status.ts';
import type { MountedVolume } from '../volumes/volume-manager.ts';
import type { DownwardFacts } from './downward.ts';
import { gracePeriod, killPod } from './kill.ts';
import { observePod } from './observe.ts';
import {
  isHostNetwork,
  isTerminalPhase,
  nothingObserved,
  type ObservedContainer,
  type ObservedPod,
} from './observed.ts';
import { isIdle, planPod } from './plan.ts';
import { removePodGroup } from './pod-groups.ts';
import type { PodWorker, PodWorkerHooks, PokeReason, WorkerPhase } from './pod-worker-contract.ts';
import { pullSecrets } from './pull-secrets.ts';
import { keepReferences } from './references.ts';
import { resizeState } from './resize-state.ts';
import { allContainersRestart } from './restart-rules.ts';
import { runPlan } from './run-plan.ts';

const deadline: Ending = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};

/** Why the kubelet ends a pod that its owner has not asked to end. */
interface Ending {
  readonly reason: string;
  readonly message: string;
  /** Seconds, instead of the pod's own. */
  readonly grace?: number;
  readonly disruption?: boolean;
}

const retryAfterError = 10_000;
const retryNetwork = 1_000;
/** Failures that are worth another look soon, since the next state of theirs is a back-off that tells more. */
const soon = new Set(['ErrImagePull', 'RunContainerError', 'PostStartHookError']);

const fingerprint = (observed: ObservedPod): string =>
  [
    ...observed.sandboxes.map((it) => `${it.id}:${it.ready}`),
    ...observed.containers.map((it) => `${it.id}:${it.state}`),
  ].join();

/** Whether others' conditions make the pod's Ready differ from what was reported. Upstream: NeedToReconcilePodReadiness. */
function gatesChanged(pod: V1Pod, reported: V1PodStatus | undefined): boolean {
  if ((pod.spec?.readinessGates ?? []).length === 0) return false;
  const statuses = [...(reported?.initContainerStatuses ?? []), ...(reported?.containerStatuses ?? [])];
  const ready = podReady(pod, pod.status?.conditions ?? [], statuses, 'Running');
  const before = reported?.conditions?.find((it) => it.type === 'Ready');
  return ready.status !== before?.status || ready.message !== before.message;
}

export function podWorker(
  context: KubeletContext,
  first: V1Pod,
  hooks: PodWorkerHooks,
  options: { readonly removed?: boolean } = {},
): PodWorker {
  const { clock } = context;
  const uid = first.metadata?.uid ?? '';
  const createdAt = clock.now();
  let pod = first;
  let phase: WorkerPhase = 'sync';
  let removed = options.removed === true;
  let observed: ObservedPod = nothingObserved;
  let runtimeDirty = true;
  let volumesDirty = true;
  let dirty = false;
  let running: Promise<void> | undefined;
  let stopped = false;
  let volumes: ReadonlyMap<string, MountedVolume> | undefined;
  const references = keepReferences(context.objects, () => poke('volumes'));
  let ending: Ending | undefined;
  let readySeen = false;
  /** Starts have failed: until then there is nothing to do unless something changes. */
  let waiting: { readonly until: number; readonly seen: string } | undefined;
  const ended = new Map<string, ObservedContainer>();
  const reasons = new Map<string, StartReason>();
  const resize = resizeState(context, first, (it) => hooks.refuseResize(it));

  const granted = (): V1Pod => resize.granted(pod);
  const wake = (): void => {
    dirty = true;
    if (!running && !stopped)
      running = loop().finally(() => {
        running = undefined;
        if (dirty) wake();
      });
  };
  const wakeAt = (at: number): void => context.due.at(`pod/${uid}`, at, wake);

  const facts = (): DownwardFacts => ({
    podIps: isHostNetwork(pod) ? context.hostIps : observed.ips,
    hostIps: context.hostIps,
    allocatable: context.allocatable(),
  });

  const observe = async (): Promise<void> => {
    if (!runtimeDirty) return;
    runtimeDirty = false;
    try {
      observed = await observePod(context.node.runtime, context.node.files, uid, ended);
    } catch (error) {
      runtimeDirty = true;
      throw error;
    }
  };

  const publish = (terminal: boolean): V1PodStatus => {
    const startTime = (context.status.get(uid) ?? pod.status)?.startTime;
    const limit = pod.spec?.activeDeadlineSeconds;
    const late = limit !== undefined && startTime !== undefined && clock.now() - Date.parse(startTime) >= limit * 1000;
    const old = context.status.get(uid) ?? pod.status ?? {};
    if (late && !ending && !isTerminalPhase(old.phase)) {
      ending = deadline;
      podEvent(context, pod, 'Normal', deadline.reason, deadline.message);
    }
    const status = podStatus({
      pod: granted(),
      observed,
      old,
      now: clock.now(),
      terminal,
      runtimeName: context.runtimeName,
      hostIps: context.hostIps,
      reasons,
      probes: {
        started: (name, id) => context.probes.started(pod, name, id),
        ready: (name, id) => context.probes.ready(pod, name, id),
      },
      actuated: (name) => resize.actuatedOf(observed, name),
      resizeConditions: resize.conditions(),
      ...(ending && { evict: ending }),
    });
    context.status.set(pod, status);
    if (!readySeen && status.conditions?.some((it) => it.type === 'Ready' && it.status === 'True')) {
      readySeen = true;
      podSpan(context, pod, 'kubelet', 'ready', createdAt, { attributes: { sinceSeenMs: clock.now() - createdAt } });
    }
    return status;
  };

  const syncPod = async (): Promise<void> => {
    const begun = clock.now();
    await hooks.beforeSync?.(pod);
    await observe();
    const resizeAt = resize.consider(pod);
    if (resizeAt !== undefined) wakeAt(resizeAt);
    resize.adopt(observed);
    resize.settle(pod, observed);
    context.probes.sync(pod, observed);
    const status = publish(false);
    if (isTerminalPhase(status.phase)) {
      phase = 'terminating';
      dirty = true;
      return;
    }
    const limit = pod.spec?.activeDeadlineSeconds;
    if (limit !== undefined && status.startTime) wakeAt(Date.parse(status.startTime) + limit * 1000);
    const network = context.networkError();
    if (network !== undefined && !isHostNetwork(pod)) {
      podEvent(context, pod, 'Warning', 'NetworkNotReady', `network is not ready: ${network}`);
      wakeAt(clock.now() + retryNetwork);
      return;
    }
    references.keep(pod);
    if (volumesDirty || !volumes) {
      volumesDirty = false;
      const outcome = await context.volumes.mount(pod, facts, (reason, message) =>
        podEvent(context, pod, 'Warning', reason, message),
      );
      if (outcome.ok) {
        volumes = outcome.volumes;
        const { refreshAt } = outcome;
        if (refreshAt !== undefined) context.due.at(`volumes/${uid}`, refreshAt, () => poke('volumes'));
      } else {
        volumesDirty = true;
        wakeAt(outcome.retryAt);
        // A running pod goes on with the volumes it has.
        if (!volumes) return;
      }
    }
    if (waiting && clock.now() < waiting.until && waiting.seen === fingerprint(observed)) {
      wakeAt(waiting.until);
      return;
    }
    waiting = undefined;
    const target = granted();
    const plan = planPod({
      pod: target,
      observed,
      probes: context.probes,
      restartAll: allContainersRestart(pod, observed, status),
      resize: (spec, container) => resize.verdict(spec, container),
    });
    if (isIdle(plan)) return;
    const result = await runPlan(context, {
      pod: target,
      plan,
      observed,
      volumes: volumes ?? new Map(),
      secrets: await pullSecrets(context, pod),
      facts,
      onSandboxReady: async () => {
        runtimeDirty = true;
        await observe();
        publish(false);
        return observed;
      },
      onStarted: (name, id) => resize.actuated(name, id),
    });
    runtimeDirty = true;
    for (const name of result.started) reasons.delete(name);
    for (const [name, failure] of result.failures)
      reasons.set(name, { reason: failure.reason, message: failure.message });
    podSpan(context, pod, 'kubelet', 'sync', begun, {
      attributes: { started: result.started.length },
      ...(result.error !== undefined && { error: result.error }),
    });
    if (result.resizeError !== undefined) resize.failed(pod, result.resizeError);
    if (result.failures.size === 0 && result.error === undefined && result.resizeError === undefined) {
      dirty = true;
      return;
    }
    await observe();
    resize.adopt(observed);
    context.probes.sync(pod, observed);
    publish(false);
    const now = clock.now();
    const retries = [...result.failures.values()].map(
      (it) => it.retryAt ?? now + (soon.has(it.reason) ? 1_000 : retryAfterError),
    );
    const until = Math.max(now, Math.min(...(retries.length > 0 ? retries : [now + retryAfterError])));
    waiting = { until, seen: fingerprint(observed) };
    wakeAt(until);
  };

  const clearUp = async (): Promise<void> => {
    for (const container of observed.containers) await context.node.runtime.removeContainer(container.id);
    for (const sandbox of observed.sandboxes) {
      await context.node.runtime.stopPodSandbox(sandbox.id);
      await context.node.runtime.removePodSandbox(sandbox.id);
    }
    await context.node.files.remove(`${context.podLogsDir}/${pod.metadata?.namespace}_${pod.metadata?.name}_${uid}`);
  };

  const terminate = async (): Promise<void> => {
    const begun = clock.now();
    runtimeDirty = true;
    await observe();
    context.probes.stopLivenessAndStartup(uid);
    publish(false);
    const grace = ending?.grace ?? pod.metadata?.deletionGracePeriodSeconds ?? (removed ? 1 : undefined);
    try {
      await killPod(context, pod, observed, grace);
    } catch (error) {
      podEvent(context, pod, 'Warning', 'FailedKillPod', `error killing pod: ${errorMessage(error)}`);
      throw error;
    }
    context.probes.remove(uid);
    runtimeDirty = true;
    await observe();
    const alive = observed.containers.filter((it) => it.state === 'running');
    if (alive.length > 0)
      throw new Error(
        `detected running containers after a successful KillPod, CRI violation: [${alive.map((it) => it.id).join(' ')}]`,
      );
    phase = 'terminated';
    publish(true);
    podSpan(context, pod, 'kubelet', 'terminate', begun);
    dirty = true;
  };

  const finish = async (): Promise<void> => {
    await context.volumes.unmount(uid);
    await removePodGroup(context, pod);
    references.release();
    context.due.cancel(`volumes/${uid}`);
    context.due.cancel(`pod/${uid}`);
    context.images.forgetPod(uid);
    context.crashes.forget(`${uid}/`);
    phase = 'finished';
    context.status.terminate(pod);
    hooks.onFinished(worker);
    dirty = removed;
  };

  let cleared = false;
  const step = async (): Promise<void> => {
    if (
      phase === 'sync' &&
      (removed || pod.metadata?.deletionTimestamp || isTerminalPhase(pod.status?.phase) || ending)
    )
      phase = 'terminating';
    switch (phase) {
      case 'sync':
        return syncPod();
      case 'terminating':
        return terminate();
      case 'terminated':
        return finish();
      case 'finished':
        if (!removed || cleared) return;
        cleared = true;
        runtimeDirty = true;
        await observe();
        await clearUp();
        context.status.forget(uid);
        hooks.onGone(worker);
        return;
    }
  };

  const loop = async (): Promise<void> => {
    while (dirty && !stopped) {
      dirty = false;
      try {
        await step();
      } catch (error) {
        if (stopped) return;
        cleared = false;
        context.log.warn('cannot bring a pod along; trying again later', {
          pod: `${pod.metadata?.namespace}/${pod.metadata?.name}`,
          phase,
          error,
        });
        runtimeDirty = true;
        wakeAt(clock.now() + retryAfterError);
      }
    }
  };

  const poke = (what: PokeReason): void => {
    if (what === 'runtime') runtimeDirty = true;
    if (what === 'volumes') volumesDirty = true;
    if (what === 'volumes' || what === 'probe') waiting = undefined;
    if (what === 'room' && !resize.deferred()) return;
    if (phase !== 'finished') wake();
  };

  const hurry = (before: number | undefined): void => {
    const now = pod.metadata?.deletionGracePeriodSeconds;
    if (phase !== 'terminating' || now === undefined || before === undefined || now >= before) return;
    for (const container of observed.containers)
      if (container.state === 'running')
        void context.node.runtime
          .stopContainer(container.id, Math.max(2, gracePeriod(pod, container.name, 'Unknown')))
          .catch((error: unknown) => context.log.debug('cannot hurry a container', { error }));
  };

  const worker: PodWorker = {
    uid,
    pod: () => pod,
    granted,
    phase: () => phase,
    observed: () => observed,
    update(next) {
      const before = pod;
      pod = next;
      const metaChanged =
        !equalJson(before.metadata?.labels, next.metadata?.labels) ||
        !equalJson(before.metadata?.annotations, next.metadata?.annotations);
      const changed =
        before.spec !== next.spec && !equalJson(before.spec, next.spec)
          ? true
          : metaChanged || before.metadata?.deletionTimestamp !== next.metadata?.deletionTimestamp;
      hurry(before.metadata?.deletionGracePeriodSeconds);
      if (metaChanged) volumesDirty = true;
      if (changed) {
        waiting = undefined;
        return wake();
      }
      // Only the status differs, and the kubelet itself wrote most of it: only others' conditions can matter.
      if (phase === 'sync' && gatesChanged(next, context.status.get(uid))) wake();
      if (phase === 'sync' && isTerminalPhase(next.status?.phase)) wake();
    },
    evict(eviction) {
      if (ending || phase !== 'sync' || pod.metadata?.deletionTimestamp) return;
      ending = eviction;
      podEvent(context, pod, 'Warning', eviction.reason, eviction.message);
      wake();
    },
    remove() {
      if (removed) return;
      removed = true;
      hurry(Number.MAX_SAFE_INTEGER);
      wake();
    },
    poke,
    mayHaveRunning: () => phase === 'sync' || phase === 'terminating',
    async settled() {
      while (running) await running;
    },
    stop() {
      stopped = true;
      context.due.cancel(`pod/${uid}`);
      context.due.cancel(`volumes/${uid}`);
      references.release();
    },
  };
  return worker;
}
