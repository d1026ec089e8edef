import { persistentvolumeclaims } from '../../../api/generated/resources.ts';
import type { V1PersistentVolumeClaim } from '../../../api/generated/types.ts';
import type { Reference } from '../../reference.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** A volume claim that a pod names. */
export interface ClaimUse {
  readonly name: string;
  readonly ref: Reference;
  /** Undefined where it is not there or could not be read. */
  readonly claim: V1PersistentVolumeClaim | undefined;
  /** Made by the pod itself (a generic ephemeral volume). */
  readonly ephemeral: boolean;
  /** Below the pod spec. */
  readonly path: readonly (string | number)[];
}

export function claimsOf(snapshot: Snapshot, pod: PodFacts): readonly ClaimUse[] {
  return (pod.spec.volumes ?? []).flatMap((volume, i) => {
    const named = volume.persistentVolumeClaim?.claimName;
    const name = named ?? (volume.ephemeral ? `${pod.ref.name}-${volume.name}` : undefined);
    if (name === undefined) return [];
    return [
      {
        name,
        ref: { kind: 'PersistentVolumeClaim', namespace: pod.namespace, name },
        claim: snapshot.get(persistentvolumeclaims, name, pod.namespace),
        ephemeral: named === undefined,
        path: ['volumes', i, 'persistentVolumeClaim', 'claimName'],
      },
    ];
  });
}

/** The YAML of a claim for examples. */
export const claimExample = (
  name: string,
  more: { readonly spec?: string; readonly status?: string; readonly meta?: string } = {},
): string => `
---
kind: PersistentVolumeClaim
metadata: {name: ${name}${more.meta ?? ''}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}${more.spec ?? ''}}
status: {${more.status ?? 'phase: Pending'}}
`;

/** Pod spec lines that mount a claim. */
export const mounting = (name: string): string =>
  `  volumes: [{name: data, persistentVolumeClaim: {claimName: ${name}}}]`;
