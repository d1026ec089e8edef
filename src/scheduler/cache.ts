import type { V1Node } from '../api/generated/types.ts';
import { assert } from '../base/assert.ts';
import type { Snapshot } from './framework.ts';
import { type NodeInfo, nodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { claimOf } from './volumes.ts';
import { emptyWorld, type World } from './world.ts';

/**
 * Nodes and the pods on them, kept up to date by single changes. It is its own snapshot: a scheduling cycle runs without
 * giving way, so nothing changes under it. Pods can be assumed on a node before the API server has confirmed it.
 */
export interface Cache extends Snapshot {
  setNode(node: V1Node): void;
  removeNode(name: string): void;
  /** Adds or replaces a pod that has a node; confirms one assumed there. */
  setPod(pod: PodInfo): void;
  removePod(uid: string): void;
  /** Counts the pod on a node ahead of its binding. */
  assume(pod: PodInfo, node: string): void;
  /** Takes an assumed pod back. Does nothing where it has been confirmed. */
  forget(uid: string): void;
  isAssumed(uid: string): boolean;
}

const zoneOf = (node: NodeInfo): string =>
  `${node.labels['topology.kubernetes.io/region'] ?? node.labels['failure-domain.beta.kubernetes.io/region'] ?? ''}\n${
    node.labels['topology.kubernetes.io/zone'] ?? node.labels['failure-domain.beta.kubernetes.io/zone'] ?? ''
  }`;

/** Nodes taken from each zone in turn, so that a search of part of them sees every zone. */
function interleave(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const node of nodes) {
    const zone = zones.get(zoneOf(node));
    if (zone) zone.push(node);
    else zones.set(zoneOf(node), [node]);
  }
  if (zones.size < 2) return nodes;
  const out: NodeInfo[] = [];
  for (let i = 0; out.length < nodes.length; i++) {
    for (const zone of zones.values()) {
      const node = zone[i];
      if (node) out.push(node);
    }
  }
  return out;
}

export function schedulerCache(world: Partial<World> = {}): Cache {
  const nodes = new Map<string, NodeInfo>();
  const pods = new Map<string, { readonly info: PodInfo; readonly node: string; readonly assumed: boolean }>();
  const affine = new Set<NodeInfo>();
  const averse = new Set<NodeInfo>();
  const images = new Map<string, number>();
  const claims = new Map<string, number>();
  let list: readonly NodeInfo[] | undefined;

  const track = (node: NodeInfo): void => {
    if (node.withAffinity > 0) affine.add(node);
    else affine.delete(node);
    if (node.withRequiredAntiAffinity > 0) averse.add(node);
    else averse.delete(node);
  };
  const countImages = (node: NodeInfo, by: 1 | -1): void => {
    for (const name of node.images.keys()) images.set(name, (images.get(name) ?? 0) + by);
  };
  const countClaims = (pod: PodInfo, by: 1 | -1): void => {
    for (const volume of pod.pod.spec?.volumes ?? []) {
      const claim = claimOf(pod.pod, volume);
      if (!claim) continue;
      const key = `${pod.namespace}/${claim.name}`;
      const next = (claims.get(key) ?? 0) + by;
      if (next > 0) claims.set(key, next);
      else claims.delete(key);
    }
  };
  const nodeFor = (name: string): NodeInfo => {
    let node = nodes.get(name);
    if (!node) {
      node = nodeInfo(name);
      nodes.set(name, node);
    }
    return node;
  };
  const put = (info: PodInfo, name: string, assumed: boolean): void => {
    const node = nodeFor(name);
    node.add(info);
    track(node);
    countClaims(info, 1);
    pods.set(info.uid, { info, node: name, assumed });
  };
  const take = (uid: string): void => {
    const known = pods.get(uid);
    if (!known) return;
    pods.delete(uid);
    countClaims(known.info, -1);
    const node = nodes.get(known.node);
    assert(node, 'a pod in the cache must have its node there');
    node.remove(uid);
    track(node);
    if (!node.node && node.pods.length === 0) nodes.delete(node.name);
  };
  return {
    get nodes() {
      list ??= interleave([...nodes.values()].filter((it) => it.node));
      return list;
    },
    node(name) {
      const node = nodes.get(name);
      return node?.node ? node : undefined;
    },
    withAffinity: () => [...affine].filter((it) => it.node),
    withRequiredAntiAffinity: () => [...averse].filter((it) => it.node),
    imageNodes: (image) => images.get(image) ?? 0,
    world: {
      ...emptyWorld,
      ...world,
      claimInUse: (namespace, name) => claims.has(`${namespace}/${name}`),
    },
    setNode(object) {
      const node = nodeFor(object.metadata?.name ?? '');
      const before = node.node === undefined ? undefined : zoneOf(node);
      countImages(node, -1);
      node.setNode(object);
      countImages(node, 1);
      if (before !== zoneOf(node)) list = undefined;
    },
    removeNode(name) {
      const node = nodes.get(name);
      if (!node) return;
      countImages(node, -1);
      node.setNode(undefined);
      if (node.pods.length === 0) nodes.delete(name);
      list = undefined;
    },
    setPod(info) {
      take(info.uid);
      put(info, info.pod.spec?.nodeName ?? '', false);
    },
    removePod: take,
    assume(info, node) {
      assert(!pods.has(info.uid), `pod ${info.key} is on a node already`);
      put(info, node, true);
    },
    forget(uid) {
      if (pods.get(uid)?.assumed) take(uid);
    },
    isAssumed: (uid) => pods.get(uid)?.assumed ?? false,
  };
}
