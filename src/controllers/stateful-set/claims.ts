import { pods as podResource, statefulsets } from '../../api/generated/resources.ts';
import type { V1OwnerReference, V1PersistentVolumeClaim } from '../../api/generated/types.ts';
import { apiVersionOf, type Live, type Resource } from '../../api/resource.ts';
import { controllerReference } from '../support/owners.ts';
import { inRange, ordinalOf, type Pod, type StatefulSet } from './facts.ts';

type Claim = Live<V1PersistentVolumeClaim>;

/** The owners that a claim should have under the set's retention policy, or undefined where it has them (isClaimOwnerUpToDate). */
export function claimOwners(claim: Claim, set: StatefulSet, pod: Pod): readonly V1OwnerReference[] | undefined {
  const refs = claim.metadata.ownerReferences ?? [];
  if (isStale(refs, set, statefulsets) || isStale(refs, pod, podResource)) return undefined;
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  const onDelete = policy?.whenDeleted === 'Delete';
  const onScale = policy?.whenScaled === 'Delete';
  const others = refs.filter((ref) => !refersTo(ref, set, statefulsets) && !refersTo(ref, pod, podResource));
  const scaledDown = !inRange(set, ordinalOf(set, pod.metadata.name));
  const wanted = hasStrangeController(claim, set, pod)
    ? []
    : [
        ...(onDelete && !(onScale && scaledDown) ? [controllerReference(statefulsets, set)] : []),
        ...(onScale && scaledDown ? [controllerReference(podResource, pod)] : []),
      ];
  const mine = refs.filter((ref) => !others.includes(ref));
  const same =
    mine.length === wanted.length && wanted.every((it) => mine.some((ref) => ref.uid === it.uid && ref.controller));
  return same ? undefined : [...others, ...wanted];
}

/** True where somebody else controls the claim, so that the retention policy is not followed. */
export function hasStrangeController(claim: Claim, set: StatefulSet, pod: Pod): boolean {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  if (policy?.whenDeleted !== 'Delete' && policy?.whenScaled !== 'Delete') return false;
  return (claim.metadata.ownerReferences ?? []).some((ref) => {
    if (refersTo(ref, set, statefulsets)) return ref.uid !== set.metadata.uid;
    if (refersTo(ref, pod, podResource)) return ref.uid !== pod.metadata.uid;
    return ref.controller === true;
  });
}

/** True where the claim waits to be deleted with a pod of this name that is gone: a new pod must not take it. */
export const isLeaving = (claim: Claim, podName: string, podUid: string | undefined): boolean =>
  (claim.metadata.ownerReferences ?? []).some(
    (ref) => ref.kind === 'Pod' && ref.name === podName && ref.uid !== podUid,
  );

const refersTo = (ref: V1OwnerReference, object: Live, resource: Resource): boolean =>
  ref.kind === resource.kind && ref.apiVersion === apiVersionOf(resource) && ref.name === object.metadata.name;
const isStale = (refs: readonly V1OwnerReference[], object: Live, resource: Resource): boolean =>
  refs.some((ref) => refersTo(ref, object, resource) && ref.uid !== object.metadata.uid);
