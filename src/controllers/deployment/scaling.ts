import {
  annotations,
  byCreation,
  type Deployment,
  fenceposts,
  isRolling,
  isSaturated,
  maxSurge,
  maxUnavailable,
  type ReplicaSet,
  sizeOf,
  sumAvailable,
  sumSizes,
  wanted,
} from './facts.ts';

/** A ReplicaSet and the size it should have. `mark`: its size annotations are to be brought up to date even if the size stays. */
export interface Scaling {
  readonly replicaSet: ReplicaSet;
  readonly size: number;
  readonly mark?: boolean;
}

/** The size of the new ReplicaSet now: as many more as the surge allows (deploymentutil.NewRSNewReplicas). */
export function newSize(d: Deployment, others: readonly ReplicaSet[], current: number): number {
  if (!isRolling(d)) return wanted(d);
  const room = wanted(d) + fencepostSurge(d) - (sumSizes(others) + current);
  return room <= 0 ? current : current + Math.min(room, wanted(d) - current);
}

// The raw surge, without the rule that one of both fenceposts must give way.
const fencepostSurge = (d: Deployment): number => fenceposts(d).surge;

/** Growing the new ReplicaSet of a rolling update, or shrinking it after the Deployment shrank. */
export function growNew(d: Deployment, newOne: ReplicaSet, old: readonly ReplicaSet[]): Scaling | undefined {
  const size = sizeOf(newOne);
  if (size === wanted(d)) return undefined;
  const next = size > wanted(d) ? wanted(d) : newSize(d, old, size);
  return next === size ? undefined : { replicaSet: newOne, size: next };
}

/** Shrinking the old ReplicaSets of a rolling update: first pods that do not work, then as many as availability allows. */
export function shrinkOld(d: Deployment, newOne: ReplicaSet, old: readonly ReplicaSet[]): readonly Scaling[] {
  const active = old.filter((rs) => sizeOf(rs) > 0).sort(byCreation);
  if (sumSizes(active) === 0) return [];
  const minAvailable = wanted(d) - maxUnavailable(d);
  const unavailableNew = sizeOf(newOne) - (newOne.status?.availableReplicas ?? 0);
  const room = sumSizes([...active, newOne]) - minAvailable - unavailableNew;
  if (room <= 0) return [];
  const sizes = new Map(active.map((rs) => [rs, sizeOf(rs)]));
  let cleaned = 0;
  for (const rs of active) {
    if (cleaned >= room) break;
    const unhealthy = sizeOf(rs) - (rs.status?.availableReplicas ?? 0);
    if (unhealthy <= 0) continue;
    const less = Math.min(room - cleaned, unhealthy);
    sizes.set(rs, sizeOf(rs) - less);
    cleaned += less;
  }
  const spare = sumAvailable([...active, newOne]) - minAvailable;
  let taken = 0;
  for (const rs of active) {
    if (taken >= spare) break;
    const size = sizes.get(rs) ?? 0;
    if (size === 0) continue;
    const less = Math.min(size, spare - taken);
    sizes.set(rs, size - less);
    taken += less;
  }
  return active
    .filter((rs) => sizes.get(rs) !== sizeOf(rs))
    .map((replicaSet) => ({ replicaSet, size: sizes.get(replicaSet) ?? 0 }));
}

/** What a changed replica count means for the ReplicaSets: one is scaled, or all in proportion to their sizes. */
export function proportional(
  d: Deployment,
  newOne: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): readonly Scaling[] {
  const all = [...old, ...(newOne ? [newOne] : [])];
  if (all.length === 0) return [];
  const active = all.filter((rs) => sizeOf(rs) > 0);
  if (active.length <= 1) {
    const newest = newOne ?? [...old].sort(byCreation).at(-1);
    const only = active[0] ?? newest;
    return only && sizeOf(only) !== wanted(d) ? [{ replicaSet: only, size: wanted(d) }] : [];
  }
  if (isSaturated(d, newOne)) {
    return old.filter((rs) => sizeOf(rs) > 0).map((replicaSet) => ({ replicaSet, size: 0 }));
  }
  if (!isRolling(d)) return [];
  const allowed = wanted(d) > 0 ? wanted(d) + maxSurge(d) : 0;
  const toAdd = allowed - sumSizes(active);
  // Growing favours the newer of two equal ones, shrinking the older.
  const sorted = [...active].sort((a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)));
  let added = 0;
  const sizes = sorted.map((rs) => {
    const share = toAdd === 0 ? 0 : proportion(d, rs, toAdd, added);
    added += share;
    return sizeOf(rs) + share;
  });
  return sorted.map((replicaSet, i) => ({
    replicaSet,
    size: i === 0 && toAdd !== 0 ? Math.max(0, (sizes[0] ?? 0) + toAdd - added) : (sizes[i] ?? 0),
    mark: true,
  }));
}

function proportion(d: Deployment, rs: ReplicaSet, toAdd: number, added: number): number {
  if (sizeOf(rs) === 0 || toAdd === added) return 0;
  const share = fraction(d, rs);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
}

function fraction(d: Deployment, rs: ReplicaSet): number {
  if (wanted(d) === 0) return -sizeOf(rs);
  const before = Number(rs.metadata.annotations?.[annotations.max] ?? 0) || (d.status?.replicas ?? 0);
  if (before === 0) return 0;
  const exact = (sizeOf(rs) * (wanted(d) + maxSurge(d))) / before;
  return Math.round(exact) - sizeOf(rs);
}

/** True where a ReplicaSet was last sized for another replica count. */
export function isScalingEvent(d: Deployment, all: readonly ReplicaSet[]): boolean {
  return all.some((rs) => {
    const desired = rs.metadata.annotations?.[annotations.desired];
    return sizeOf(rs) > 0 && desired !== undefined && /^\d+$/.test(desired) && Number(desired) !== wanted(d);
  });
}
