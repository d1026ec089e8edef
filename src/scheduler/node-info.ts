import type { V1Node } from '../api/generated/types.ts';
import { matchesLabels, type Requirement } from '../api/label-selector.ts';
import type { PodInfo } from './pod-info.ts';
import { type Amounts, addAmounts, amountsOf, noAmounts } from './resources.ts';

/** A label selector with a text that stands for it, so that counts can be kept. */
export interface CountedSelector {
  readonly key: string;
  readonly requirements: readonly Requirement[];
}

/** A node with the sums of its pods, kept up to date instead of computed anew. */
export interface NodeInfo {
  readonly name: string;
  /** Undefined while pods of a node are known but the node is not (yet, or any more). */
  readonly node: V1Node | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly allocatable: Amounts;
  readonly requested: Amounts;
  readonly nonZeroCpu: number;
  readonly nonZeroMemory: number;
  readonly pods: readonly PodInfo[];
  readonly withAffinity: number;
  readonly withRequiredAntiAffinity: number;
  /** Normalised image name to its size in bytes. */
  readonly images: ReadonlyMap<string, number>;
  setNode(node: V1Node | undefined): void;
  add(pod: PodInfo): void;
  /** False where no pod of this uid was there. */
  remove(uid: string): boolean;
  /** Running pods of the namespace that the selector matches; remembered until the node's pods change. */
  count(namespace: string, selector: CountedSelector): number;
  clone(): NodeInfo;
}

/** `nginx` is `nginx:latest`, as image locality compares names. */
export const normalizedImage = (name: string): string =>
  name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name;

export function nodeInfo(name: string, from?: NodeInfo): NodeInfo {
  const pods: PodInfo[] = [];
  const requested = noAmounts();
  const counts = new Map<string, number>();
  let images: ReadonlyMap<string, number> = new Map();
  let node: V1Node | undefined;
  let labels: Readonly<Record<string, string>> = {};
  let allocatable = noAmounts();
  let nonZeroCpu = 0;
  let nonZeroMemory = 0;
  let withAffinity = 0;
  let withRequiredAntiAffinity = 0;

  const account = (pod: PodInfo, sign: 1 | -1): void => {
    addAmounts(requested, pod.requests, sign);
    nonZeroCpu += sign * pod.nonZeroCpu;
    nonZeroMemory += sign * pod.nonZeroMemory;
    if (pod.hasAffinity) withAffinity += sign;
    if (pod.requiredAntiAffinity.length > 0) withRequiredAntiAffinity += sign;
    counts.clear();
  };
  const self: NodeInfo = {
    name,
    get node() {
      return node;
    },
    get labels() {
      return labels;
    },
    get allocatable() {
      return allocatable;
    },
    requested,
    get nonZeroCpu() {
      return nonZeroCpu;
    },
    get nonZeroMemory() {
      return nonZeroMemory;
    },
    pods,
    get withAffinity() {
      return withAffinity;
    },
    get withRequiredAntiAffinity() {
      return withRequiredAntiAffinity;
    },
    get images() {
      return images;
    },
    setNode(next) {
      const before = node;
      node = next;
      labels = next?.metadata?.labels ?? {};
      // Heartbeats bring a new object with the same parts; only what changed is read again.
      if (next?.status?.allocatable !== before?.status?.allocatable || !next) {
        allocatable = amountsOf(next?.status?.allocatable);
      }
      if (next?.status?.images !== before?.status?.images || !next) {
        const found = new Map<string, number>();
        for (const image of next?.status?.images ?? []) {
          for (const alias of image.names ?? []) found.set(normalizedImage(alias), image.sizeBytes ?? 0);
        }
        images = found;
      }
    },
    add(pod) {
      pods.push(pod);
      account(pod, 1);
    },
    remove(uid) {
      const at = pods.findIndex((it) => it.uid === uid);
      const pod = pods[at];
      if (!pod) return false;
      const last = pods.pop();
      if (last && last !== pod) pods[at] = last;
      account(pod, -1);
      return true;
    },
    count(namespace, selector) {
      if (selector.requirements.length === 0) return 0;
      const key = `${namespace}\n${selector.key}`;
      const seen = counts.get(key);
      if (seen !== undefined) return seen;
      let count = 0;
      for (const pod of pods) {
        if (!pod.terminating && pod.namespace === namespace && matchesLabels(selector.requirements, pod.labels))
          count++;
      }
      if (counts.size >= 1024) counts.clear();
      counts.set(key, count);
      return count;
    },
    clone: () => nodeInfo(name, self),
  };
  if (from) {
    self.setNode(from.node);
    for (const pod of from.pods) self.add(pod);
  }
  return self;
}
