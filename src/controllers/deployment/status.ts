import type { V1DeploymentCondition, V1DeploymentStatus } from '../../api/generated/types.ts';
import { rfc3339 } from '../../base/clock.ts';
import { conditionOf, withCondition, withoutCondition } from '../support/conditions.ts';
import {
  type Deployment,
  deadlineOf,
  hasTimedOut,
  isComplete,
  isProgressing,
  maxUnavailable,
  type ReplicaSet,
  sumActual,
  sumAvailable,
  sumReady,
  sumSizes,
  sumTerminating,
  wanted,
} from './facts.ts';

export const condition = (
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  now: number,
): V1DeploymentCondition => ({
  type,
  status,
  lastUpdateTime: rfc3339(now),
  lastTransitionTime: rfc3339(now),
  reason,
  message,
});

/** Counts, and whether there is minimum availability. */
export function countedStatus(
  d: Deployment,
  all: readonly ReplicaSet[],
  newOne: ReplicaSet | undefined,
  now: number,
): V1DeploymentStatus {
  const available = sumAvailable(all);
  const enough = available >= wanted(d) - maxUnavailable(d);
  const conditions = withCondition(
    d.status?.conditions,
    enough
      ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
      : condition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
          now,
        ),
  );
  const counts = {
    observedGeneration: d.metadata.generation ?? 0,
    replicas: sumActual(all),
    updatedReplicas: sumActual([newOne]),
    readyReplicas: sumReady(all),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumSizes(all) - available),
  };
  const terminating = sumTerminating(all);
  const shown = Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
  return {
    ...shown,
    ...(d.status?.collisionCount !== undefined && { collisionCount: d.status.collisionCount }),
    ...(terminating !== undefined && { terminatingReplicas: terminating }),
    conditions,
  };
}

/** The status during a rollout: counts, progress, and what keeps ReplicaSets from making pods. */
export function rolloutStatus(
  d: Deployment,
  all: readonly ReplicaSet[],
  newOne: ReplicaSet | undefined,
  now: number,
): V1DeploymentStatus {
  const counted = countedStatus(d, all, newOne, now);
  let conditions = counted.conditions ?? [];
  if (deadlineOf(d) === undefined) conditions = withoutCondition(conditions, 'Progressing');
  else conditions = progress(d, { ...counted, conditions }, newOne, now);
  const failure = replicaFailure(all, newOne);
  conditions = failure ? withCondition(conditions, failure) : withoutCondition(conditions, 'ReplicaFailure');
  return { ...counted, conditions };
}

function progress(
  d: Deployment,
  status: V1DeploymentStatus,
  newOne: ReplicaSet | undefined,
  now: number,
): readonly V1DeploymentCondition[] {
  const conditions = status.conditions ?? [];
  const current = conditionOf(d.status?.conditions, 'Progressing');
  if ((status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable') {
    return conditions;
  }
  const subject = newOne ? `ReplicaSet "${newOne.metadata.name}"` : `Deployment "${d.metadata.name}"`;
  if (isComplete(d, status)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(conditions, condition('Progressing', 'True', 'NewReplicaSetAvailable', message, now));
  }
  if (isProgressing(d, status)) {
    const next = condition('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, now);
    const kept = current?.status === 'True' ? { lastTransitionTime: current.lastTransitionTime } : {};
    return [...withoutCondition(conditions, 'Progressing'), { ...next, ...kept } as V1DeploymentCondition];
  }
  if (hasTimedOut(d, status, now)) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(conditions, condition('Progressing', 'False', 'ProgressDeadlineExceeded', message, now));
  }
  return conditions;
}

function replicaFailure(all: readonly ReplicaSet[], newOne: ReplicaSet | undefined): V1DeploymentCondition | undefined {
  for (const rs of [...(newOne ? [newOne] : []), ...all]) {
    const failure = conditionOf(rs.status?.conditions, 'ReplicaFailure');
    if (failure) {
      const time = failure.lastTransitionTime;
      return { ...failure, ...(time && { lastUpdateTime: time }) };
    }
  }
  return undefined;
}

/** Milliseconds until the progress deadline is to be looked at, or undefined where there is nothing to wait for. */
export function nextProgressCheck(d: Deployment, status: V1DeploymentStatus, now: number): number | undefined {
  const deadline = deadlineOf(d);
  const current = conditionOf(d.status?.conditions, 'Progressing');
  if (deadline === undefined || !current) return undefined;
  if (isComplete(d, status) || current.reason === 'ProgressDeadlineExceeded') return undefined;
  const after = Date.parse(current.lastUpdateTime ?? '') + deadline * 1000 - now;
  return Math.max(after, 0) + 1000;
}
