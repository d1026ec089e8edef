import { formatQuantity, quantityOf, quantityOfMilli } from '../../api/quantity.ts';
import { maxNodeScore, nodeOf, type Plugin, unresolvable, unschedulable } from '../framework.ts';
import { type NodeInfo, nodeInfo } from '../node-info.ts';
import { type PodInfo, podInfoOf } from '../pod-info.ts';

/** One resource that a node has too little of. */
export interface Shortage {
  readonly resource: string;
  readonly reason: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

/** What the node lacks for the pod (plugins/noderesources/fit.go, fitsRequest); empty where it fits. */
export function shortages(pod: PodInfo, node: NodeInfo): readonly Shortage[] {
  const { requests } = pod;
  const { allocatable, requested } = node;
  let found: Shortage[] | undefined;
  const check = (resource: string, wanted: number, used: number, capacity: number, reason?: string): void => {
    if (wanted <= 0 || wanted <= capacity - used) return;
    found ??= [];
    found.push({ resource, reason: reason ?? `Insufficient ${resource}`, requested: wanted, used, capacity });
  };
  check('pods', 1, node.pods.length, allocatable.pods, 'Too many pods');
  check('cpu', requests.milliCpu, requested.milliCpu, allocatable.milliCpu);
  check('memory', requests.memory, requested.memory, allocatable.memory);
  check('ephemeral-storage', requests.ephemeralStorage, requested.ephemeralStorage, allocatable.ephemeralStorage);
  if (requests.scalars) {
    for (const [name, wanted] of requests.scalars) {
      check(name, wanted, requested.scalars?.get(name) ?? 0, allocatable.scalars?.get(name) ?? 0);
    }
  }
  return found ?? none;
}
const none: readonly Shortage[] = Object.freeze([]);

const leastRequested = (requested: number, capacity: number): number =>
  capacity === 0 || requested > capacity ? 0 : Math.trunc(((capacity - requested) * maxNodeScore) / capacity);

const show = (it: Shortage, amount: number): string => {
  if (it.resource === 'cpu') return formatQuantity(quantityOfMilli(amount));
  const binary = it.resource === 'memory' || it.resource === 'ephemeral-storage';
  return formatQuantity(quantityOf(amount, binary ? 'BinarySI' : 'DecimalSI'));
};

/** Requests against what is allocatable; among fitting nodes the emptier is better (LeastAllocated). */
export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  interests: [
    // A pod that goes frees its place, whatever it asked for.
    { on: ['AssignedPod/Delete', 'AssignedPod/ScaleDown'] },
    {
      on: ['Node/Add', 'Node/UpdateAllocatable'],
      hint(pod, { next }) {
        const node = nodeOf(next);
        if (!node) return false;
        const empty = nodeInfo(node.metadata?.name ?? '');
        empty.setNode(node);
        return shortages(podInfoOf(pod), empty).length === 0;
      },
    },
    { on: ['Pod/Update'] },
  ],
  filter({ pod }, node) {
    const found = shortages(pod, node);
    if (found.length === 0) return undefined;
    const reasons = found.map((it) => it.reason);
    const never = found.some((it) => it.resource !== 'pods' && it.requested > it.capacity);
    return never ? unresolvable(...reasons) : unschedulable(...reasons);
  },
  explain({ pod }, node) {
    return shortages(pod, node)
      .map((it) =>
        it.resource === 'pods'
          ? `the node holds ${it.used} of at most ${it.capacity} pods`
          : `${it.resource}: asks for ${show(it, it.requested)}, ${show(it, Math.max(0, it.capacity - it.used))} of ${show(it, it.capacity)} is free`,
      )
      .join('; ');
  },
  score({ pod }, node) {
    let sum = 0;
    let weights = 0;
    const { milliCpu, memory } = node.allocatable;
    if (milliCpu > 0) {
      sum += leastRequested(node.nonZeroCpu + pod.nonZeroCpu, milliCpu);
      weights++;
    }
    if (memory > 0) {
      sum += leastRequested(node.nonZeroMemory + pod.nonZeroMemory, memory);
      weights++;
    }
    return weights === 0 ? 0 : Math.trunc(sum / weights);
  },
};
