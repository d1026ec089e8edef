import { formatQuantity, quantityOf } from '../../api/quantity.ts';

/** What is measured against thresholds. Upstream: pkg/kubelet/eviction/api/types.go. */
export type Signal =
  | 'memory.available'
  | 'nodefs.available'
  | 'nodefs.inodesFree'
  | 'imagefs.available'
  | 'imagefs.inodesFree'
  | 'pid.available';

export type StarvedResource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';
export type PressureType = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

/** The least of something that may be free: an amount, or a share of the whole (0…1). */
export interface Threshold {
  readonly signal: Signal;
  readonly value: { readonly amount: number } | { readonly share: number };
  /** Milliseconds that a soft threshold has to be met before pods are evicted; absent = hard. */
  readonly graceMs?: number;
}

export interface Observation {
  readonly available: number;
  readonly capacity: number;
}
export type Observations = ReadonlyMap<Signal, Observation>;

export const resourceOf: Readonly<Record<Signal, StarvedResource>> = {
  'memory.available': 'memory',
  'nodefs.available': 'ephemeral-storage',
  'nodefs.inodesFree': 'inodes',
  'imagefs.available': 'ephemeral-storage',
  'imagefs.inodesFree': 'inodes',
  'pid.available': 'pids',
};

export const conditionOf: Readonly<Record<Signal, PressureType>> = {
  'memory.available': 'MemoryPressure',
  'nodefs.available': 'DiskPressure',
  'nodefs.inodesFree': 'DiskPressure',
  'imagefs.available': 'DiskPressure',
  'imagefs.inodesFree': 'DiskPressure',
  'pid.available': 'PIDPressure',
};

/** Upstream's defaults (evictionHard of the kubelet's configuration). */
export const defaultThresholds: readonly Threshold[] = [
  { signal: 'memory.available', value: { amount: 100 * 1024 * 1024 } },
  { signal: 'nodefs.available', value: { share: 0.1 } },
  { signal: 'nodefs.inodesFree', value: { share: 0.05 } },
  { signal: 'imagefs.available', value: { share: 0.15 } },
  { signal: 'imagefs.inodesFree', value: { share: 0.05 } },
];

export function thresholdAmount(threshold: Threshold, capacity: number): number {
  return 'amount' in threshold.value ? threshold.value.amount : Math.trunc(capacity * threshold.value.share);
}

/** The thresholds that what was observed is below. */
export function thresholdsMet(thresholds: readonly Threshold[], observations: Observations): readonly Threshold[] {
  return thresholds.filter((threshold) => {
    const seen = observations.get(threshold.signal);
    return seen !== undefined && seen.available < thresholdAmount(threshold, seen.capacity);
  });
}

/** Memory first, then the others in the order of the list: the one that is relieved first. Upstream: byEvictionPriority. */
export function mostUrgent(met: readonly Threshold[]): Threshold | undefined {
  return met.find((it) => it.signal === 'memory.available') ?? met[0];
}

/** An amount as upstream writes it in messages: `100Mi` for bytes, `5k` for counts. */
export function amountText(resource: StarvedResource, amount: number): string {
  const format = resource === 'pids' || resource === 'inodes' ? 'DecimalSI' : 'BinarySI';
  return formatQuantity(quantityOf(amount, format));
}
