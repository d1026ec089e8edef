import type { V1Node, V1Pod } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import { rfc3339 } from '../base/clock.ts';
import { type KubeletContext, podEvent } from './context.ts';
import { deleteMirror, reconcileMirror } from './node/static-pods.ts';
import type { PodSourceHandler } from './pod-source.ts';
import { admitPod, type Rejection } from './pods/admission.ts';
import { podUidLabel } from './pods/labels.ts';
import { isMirrorPod, isTerminalPhase } from './pods/observed.ts';
import { podWorker } from './pods/pod-worker.ts';
import type { PodWorker } from './pods/pod-worker-contract.ts';
import { resizeRefusal } from './pods/resize.ts';
import { qosClass } from './pods/resources.ts';

/** The pods of one kubelet and their workers. */
export interface PodSet extends PodSourceHandler {
  /** The static pods, as their source now has them. */
  setStatic(pods: readonly V1Pod[]): void;
  worker(uid: string): PodWorker | undefined;
  workers(): readonly PodWorker[];
  byName(namespace: string, name: string): V1Pod | undefined;
  /** The API's object for a worker's uid; of a static pod its mirror. */
  apiPod(uid: string): Live<V1Pod> | undefined;
  /** Compares with the runtime: wakes workers that missed something, removes what belongs to nobody. */
  relist(): Promise<void>;
  settled(): Promise<void>;
  stop(): void;
}

const fullName = (pod: V1Pod): string => `${pod.metadata?.namespace}/${pod.metadata?.name}`;

/** The container ids and states by pod, to see what a worker has missed. */
const fingerprint = (items: readonly { readonly id: string; readonly state: string }[]): string =>
  items
    .map((it) => `${it.id}=${it.state.toLowerCase()}`)
    .sort()
    .join();

export function podSet(
  context: KubeletContext,
  node: () => V1Node | undefined,
  /** True once both sources have told what they have: only then may orphans be removed. */
  complete: () => boolean,
  /** Why the node takes no such pod at present: a reason and a text. */
  refuses: (pod: V1Pod) => Rejection | undefined = () => undefined,
): PodSet {
  const workers = new Map<string, PodWorker>();
  const api = new Map<string, Live<V1Pod>>();
  const mirrors = new Map<string, Live<V1Pod>>();
  const statics = new Map<string, V1Pod>();
  const staticUids = new Map<string, string>();
  const rejected = new Set<string>();
  let stopped = false;

  const active = (except: string): V1Pod[] =>
    [...workers.values()]
      .filter((it) => it.uid !== except && it.mayHaveRunning() && !isTerminalPhase(it.pod().status?.phase))
      .map((it) => it.granted());

  const startWorker = (pod: V1Pod, removed = false): PodWorker => {
    const uid = pod.metadata?.uid ?? '';
    const worker = podWorker(
      context,
      pod,
      {
        refuseResize: (wanted) => {
          const it = node();
          return it ? resizeRefusal(wanted, it, active(uid)) : undefined;
        },
        onFinished: () => undefined,
        onGone: (gone) => {
          if (workers.get(gone.uid) === gone) workers.delete(gone.uid);
          // Room has been made for resizes that wait for it.
          for (const other of workers.values()) other.poke('room');
        },
        ...(statics.has(uid) && {
          beforeSync: async (it: V1Pod) => {
            const own = node();
            if (own?.metadata?.uid && statics.has(uid))
              await reconcileMirror(context.client, it, mirrors.get(fullName(it)), {
                name: context.nodeName,
                uid: own.metadata.uid,
              }).catch((error: unknown) =>
                context.log.warn('cannot mirror a static pod', { pod: fullName(it), error }),
              );
          },
        }),
      },
      { removed },
    );
    workers.set(uid, worker);
    if (removed) worker.poke('runtime');
    return worker;
  };

  const reject = (pod: V1Pod, reason: string, message: string): void => {
    podEvent(context, pod, 'Warning', reason, message);
    context.status.set(pod, {
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${message}`,
      qosClass: qosClass(pod),
      startTime: pod.status?.startTime ?? rfc3339(context.clock.now()),
    });
  };

  const add = (pod: V1Pod): void => {
    const uid = pod.metadata?.uid ?? '';
    const it = node();
    const fresh =
      !pod.metadata?.deletionTimestamp &&
      !isTerminalPhase(pod.status?.phase) &&
      !pod.status?.containerStatuses?.some((c) => c.containerID);
    if (fresh && it) {
      const rejection = refuses(pod) ?? admitPod(pod, it, active(uid), context.machine);
      if (rejection) {
        rejected.add(uid);
        reject(pod, rejection.reason, rejection.message);
        return;
      }
    }
    startWorker(pod).poke('runtime');
  };

  return {
    changed(pod) {
      if (stopped) return;
      const uid = pod.metadata.uid;
      if (isMirrorPod(pod)) {
        mirrors.set(fullName(pod), pod);
        const own = staticUids.get(fullName(pod));
        if (own) {
          workers.get(own)?.poke('state');
          context.status.observed(own);
        } else if (complete())
          void deleteMirror(context.client, pod).catch((error: unknown) =>
            context.log.warn('cannot delete a mirror pod', { error }),
          );
        return;
      }
      api.set(uid, pod);
      const worker = workers.get(uid);
      if (worker) worker.update(pod);
      else if (rejected.has(uid)) {
        // Nothing of it runs, but its deletion has to be seen through.
        if (pod.metadata.deletionTimestamp || isTerminalPhase(pod.status?.phase)) {
          rejected.delete(uid);
          startWorker(pod).poke('runtime');
        }
      } else add(pod);
      context.status.observed(uid);
    },
    removed(pod) {
      const uid = pod.metadata.uid;
      if (isMirrorPod(pod)) {
        mirrors.delete(fullName(pod));
        const own = staticUids.get(fullName(pod));
        if (own) workers.get(own)?.poke('state');
        return;
      }
      api.delete(uid);
      rejected.delete(uid);
      context.status.forget(uid);
      workers.get(uid)?.remove();
    },
    setStatic(list) {
      if (stopped) return;
      const wanted = new Map(list.map((pod) => [pod.metadata?.uid ?? '', pod]));
      for (const [uid, pod] of statics)
        if (!wanted.has(uid)) {
          statics.delete(uid);
          staticUids.delete(fullName(pod));
          workers.get(uid)?.remove();
          const mirror = mirrors.get(fullName(pod));
          if (mirror)
            void deleteMirror(context.client, mirror).catch((error: unknown) =>
              context.log.warn('cannot delete a mirror pod', { error }),
            );
        }
      for (const [uid, pod] of wanted) {
        if (statics.has(uid)) continue;
        statics.set(uid, pod);
        staticUids.set(fullName(pod), uid);
        startWorker(pod).poke('runtime');
      }
    },
    worker: (uid) => workers.get(uid),
    workers: () => [...workers.values()],
    byName(namespace, name) {
      const key = `${namespace}/${name}`;
      const own = staticUids.get(key);
      if (own) return workers.get(own)?.pod();
      for (const worker of workers.values()) if (fullName(worker.pod()) === key) return worker.pod();
      return undefined;
    },
    apiPod(uid) {
      const pod = statics.get(uid);
      return pod ? mirrors.get(fullName(pod)) : api.get(uid);
    },
    async relist() {
      const [sandboxes, containers] = await Promise.all([
        context.node.runtime.listPodSandbox(),
        context.node.runtime.listContainers(),
      ]);
      if (stopped) return;
      const byPod = new Map<string, { id: string; state: string }[]>();
      for (const container of containers) {
        const uid = container.labels[podUidLabel];
        if (!uid) continue;
        byPod.set(uid, [...(byPod.get(uid) ?? []), { id: container.id, state: container.state }]);
      }
      for (const worker of workers.values())
        if (fingerprint(byPod.get(worker.uid) ?? []) !== fingerprint(worker.observed().containers))
          worker.poke('runtime');
      if (!complete()) return;
      for (const sandbox of sandboxes) {
        const uid = sandbox.metadata.uid;
        if (workers.has(uid) || api.has(uid) || statics.has(uid)) continue;
        context.log.info('removing what is left of a pod that is gone', {
          pod: `${sandbox.metadata.namespace}/${sandbox.metadata.name}`,
        });
        startWorker(
          {
            metadata: { name: sandbox.metadata.name, namespace: sandbox.metadata.namespace, uid },
            spec: { containers: [] },
          },
          true,
        );
      }
    },
    async settled() {
      for (const worker of workers.values()) await worker.settled();
    },
    stop() {
      stopped = true;
      for (const worker of workers.values()) worker.stop();
    },
  };
}
