import { statefulsets } from '../../api/generated/resources.ts';
import type {
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodTemplateSpec,
  V1StatefulSet,
  V1StatefulSetStatus,
} from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { controllerReference } from '../support/owners.ts';
import { podFromTemplate } from '../support/pod-control.ts';
import { isPodAvailable, isPodReady } from '../support/pods.ts';

export type StatefulSet = Live<V1StatefulSet>;
export type Pod = Live<V1Pod>;

export const revisionLabel = 'controller-revision-hash';
const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';

/** A place in the set: the pod that holds it, or the one that is to be made. */
export interface Slot {
  readonly ordinal: number;
  readonly pod: Pod | undefined;
  readonly revision: string;
}

export const replicasOf = (set: StatefulSet): number => set.spec?.replicas ?? 1;
export const startOf = (set: StatefulSet): number => set.spec?.ordinals?.start ?? 0;
export const isParallel = (set: StatefulSet): boolean => set.spec?.podManagementPolicy === 'Parallel';
export const minReadyOf = (set: StatefulSet): number => set.spec?.minReadySeconds ?? 0;

/** The ordinal in a pod's name if its parent's name is the set's; -1 otherwise. */
export function ordinalOf(set: StatefulSet, podName: string): number {
  const match = /^(.*)-(\d+)$/.exec(podName);
  return match && match[1] === set.metadata.name ? Number(match[2]) : -1;
}

export const inRange = (set: StatefulSet, ordinal: number): boolean =>
  ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set);

export const podRevision = (pod: V1Pod): string => pod.metadata?.labels?.[revisionLabel] ?? '';
export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
export const isRunningAndReady = (pod: V1Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod);
export const isUnavailable = (pod: Pod | undefined, minReady: number, now: number): boolean =>
  !pod || !isPodAvailable(pod, minReady, now) || isTerminating(pod);

/** The revision of a pod to be made: below the partition (or before the first update ends) the current one. */
export function revisionFor(set: StatefulSet, ordinal: number, current: string, update: string): string {
  const strategy = set.spec?.updateStrategy;
  const rolling = strategy?.rollingUpdate;
  const keep =
    rolling === undefined
      ? (strategy?.type ?? 'RollingUpdate') === 'RollingUpdate' &&
        ordinal < startOf(set) + (set.status?.currentReplicas ?? 0)
      : ordinal < startOf(set) + (rolling.partition ?? 0);
  return keep ? current : update;
}

export const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;
export const claimName = (template: string, set: StatefulSet, ordinal: number): string =>
  `${template}-${set.metadata.name}-${ordinal}`;

/** The claims of an ordinal, by the name of their template. */
export function claimsFor(set: StatefulSet, ordinal: number): ReadonlyMap<string, V1PersistentVolumeClaim> {
  const claims = new Map<string, V1PersistentVolumeClaim>();
  for (const template of set.spec?.volumeClaimTemplates ?? []) {
    const name = template.metadata?.name ?? '';
    claims.set(name, {
      ...template,
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        ...template.metadata,
        name: claimName(name, set, ordinal),
        namespace: set.metadata.namespace ?? '',
        labels: { ...template.metadata?.labels, ...set.spec?.selector?.matchLabels },
      },
    });
  }
  return claims;
}

/** The volumes of a pod: its own, and one for each claim template in the place of what has its name. */
export function withStorage(set: StatefulSet, ordinal: number, spec: V1Pod['spec']): V1Pod['spec'] {
  const claims = claimsFor(set, ordinal);
  if (!spec || claims.size === 0) return spec;
  const volumes = [...claims].map(([name, claim]) => ({
    name,
    persistentVolumeClaim: { claimName: claim.metadata?.name ?? '' },
  }));
  return { ...spec, volumes: [...volumes, ...(spec.volumes ?? []).filter((volume) => !claims.has(volume.name))] };
}

export const identityLabels = (set: StatefulSet, ordinal: number): Readonly<Record<string, string>> => ({
  [podNameLabel]: podName(set, ordinal),
  [podIndexLabel]: String(ordinal),
});

export const identityMatches = (set: StatefulSet, pod: Pod): boolean =>
  ordinalOf(set, pod.metadata.name) >= 0 && pod.metadata.labels?.[podNameLabel] === pod.metadata.name;

export function storageMatches(set: StatefulSet, pod: Pod): boolean {
  const ordinal = ordinalOf(set, pod.metadata.name);
  const volumes = pod.spec?.volumes ?? [];
  return [...claimsFor(set, ordinal)].every(([name, claim]) =>
    volumes.some((it) => it.name === name && it.persistentVolumeClaim?.claimName === claim.metadata?.name),
  );
}

/** The pod for an ordinal, after the template of its revision. */
export function newPod(set: StatefulSet, template: V1PodTemplateSpec, ordinal: number, revision: string): V1Pod {
  const name = podName(set, ordinal);
  const pod = podFromTemplate(template, set, controllerReference(statefulsets, set), { name });
  const spec = withStorage(set, ordinal, pod.spec);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata?.labels, ...identityLabels(set, ordinal), [revisionLabel]: revision },
    },
    ...(spec && {
      spec: {
        ...spec,
        hostname: name,
        ...(set.spec?.serviceName && { subdomain: set.spec.serviceName }),
      },
    }),
  };
}

/** Counts of pods in the status. */
export function statusOf(it: {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly current: string;
  readonly update: string;
  readonly collisionCount: number;
  readonly now: number;
}): V1StatefulSetStatus {
  let ready = 0;
  let available = 0;
  let currentReplicas = 0;
  let updatedReplicas = 0;
  for (const pod of it.pods) {
    if (isRunningAndReady(pod)) {
      ready++;
      if (isPodAvailable(pod, minReadyOf(it.set), it.now)) available++;
    }
    if (isTerminating(pod)) continue;
    if (podRevision(pod) === it.current) currentReplicas++;
    if (podRevision(pod) === it.update) updatedReplicas++;
  }
  return complete(it.set, {
    observedGeneration: it.set.metadata.generation ?? 0,
    replicas: it.pods.length,
    readyReplicas: ready,
    availableReplicas: available,
    currentReplicas,
    updatedReplicas,
    currentRevision: it.current,
    updateRevision: it.update,
    collisionCount: it.collisionCount,
    ...(it.set.status?.conditions && { conditions: it.set.status.conditions }),
  });
}

/** A rolling update that has reached every pod makes the update revision the current one. */
function complete(set: StatefulSet, status: V1StatefulSetStatus): V1StatefulSetStatus {
  const size = replicasOf(set);
  const done =
    (set.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate' &&
    status.updatedReplicas === size &&
    status.readyReplicas === size &&
    status.replicas === size;
  if (!done) return status;
  return {
    ...status,
    currentReplicas: status.updatedReplicas ?? 0,
    ...(status.updateRevision && { currentRevision: status.updateRevision }),
  };
}
