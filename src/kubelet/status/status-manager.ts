import { copyJson, equalJson } from '../../api/draft.ts';
import { pods } from '../../api/generated/resources.ts';
import type { V1Pod, V1PodStatus } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import { isMirrorPod, isStaticPod, isTerminalPhase } from '../pods/observed.ts';
import { stampConditions } from './pod-status.ts';
import { statusPatch } from './status-patch.ts';

export interface StatusManager {
  /** The newest status made for a pod, sent or not. */
  get(uid: string): V1PodStatus | undefined;
  /** Takes a status and sends it soon; a newer one before that replaces it. */
  set(pod: V1Pod, status: V1PodStatus): void;
  /** The pod's containers and volumes are gone for good: its object may go too. */
  terminate(pod: V1Pod): void;
  /** The API has a newer object of a pod. */
  observed(uid: string): void;
  forget(uid: string): void;
  /** Resolves when nothing is waiting to be sent. */
  flush(): Promise<void>;
  stop(): void;
}

interface Entry {
  status: V1PodStatus;
  finished: boolean;
  version: number;
  sent: number;
  failures: number;
  /** The object as the last patch left it. */
  patched?: Live<V1Pod>;
  /** The object that has been told: a mirror pod that is made again has to be told again. */
  sentTo?: string;
  at: number;
}

/** Patches in flight at a time, for one kubelet. */
const concurrency = 8;
const totalTerminationMessage = 12 * 1024;

const unlocated = {
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
  exitCode: 137,
};

const newer = (a: Live<V1Pod> | undefined, b: Live<V1Pod> | undefined): Live<V1Pod> | undefined => {
  if (!a || !b) return a ?? b;
  return Number(a.metadata.resourceVersion) >= Number(b.metadata.resourceVersion) ? a : b;
};

function capMessages(pod: V1Pod, status: V1PodStatus): V1PodStatus {
  const spec = pod.spec;
  const count =
    (spec?.containers?.length ?? 0) + (spec?.initContainers?.length ?? 0) + (spec?.ephemeralContainers?.length ?? 0);
  const limit = Math.floor(totalTerminationMessage / Math.max(1, count));
  const long = (it: string | undefined): boolean => it !== undefined && it.length > limit;
  const lists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;
  if (
    !lists.some((list) =>
      status[list]?.some((it) => long(it.state?.terminated?.message) || long(it.lastState?.terminated?.message)),
    )
  )
    return status;
  const copy = copyJson(status) as { -readonly [K in keyof V1PodStatus]: V1PodStatus[K] };
  for (const list of lists)
    if (copy[list])
      copy[list] = copy[list].map((it) => {
        const cut = <T extends typeof it.state>(state: T): T =>
          long(state?.terminated?.message)
            ? ({ terminated: { ...state?.terminated, message: state?.terminated?.message?.slice(0, limit) } } as T)
            : state;
        return {
          ...it,
          ...(it.state && { state: cut(it.state) }),
          ...(it.lastState && { lastState: cut(it.lastState) }),
        };
      });
  return copy;
}

/** Sends pod statuses, each pod's in order, only what changed. Upstream: pkg/kubelet/status/status_manager.go. */
export function statusManager(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** The API's object of a pod (of a static pod: its mirror), as the pod source has it. */
  readonly apiPod: (uid: string) => Live<V1Pod> | undefined;
  readonly mayHaveRunning: (uid: string) => boolean;
  readonly onSent?: (pod: Live<V1Pod>, startedAt: number, setAt: number) => void;
}): StatusManager {
  const { client, clock, log } = options;
  const entries = new Map<string, Entry>();
  const queue = new Set<string>();
  const busy = new Set<string>();
  let idle: (() => void)[] = [];
  let stopped = false;

  const current = (uid: string, entry: Entry): Live<V1Pod> | undefined => {
    const known = options.apiPod(uid);
    // The informer has lost the pod: what an old patch returned must not bring it back.
    return known
      ? newer(known, entry.patched?.metadata.uid === known.metadata.uid ? entry.patched : undefined)
      : undefined;
  };

  const mayDelete = (pod: Live<V1Pod>, entry: Entry): boolean =>
    entry.finished &&
    pod.metadata.deletionTimestamp !== undefined &&
    !isMirrorPod(pod) &&
    isTerminalPhase(pod.status?.phase);

  const toSend = (uid: string, pod: Live<V1Pod>, status: V1PodStatus): V1PodStatus => {
    const ending = !isTerminalPhase(pod.status?.phase) && isTerminalPhase(status.phase);
    if (!ending || !options.mayHaveRunning(uid)) {
      if (!isTerminalPhase(status.phase)) return status;
      const reason = status.phase === 'Failed' ? 'PodFailed' : 'PodCompleted';
      const conditions = status.conditions?.map((it) =>
        (it.type === 'Ready' || it.type === 'ContainersReady') && it.status === 'True'
          ? {
              type: it.type,
              status: 'False',
              reason,
              ...(it.observedGeneration !== undefined && { observedGeneration: it.observedGeneration }),
            }
          : it,
      );
      return conditions
        ? { ...status, conditions: stampConditions(conditions, status.conditions, clock.now()) }
        : status;
    }
    const { phase: _phase, reason: _reason, message: _message, ...rest } = status;
    return {
      ...rest,
      ...(pod.status?.phase !== undefined && { phase: pod.status.phase }),
      ...(pod.status?.reason !== undefined && { reason: pod.status.reason }),
      ...(pod.status?.message !== undefined && { message: pod.status.message }),
    };
  };

  const send = async (uid: string, entry: Entry): Promise<void> => {
    let pod = current(uid, entry);
    if (!pod) return;
    const { version } = entry;
    if (entry.sentTo !== undefined && entry.sentTo !== pod.metadata.uid) entry.sent = 0;
    const at = { namespace: pod.metadata.namespace ?? '' };
    if (entry.sent < version) {
      const patch = statusPatch(pod, toSend(uid, pod, entry.status));
      if (patch) {
        const started = clock.now();
        pod = await client.patch(pods, pod.metadata.name, patch, {
          ...at,
          type: 'application/strategic-merge-patch+json',
          subresource: 'status',
          reads: [
            {
              resource: 'pods',
              namespace: at.namespace,
              name: pod.metadata.name,
              resourceVersion: pod.metadata.resourceVersion,
            },
          ],
        });
        entry.patched = pod;
        options.onSent?.(pod, started, entry.at);
      }
      entry.sent = version;
      entry.sentTo = pod.metadata.uid;
      entry.failures = 0;
    }
    if (mayDelete(pod, entry) && entry.sent === entry.version) {
      await client.delete(pods, pod.metadata.name, {
        ...at,
        gracePeriodSeconds: 0,
        preconditions: { uid: pod.metadata.uid },
      });
      entries.delete(uid);
    }
  };

  const pump = (): void => {
    for (const uid of queue) {
      if (stopped || busy.size >= concurrency) return;
      if (busy.has(uid)) continue;
      queue.delete(uid);
      const entry = entries.get(uid);
      if (!entry) continue;
      busy.add(uid);
      void send(uid, entry)
        .catch((error: unknown) => {
          if (stopped || hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return;
          log.warn('cannot update the status of a pod', { uid, error });
          entry.failures++;
          clock.after(Math.min(30_000, 500 * 2 ** entry.failures), () => enqueue(uid), { background: true });
        })
        .finally(() => {
          busy.delete(uid);
          if (entry.sent < entry.version && entry.failures === 0 && entries.get(uid) === entry && current(uid, entry))
            queue.add(uid);
          pump();
          if (busy.size === 0 && queue.size === 0) for (const wake of idle.splice(0)) wake();
        });
    }
  };
  // One turn of the loop later, so that statuses made one after another are sent as one.
  let armed = false;
  const enqueue = (uid: string): void => {
    if (stopped) return;
    queue.add(uid);
    if (armed) return;
    armed = true;
    setImmediate(() => {
      armed = false;
      pump();
      if (busy.size === 0 && queue.size === 0) for (const wake of idle.splice(0)) wake();
    });
  };

  return {
    get: (uid) => entries.get(uid)?.status,
    set(pod, wanted) {
      const uid = pod.metadata?.uid ?? '';
      const status = capMessages(pod, wanted);
      const entry = entries.get(uid);
      if (entry && equalJson(entry.status, status)) return;
      if (entry) {
        entry.status = status;
        if (entry.sent === entry.version) entry.at = clock.now();
        entry.version++;
      } else entries.set(uid, { status, finished: false, version: 1, sent: 0, failures: 0, at: clock.now() });
      enqueue(uid);
    },
    terminate(pod) {
      const uid = pod.metadata?.uid ?? '';
      const entry = entries.get(uid);
      const old = entry?.status ?? pod.status ?? {};
      const started =
        (pod.spec?.initContainers ?? []).length === 0 ||
        old.containerStatuses?.some((it) => !it.state?.waiting || it.lastState?.terminated);
      const status: V1PodStatus = {
        ...old,
        ...(started &&
          old.containerStatuses && {
            containerStatuses: old.containerStatuses.map((it) =>
              it.state?.terminated ? it : { ...it, state: { terminated: unlocated }, ready: false, started: false },
            ),
          }),
        ...(old.initContainerStatuses && {
          initContainerStatuses: old.initContainerStatuses.map((it) =>
            it.state?.terminated || (it.state?.waiting && !it.lastState?.terminated)
              ? it
              : { ...it, state: { terminated: unlocated } },
          ),
        }),
        ...(!isTerminalPhase(old.phase) && !isStaticPod(pod) && { phase: 'Failed' }),
      };
      if (entry) {
        entry.status = status;
        entry.finished = true;
        entry.version++;
      } else entries.set(uid, { status, finished: true, version: 1, sent: 0, failures: 0, at: clock.now() });
      enqueue(uid);
    },
    observed(uid) {
      const entry = entries.get(uid);
      if (!entry) return;
      const pod = current(uid, entry);
      if (pod && (entry.sent < entry.version || entry.sentTo !== pod.metadata.uid || mayDelete(pod, entry)))
        enqueue(uid);
    },
    forget(uid) {
      entries.delete(uid);
      queue.delete(uid);
    },
    flush: () =>
      busy.size === 0 && queue.size === 0 && !armed
        ? Promise.resolve()
        : new Promise((resolve) => {
            idle.push(resolve);
          }),
    stop() {
      stopped = true;
      for (const wake of idle) wake();
      idle = [];
    },
  };
}
