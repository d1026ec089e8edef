import { nodes, pods } from '../api/generated/resources.ts';
import type { V1Node, V1Pod } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import type { Informer, InformerSet } from '../client/informer.ts';

export interface PodSourceHandler {
  /** New or changed. */
  changed(pod: Live<V1Pod>): void;
  removed(pod: Live<V1Pod>): void;
}

/** Where a kubelet learns of its pods. One source can serve all kubelets of a process. */
export interface PodSource {
  podsFor(nodeName: string): readonly Live<V1Pod>[];
  /** Calls `changed` for what is there already. Returns a function that unsubscribes. */
  subscribe(nodeName: string, handler: PodSourceHandler): () => void;
  whenSynced(): Promise<void>;
}

const index = 'spec.nodeName';

const fromInformer = (informer: Informer<V1Pod>): PodSource => {
  informer.addIndex(index, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  const handlers = new Map<string, Set<PodSourceHandler>>();
  let unsubscribe: (() => void) | undefined;
  const tell = (pod: Live<V1Pod>, what: 'changed' | 'removed'): void => {
    const node = pod.spec?.nodeName;
    if (!node) return;
    for (const handler of handlers.get(node) ?? []) handler[what](pod);
  };
  return {
    podsFor: (nodeName) => informer.byIndex(index, nodeName),
    whenSynced: () => informer.whenSynced(),
    subscribe(nodeName, handler) {
      const known = handlers.get(nodeName) ?? new Set();
      const first = !unsubscribe;
      if (!first) for (const pod of informer.byIndex(index, nodeName)) handler.changed(pod);
      known.add(handler);
      handlers.set(nodeName, known);
      unsubscribe ??= informer.subscribe({
        add: (pod) => tell(pod, 'changed'),
        update: (pod) => tell(pod, 'changed'),
        remove: (pod) => tell(pod, 'removed'),
      });
      return () => {
        known.delete(handler);
        if (known.size === 0) handlers.delete(nodeName);
        if (handlers.size === 0) {
          unsubscribe?.();
          unsubscribe = undefined;
        }
      };
    },
  };
};

/** One watch of all pods, for many kubelets in a process. */
export function sharedPodSource(informers: InformerSet): PodSource {
  return fromInformer(informers.informer(pods));
}

/** A watch of one node's pods only: what a kubelet by itself uses. */
export function nodePodSource(informers: InformerSet, nodeName: string): PodSource {
  return fromInformer(informers.informer(pods, { fieldSelector: `spec.nodeName=${nodeName}` }));
}

/** Where a kubelet learns of changes to its own node's object. */
export interface NodeSource {
  /** Calls back with the object as it is, and after each change. Returns a function that unsubscribes. */
  subscribe(nodeName: string, changed: (node: Live<V1Node>) => void): () => void;
}

/** One watch of all nodes, for many kubelets in a process. */
export function sharedNodeSource(informers: InformerSet): NodeSource {
  const informer = informers.informer(nodes);
  const handlers = new Map<string, (node: Live<V1Node>) => void>();
  const tell = (node: Live<V1Node>): void => handlers.get(node.metadata.name)?.(node);
  let unsubscribe: (() => void) | undefined;
  return {
    subscribe(nodeName, changed) {
      const known = informer.get(nodeName);
      handlers.set(nodeName, changed);
      if (known && unsubscribe) changed(known);
      unsubscribe ??= informer.subscribe({ add: tell, update: tell });
      return () => {
        handlers.delete(nodeName);
        if (handlers.size > 0) return;
        unsubscribe?.();
        unsubscribe = undefined;
      };
    },
  };
}

/** A watch of one node only: what a kubelet by itself uses. */
export function ownNodeSource(informers: InformerSet, nodeName: string): NodeSource {
  return {
    subscribe: (_, changed) =>
      informers
        .informer(nodes, { fieldSelector: `metadata.name=${nodeName}` })
        .subscribe({ add: changed, update: changed }),
  };
}
