import type { V1Pod } from '../../api/generated/types.ts';
import { CriError } from '../../runtime/cri.ts';
import { type KubeletContext, podEvent } from '../context.ts';
import { runHook } from './hooks.ts';
import { containerFieldPath, containerSpec, isSidecar, type ObservedContainer, type ObservedPod } from './observed.ts';
import type { KillReason } from './plan.ts';

const minimumGrace = 2;

/** Seconds a container gets to end. Upstream: setTerminationGracePeriod. */
export function gracePeriod(pod: V1Pod, name: string, reason: KillReason): number {
  if (pod.metadata?.deletionGracePeriodSeconds !== undefined) return pod.metadata.deletionGracePeriodSeconds;
  const own = pod.spec?.terminationGracePeriodSeconds;
  if (own === undefined) return minimumGrace;
  const spec = containerSpec(pod, name);
  if (reason === 'StartupProbe') return spec?.startupProbe?.terminationGracePeriodSeconds ?? own;
  if (reason === 'LivenessProbe') return spec?.livenessProbe?.terminationGracePeriodSeconds ?? own;
  return own;
}

export interface KillOrder {
  readonly container: ObservedContainer;
  /** '' = `Stopping container <name>`. */
  readonly message: string;
  readonly reason: KillReason;
  readonly podIp: string;
  /** Seconds, instead of what the pod says. */
  readonly grace?: number;
  /** Resolves when those that must end first have ended. */
  readonly turn?: Promise<unknown>;
}

/** Ends one container: event, preStop hook, then the runtime's stop with what is left of the grace period. Upstream: killContainer. */
export async function killContainer(context: KubeletContext, pod: V1Pod, order: KillOrder): Promise<void> {
  const { container } = order;
  const { clock } = context;
  const spec = containerSpec(pod, container.name);
  const path = containerFieldPath(pod, container.name);
  let grace = gracePeriod(pod, container.name, order.reason);
  podEvent(context, pod, 'Normal', 'Killing', order.message || `Stopping container ${container.name}`, path);
  if (order.grace !== undefined) grace = order.grace;
  const within = async (work: Promise<unknown>, seconds: number): Promise<number> => {
    const begun = clock.now();
    await new Promise<void>((resolve) => {
      const timer = clock.after(seconds * 1000, resolve, { background: true });
      void work.finally(() => {
        timer.cancel();
        resolve();
      });
    });
    return Math.trunc((clock.now() - begun) / 1000);
  };
  const preStop = spec?.lifecycle?.preStop;
  if (spec && preStop && grace > 0) {
    const cancel = new AbortController();
    const hook = runHook(context, pod, spec, container.id, preStop, order.podIp, cancel.signal).then((failure) => {
      if (failure === undefined) return;
      context.log.debug('a preStop hook failed', { pod: pod.metadata?.name, container: container.name, failure });
      podEvent(context, pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', path);
    });
    grace -= await within(hook, grace);
    cancel.abort();
  }
  if (order.turn && grace > 0) grace -= await within(order.turn, grace);
  try {
    await context.node.runtime.stopContainer(container.id, Math.max(minimumGrace, grace));
  } catch (error) {
    if (!(error instanceof CriError && error.code === 'NotFound')) throw error;
  }
}

/** For each container, those that must end before it: sidecars wait for the regular ones and for the sidecars after them. */
export function terminationPrerequisites(
  pod: V1Pod,
  running: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const out = new Map<string, readonly string[]>();
  const alive = new Set(running);
  const regular = (pod.spec?.containers ?? []).map((it) => it.name).filter((it) => alive.has(it));
  let later: readonly string[] = [];
  for (const container of (pod.spec?.initContainers ?? []).toReversed()) {
    if (!isSidecar(container) || !alive.has(container.name)) continue;
    out.set(container.name, [...regular, ...later]);
    later = [container.name];
  }
  return out;
}

/** Ends all of a pod: its containers in order, then its sandboxes. Rejects with the first failure, after trying all. */
export async function killPod(
  context: KubeletContext,
  pod: V1Pod,
  observed: ObservedPod,
  grace?: number,
): Promise<void> {
  const running = observed.containers.filter((it) => it.state === 'running' || it.state === 'unknown');
  const prerequisites = terminationPrerequisites(
    pod,
    running.map((it) => it.name),
  );
  const ended = new Map<string, { promise: Promise<void>; done: () => void }>();
  for (const container of running) {
    let done: () => void = () => undefined;
    const promise = new Promise<void>((resolve) => {
      done = resolve;
    });
    ended.set(container.name, { promise, done });
  }
  const results = await Promise.allSettled(
    running.map(async (container) => {
      const before = (prerequisites.get(container.name) ?? []).flatMap((name) => {
        const it = ended.get(name);
        return it ? [it.promise] : [];
      });
      try {
        await killContainer(context, pod, {
          container,
          message: '',
          reason: 'Unknown',
          podIp: observed.ips[0] ?? '',
          ...(grace !== undefined && { grace }),
          ...(before.length > 0 && { turn: Promise.all(before) }),
        });
      } finally {
        ended.get(container.name)?.done();
      }
    }),
  );
  const failed = results.find((it) => it.status === 'rejected');
  if (failed) throw failed.reason;
  for (const sandbox of observed.sandboxes) await context.node.runtime.stopPodSandbox(sandbox.id);
}
