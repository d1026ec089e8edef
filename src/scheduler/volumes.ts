import type { V1Node, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod, V1Volume } from '../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../api/label-selector.ts';
import { wholeValueOf } from '../api/quantity.ts';
import { matchesNodeSelector } from '../kinds/core/node-match.ts';
import type { World } from './world.ts';

export const selectedNode = 'volume.kubernetes.io/selected-node';
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
const noProvisioner = 'kubernetes.io/no-provisioner';

/** The claim a pod's volume stands on; a generic ephemeral volume's is named after pod and volume. */
export function claimOf(
  pod: V1Pod,
  volume: V1Volume,
): { readonly name: string; readonly ephemeral: boolean } | undefined {
  if (volume.persistentVolumeClaim) return { name: volume.persistentVolumeClaim.claimName, ephemeral: false };
  if (volume.ephemeral) return { name: `${pod.metadata?.name}-${volume.name}`, ephemeral: true };
  return undefined;
}

export interface PodClaims {
  readonly bound: readonly V1PersistentVolumeClaim[];
  /** Bind when their first consumer has a node. */
  readonly delayed: readonly V1PersistentVolumeClaim[];
  readonly immediate: readonly V1PersistentVolumeClaim[];
}

/** The pod's claims sorted, or why it cannot go on at all (plugins/volumebinding/volume_binding.go, podHasPVCs). */
export function podClaims(pod: V1Pod, world: World): PodClaims | { readonly error: string } | undefined {
  const bound: V1PersistentVolumeClaim[] = [];
  const delayed: V1PersistentVolumeClaim[] = [];
  const immediate: V1PersistentVolumeClaim[] = [];
  const namespace = pod.metadata?.namespace ?? '';
  let any = false;
  for (const volume of pod.spec?.volumes ?? []) {
    const named = claimOf(pod, volume);
    if (!named) continue;
    any = true;
    const claim = world.claim(namespace, named.name);
    if (!claim) {
      return {
        error: named.ephemeral
          ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${named.name}"`
          : `persistentvolumeclaim "${named.name}" not found`,
      };
    }
    if (claim.status?.phase === 'Lost') {
      return {
        error: `persistentvolumeclaim "${named.name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`,
      };
    }
    if (claim.metadata?.deletionTimestamp) return { error: `persistentvolumeclaim "${named.name}" is being deleted` };
    const owner = (claim.metadata?.ownerReferences ?? []).find((it) => it.controller);
    if (named.ephemeral && owner?.uid !== pod.metadata?.uid) {
      return {
        error: `PVC ${namespace}/${named.name} was not created for pod ${namespace}/${pod.metadata?.name} (pod is not owner)`,
      };
    }
    if (isBound(claim)) bound.push(claim);
    else if (isDelayed(claim, world) && !claim.spec?.volumeName) delayed.push(claim);
    else immediate.push(claim);
  }
  return any ? { bound, delayed, immediate } : undefined;
}

export const isBound = (claim: V1PersistentVolumeClaim): boolean =>
  Boolean(claim.spec?.volumeName) && claim.metadata?.annotations?.[bindCompleted] !== undefined;

const isDelayed = (claim: V1PersistentVolumeClaim, world: World): boolean =>
  world.storageClass(classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';

/** The class by annotation (old) or field; '' for none. */
export const classOf = (claim: V1PersistentVolumeClaim): string =>
  claim.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? '';
const classOfVolume = (volume: V1PersistentVolume): string =>
  volume.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? volume.spec?.storageClassName ?? '';

/** What binding would do on a node. */
export interface VolumePlan {
  readonly bindings: readonly { readonly claim: V1PersistentVolumeClaim; readonly volume: V1PersistentVolume }[];
  readonly provisions: readonly V1PersistentVolumeClaim[];
}

export const reachable = (volume: V1PersistentVolume, node: V1Node): boolean => {
  const required = volume.spec?.nodeAffinity?.required;
  return !required || matchesNodeSelector(required, node);
};

/** Tries the pod's claims on a node: what to bind and provision, or upstream's reasons against (binder.go, FindPodVolumes). */
export function planVolumes(
  claims: PodClaims,
  node: V1Node,
  world: World,
): VolumePlan | { readonly reasons: readonly string[] } {
  const reasons: string[] = [];
  for (const claim of claims.bound) {
    const volume = world.volume(claim.spec?.volumeName ?? '');
    if (!volume) {
      reasons.push('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)');
      break;
    }
    if (!reachable(volume, node)) {
      reasons.push("node(s) didn't match PersistentVolume's node affinity");
      break;
    }
  }
  const bindings: { claim: V1PersistentVolumeClaim; volume: V1PersistentVolume }[] = [];
  const provisions: V1PersistentVolumeClaim[] = [];
  const noMatch = (): { readonly reasons: readonly string[] } => ({
    reasons: [...reasons, "node(s) didn't find available persistent volumes to bind"],
  });
  const bySize = [...claims.delayed].sort((a, b) => requested(a) - requested(b));
  const taken = new Set<string>();
  for (const claim of bySize) {
    const chosen = claim.metadata?.annotations?.[selectedNode];
    if (chosen !== undefined && chosen !== node.metadata?.name) return noMatch();
    const volume = chosen === undefined ? matchingVolume(claim, node, world, taken) : undefined;
    if (volume) {
      taken.add(volume.metadata?.name ?? '');
      bindings.push({ claim, volume });
    } else provisions.push(claim);
  }
  for (const claim of provisions) {
    const found = world.storageClass(classOf(claim));
    if (!found?.provisioner || found.provisioner === noProvisioner) return noMatch();
    const topologies = found.allowedTopologies ?? [];
    const labels = node.metadata?.labels ?? {};
    const allowed =
      topologies.length === 0 ||
      topologies.some((term) =>
        (term.matchLabelExpressions ?? []).every((it) => it.values.includes(labels[it.key] ?? '\u0000')),
      );
    if (!allowed) return noMatch();
    if (!hasCapacity(claim, found.provisioner, found.metadata?.name ?? '', labels, world)) {
      return { reasons: [...reasons, 'node(s) did not have enough free storage'] };
    }
  }
  return reasons.length > 0 ? { reasons } : { bindings, provisions };
}

const requested = (claim: V1PersistentVolumeClaim): number =>
  wholeValueOf(claim.spec?.resources?.requests?.['storage']);

/** The smallest free volume that fits the claim on this node; one reserved for the claim comes first. */
function matchingVolume(
  claim: V1PersistentVolumeClaim,
  node: V1Node,
  world: World,
  taken: ReadonlySet<string>,
): V1PersistentVolume | undefined {
  const wanted = requested(claim);
  const selector = requirementsOf(claim.spec?.selector);
  let best: V1PersistentVolume | undefined;
  let bestSize = Number.POSITIVE_INFINITY;
  for (const volume of world.volumes()) {
    if (taken.has(volume.metadata?.name ?? '') || volume.metadata?.deletionTimestamp) continue;
    if ((volume.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) continue;
    const size = wholeValueOf(volume.spec?.capacity?.['storage']);
    if (size < wanted || classOfVolume(volume) !== classOf(claim) || !reachable(volume, node)) continue;
    const reference = volume.spec?.claimRef;
    if (reference) {
      const ours =
        reference.namespace === claim.metadata?.namespace &&
        reference.name === claim.metadata?.name &&
        (!reference.uid || reference.uid === claim.metadata?.uid);
      if (ours) return volume;
      continue;
    }
    if (volume.status?.phase !== 'Available') continue;
    const modes = volume.spec?.accessModes ?? [];
    if (!(claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode))) continue;
    if (selector && !matchesLabels(selector, volume.metadata?.labels)) continue;
    if (size < bestSize) {
      best = volume;
      bestSize = size;
    }
  }
  return best;
}

function hasCapacity(
  claim: V1PersistentVolumeClaim,
  provisioner: string,
  storageClass: string,
  labels: Readonly<Record<string, string>>,
  world: World,
): boolean {
  if (!world.csiDriver(provisioner)?.spec?.storageCapacity) return true;
  const wanted = requested(claim);
  return world
    .csiCapacities()
    .some(
      (it) =>
        it.storageClassName === storageClass &&
        (it.maximumVolumeSize ?? it.capacity) !== undefined &&
        wholeValueOf(it.maximumVolumeSize ?? it.capacity) >= wanted &&
        it.nodeTopology !== undefined &&
        matchesLabels(requirementsOf(it.nodeTopology), labels),
    );
}
