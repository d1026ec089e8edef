import type { V1Pod } from '../api/generated/types.ts';
import type { Nominations } from './cycle.ts';
import { type PodInfo, podInfoOf } from './pod-info.ts';

/** Which waiting pods have been promised which node. */
export interface Nominator extends Nominations {
  set(pod: V1Pod, node: string): void;
  remove(uid: string): void;
  of(uid: string): string | undefined;
}

const none: readonly PodInfo[] = Object.freeze([]);

export function nominator(): Nominator {
  const nodes = new Map<string, Map<string, PodInfo>>();
  const byPod = new Map<string, string>();
  const remove = (uid: string): void => {
    const node = byPod.get(uid);
    if (node === undefined) return;
    byPod.delete(uid);
    const pods = nodes.get(node);
    pods?.delete(uid);
    if (pods?.size === 0) nodes.delete(node);
  };
  return {
    on(node) {
      const pods = nodes.get(node);
      return pods ? [...pods.values()] : none;
    },
    of: (uid) => byPod.get(uid),
    remove,
    set(pod, node) {
      const info = podInfoOf(pod);
      remove(info.uid);
      byPod.set(info.uid, node);
      let pods = nodes.get(node);
      if (!pods) {
        pods = new Map();
        nodes.set(node, pods);
      }
      pods.set(info.uid, info);
    },
  };
}
