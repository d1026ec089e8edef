import type { V1Deployment, V1DeploymentStatus, V1PodTemplateSpec, V1ReplicaSet } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { conditionOf } from '../support/conditions.ts';
import { scaledValue } from '../support/int-or-percent.ts';

export type ReplicaSet = Live<V1ReplicaSet>;
export type Deployment = Live<V1Deployment>;

export const annotations = {
  revision: 'deployment.kubernetes.io/revision',
  history: 'deployment.kubernetes.io/revision-history',
  desired: 'deployment.kubernetes.io/desired-replicas',
  max: 'deployment.kubernetes.io/max-replicas',
  rollbackTo: 'deprecated.deployment.rollback.to',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
} as const;
const ownAnnotations: ReadonlySet<string> = new Set(Object.values(annotations));
export const hashLabel = 'pod-template-hash';
const maxInt32 = 2 ** 31 - 1;
/** Characters of the revision-history annotation. */
const historyLimit = 2000;

export const wanted = (d: Deployment): number => d.spec?.replicas ?? 1;
export const sizeOf = (rs: V1ReplicaSet): number => rs.spec?.replicas ?? 1;
export const isRolling = (d: Deployment): boolean => (d.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

/** Absolute surge and unavailability; both zero would stand still, so then one may be missing. */
export function fenceposts(d: Deployment): { readonly surge: number; readonly unavailable: number } {
  const rolling = d.spec?.strategy?.rollingUpdate;
  const surge = scaledValue(rolling?.maxSurge as number | string | undefined, wanted(d), true);
  const unavailable = scaledValue(rolling?.maxUnavailable as number | string | undefined, wanted(d), false);
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

export const maxSurge = (d: Deployment): number => (isRolling(d) ? fenceposts(d).surge : 0);
export const maxUnavailable = (d: Deployment): number =>
  isRolling(d) && wanted(d) > 0 ? Math.min(fenceposts(d).unavailable, wanted(d)) : 0;

export const deadlineOf = (d: Deployment): number | undefined => {
  const seconds = d.spec?.progressDeadlineSeconds;
  return seconds === undefined || seconds === maxInt32 ? undefined : seconds;
};
export const historyLimitOf = (d: Deployment): number | undefined => {
  const limit = d.spec?.revisionHistoryLimit;
  return limit === undefined || limit === maxInt32 ? undefined : limit;
};

/** The template without the hash label, to compare with what the Deployment says. */
function withoutHash(template: V1PodTemplateSpec | undefined): V1PodTemplateSpec {
  const labels = template?.metadata?.labels;
  if (!labels || !(hashLabel in labels)) return template ?? {};
  const { [hashLabel]: _, ...rest } = labels;
  return { ...template, metadata: { ...template?.metadata, labels: rest } };
}

export const sameTemplate = (a: V1PodTemplateSpec | undefined, b: V1PodTemplateSpec | undefined): boolean =>
  semanticEqual(normal(withoutHash(a)), normal(withoutHash(b)));

/** An empty metadata and a missing one are the same template. */
function normal(template: V1PodTemplateSpec): V1PodTemplateSpec {
  const { labels, annotations: notes, creationTimestamp: _, ...meta } = template.metadata ?? {};
  return {
    ...template,
    metadata: {
      ...meta,
      ...(labels && Object.keys(labels).length > 0 && { labels }),
      ...(notes && Object.keys(notes).length > 0 && { annotations: notes }),
    },
  };
}

export const byCreation = (a: ReplicaSet, b: ReplicaSet): number =>
  a.metadata.creationTimestamp === b.metadata.creationTimestamp
    ? compare(a.metadata.name, b.metadata.name)
    : compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The ReplicaSet with the Deployment's present template: the oldest, where there are several. */
export const findNew = (d: Deployment, all: readonly ReplicaSet[]): ReplicaSet | undefined =>
  [...all].sort(byCreation).find((rs) => sameTemplate(rs.spec?.template, d.spec?.template));

export const revisionOf = (rs: V1ReplicaSet): number => {
  const text = rs.metadata?.annotations?.[annotations.revision] ?? '0';
  return /^\d+$/.test(text) ? Number(text) : 0;
};
export const maxRevision = (all: readonly ReplicaSet[]): number => Math.max(0, ...all.map(revisionOf));
/** The second highest revision, 0 where there is none. */
export function lastRevision(all: readonly ReplicaSet[]): number {
  const sorted = all.map(revisionOf).sort((a, b) => b - a);
  return sorted[1] ?? 0;
}

/** The annotations of the new ReplicaSet: the Deployment's own, its revision, and the revisions it had before. */
export function newAnnotations(
  d: Deployment,
  old: Readonly<Record<string, string>>,
  revision: number,
  exists: boolean,
): Readonly<Record<string, string>> {
  const next: Record<string, string> = { ...old };
  for (const [key, value] of Object.entries(d.metadata.annotations ?? {})) {
    if (!ownAnnotations.has(key)) next[key] = value;
  }
  const before = old[annotations.revision];
  if (before !== undefined && before !== '' && !/^\d+$/.test(before)) return next;
  if (Number(before ?? 0) < revision) {
    next[annotations.revision] = String(revision);
    if (before !== undefined) next[annotations.history] = longerHistory(old[annotations.history] ?? '', before);
  }
  return exists ? next : { ...next, ...sizeAnnotations(d) };
}

function longerHistory(history: string, revision: string): string {
  if (history === '') return revision;
  const parts = history.split(',');
  while (parts.length > 0 && parts.join(',').length + revision.length + 1 > historyLimit) parts.shift();
  return [...parts, revision].join(',');
}

export const sizeAnnotations = (d: Deployment): Readonly<Record<string, string>> => ({
  [annotations.desired]: String(wanted(d)),
  [annotations.max]: String(wanted(d) + maxSurge(d)),
});

/** The Deployment's annotations after going back to a ReplicaSet: its own bookkeeping, and the ReplicaSet's for the rest. */
export function rolledBackAnnotations(d: Deployment, rs: ReplicaSet): Readonly<Record<string, string>> {
  const keep = Object.entries(d.metadata.annotations ?? {}).filter(([key]) => ownAnnotations.has(key));
  const take = Object.entries(rs.metadata.annotations ?? {}).filter(([key]) => !ownAnnotations.has(key));
  return Object.fromEntries([...keep, ...take].filter(([key]) => key !== annotations.rollbackTo));
}

export const sumSizes = (all: readonly (ReplicaSet | undefined)[]): number => sum(all, sizeOf);
export const sumAvailable = (all: readonly (ReplicaSet | undefined)[]): number =>
  sum(all, (rs) => rs.status?.availableReplicas ?? 0);
export const sumReady = (all: readonly (ReplicaSet | undefined)[]): number =>
  sum(all, (rs) => rs.status?.readyReplicas ?? 0);
export const sumActual = (all: readonly (ReplicaSet | undefined)[]): number =>
  sum(all, (rs) => rs.status?.replicas ?? 0);
export function sumTerminating(all: readonly (ReplicaSet | undefined)[]): number | undefined {
  let total = 0;
  for (const rs of all) {
    if (!rs) continue;
    const count = rs.status?.terminatingReplicas;
    if (count === undefined) {
      if (rs.status?.observedGeneration) return undefined;
    } else total += count;
  }
  return total;
}
const sum = (all: readonly (ReplicaSet | undefined)[], of: (rs: ReplicaSet) => number): number =>
  all.reduce((total, rs) => total + (rs ? of(rs) : 0), 0);

/** Everything is updated, available, and nothing old is left. */
export const isComplete = (d: Deployment, status: V1DeploymentStatus): boolean =>
  (status.updatedReplicas ?? 0) === wanted(d) &&
  (status.replicas ?? 0) === wanted(d) &&
  (status.availableReplicas ?? 0) === wanted(d) &&
  (status.observedGeneration ?? 0) >= (d.metadata.generation ?? 0);

/** Whether the new status is a step forward from the one the Deployment has. */
export function isProgressing(d: Deployment, next: V1DeploymentStatus): boolean {
  const old = d.status ?? {};
  const oldOnes = (status: V1DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (next.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    oldOnes(next) < oldOnes(old) ||
    (next.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

export function hasTimedOut(d: Deployment, status: V1DeploymentStatus, now: number): boolean {
  const deadline = deadlineOf(d);
  const condition = conditionOf(status.conditions, 'Progressing');
  if (deadline === undefined || !condition || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return Date.parse(condition.lastUpdateTime ?? '') + deadline * 1000 < now;
}

export function isSaturated(d: Deployment, rs: ReplicaSet | undefined): boolean {
  return (
    rs !== undefined &&
    sizeOf(rs) === wanted(d) &&
    Number(rs.metadata.annotations?.[annotations.desired]) === wanted(d) &&
    (rs.status?.availableReplicas ?? 0) === wanted(d)
  );
}
