import type { V1Pod } from '../../api/generated/types.ts';
import { type Plugin, type StateKey, unresolvable } from '../framework.ts';
import { claimOf, type PodClaims, planVolumes, podClaims, type VolumePlan } from '../volumes.ts';

const key: StateKey<{ readonly claims: PodClaims; readonly plans: Map<string, VolumePlan> }> = {
  name: 'VolumeBinding',
};
export const volumeState = key;

const usesClaims = (pod: V1Pod): boolean => (pod.spec?.volumes ?? []).some((it) => claimOf(pod, it));

/** Bound claims must be reachable from the node; those that wait for a consumer must be bindable or provisionable there. */
export const volumeBinding: Plugin = {
  name: 'VolumeBinding',
  interests: [
    {
      on: ['PersistentVolumeClaim/Add', 'PersistentVolumeClaim/Update'],
      hint: (pod, { next }) =>
        next?.metadata?.namespace === pod.metadata?.namespace &&
        (pod.spec?.volumes ?? []).some((it) => claimOf(pod, it)?.name === next?.metadata?.name),
    },
    {
      on: [
        'StorageClass/Add',
        'StorageClass/Update',
        'PersistentVolume/Add',
        'PersistentVolume/Update',
        'Node/Add',
        'Node/UpdateLabel',
        'CSINode/Add',
        'CSINode/Update',
        'CSIDriver/Update',
        'CSIStorageCapacity/Add',
        'CSIStorageCapacity/Update',
      ],
      hint: usesClaims,
    },
  ],
  preFilter({ pod, snapshot, state }) {
    const claims = podClaims(pod.pod, snapshot.world);
    if (!claims) return 'skip';
    if ('error' in claims) return { rejection: unresolvable(claims.error) };
    if (claims.immediate.length > 0) {
      return { rejection: unresolvable('pod has unbound immediate PersistentVolumeClaims') };
    }
    state.write(key, { claims, plans: new Map() });
    return undefined;
  },
  filter({ state, snapshot }, { node, name }) {
    const known = state.read(key);
    if (!known || !node) return undefined;
    const plan = planVolumes(known.claims, node, snapshot.world);
    if ('reasons' in plan) return unresolvable(...plan.reasons);
    known.plans.set(name, plan);
    return undefined;
  },
};
