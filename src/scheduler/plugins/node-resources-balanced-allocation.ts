import { maxNodeScore, type Plugin } from '../framework.ts';

function evenness(requested: readonly number[], allocatable: readonly number[]): number {
  const fractions: number[] = [];
  for (let i = 0; i < requested.length; i++) {
    const capacity = allocatable[i] ?? 0;
    if (capacity > 0) fractions.push(Math.min(1, (requested[i] ?? 0) / capacity));
  }
  // Two resources: the standard deviation is half their distance.
  const [a, b] = fractions;
  const deviation = a === undefined || b === undefined ? 0 : Math.abs((a - b) / 2);
  return Math.trunc((1 - deviation) * maxNodeScore);
}

/** Prefers nodes where cpu and memory are used alike (plugins/noderesources/balanced_allocation.go). */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  preScore: ({ pod }) => pod.requests.milliCpu > 0 || pod.requests.memory > 0,
  score({ pod }, { allocatable, requested }) {
    const capacity = [allocatable.milliCpu, allocatable.memory];
    const before = evenness([requested.milliCpu, requested.memory], capacity);
    const after = evenness(
      [requested.milliCpu + pod.requests.milliCpu, requested.memory + pod.requests.memory],
      capacity,
    );
    return maxNodeScore / 2 + Math.trunc((maxNodeScore / 2 + after - before) / 2);
  },
};
