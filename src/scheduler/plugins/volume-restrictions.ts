import type { V1Pod, V1Volume } from '../../api/generated/types.ts';
import { type Plugin, podOf, type StateKey, unresolvable, unschedulable } from '../framework.ts';

function diskConflict(volume: V1Volume, other: V1Volume): boolean {
  const readOnly = (a?: { readonly readOnly?: boolean }, b?: { readonly readOnly?: boolean }): boolean =>
    Boolean(a?.readOnly && b?.readOnly);
  const [gce, gce2] = [volume.gcePersistentDisk, other.gcePersistentDisk];
  if (gce && gce2 && gce.pdName === gce2.pdName && !readOnly(gce, gce2)) return true;
  const [ebs, ebs2] = [volume.awsElasticBlockStore, other.awsElasticBlockStore];
  if (ebs && ebs2 && ebs.volumeID === ebs2.volumeID) return true;
  const [iscsi, iscsi2] = [volume.iscsi, other.iscsi];
  if (iscsi && iscsi2 && iscsi.iqn === iscsi2.iqn && !readOnly(iscsi, iscsi2)) return true;
  const [rbd, rbd2] = [volume.rbd, other.rbd];
  return Boolean(
    rbd &&
      rbd2 &&
      rbd.monitors.some((it) => rbd2.monitors.includes(it)) &&
      (rbd.pool ?? 'rbd') === (rbd2.pool ?? 'rbd') &&
      rbd.image === rbd2.image &&
      !readOnly(rbd, rbd2),
  );
}

const claimNames = (pod: V1Pod): readonly string[] =>
  (pod.spec?.volumes ?? []).flatMap((it) => it.persistentVolumeClaim?.claimName ?? []);

/** The pod's ReadWriteOncePod claims that a pod holds already. */
const inUse: StateKey<ReadonlySet<string>> = { name: 'VolumeRestrictions' };

/** Disks that only one pod a node may mount, and ReadWriteOncePod claims that only one pod anywhere may. */
export const volumeRestrictions: Plugin = {
  name: 'VolumeRestrictions',
  interests: [
    {
      on: ['AssignedPod/Delete'],
      hint(pod, { old }) {
        const gone = podOf(old);
        if (!gone) return true;
        const names = claimNames(pod);
        return (
          (gone.metadata?.namespace === pod.metadata?.namespace && claimNames(gone).some((it) => names.includes(it))) ||
          (pod.spec?.volumes ?? []).some((a) => (gone.spec?.volumes ?? []).some((b) => diskConflict(a, b)))
        );
      },
    },
    {
      on: ['PersistentVolumeClaim/Add', 'PersistentVolumeClaim/Update'],
      hint: (pod, { next }) =>
        next?.metadata?.namespace === pod.metadata?.namespace && claimNames(pod).includes(next?.metadata?.name ?? ''),
    },
    { on: ['Node/Add'] },
  ],
  preFilter({ pod, snapshot, state }) {
    const held = new Set<string>();
    let disks = false;
    for (const volume of pod.pod.spec?.volumes ?? []) {
      if (volume.gcePersistentDisk || volume.awsElasticBlockStore || volume.iscsi || volume.rbd) disks = true;
      const name = volume.persistentVolumeClaim?.claimName;
      if (name === undefined) continue;
      const claim = snapshot.world.claim(pod.namespace, name);
      if (!claim) return { rejection: unresolvable(`persistentvolumeclaim "${name}" not found`) };
      if (
        (claim.spec?.accessModes ?? []).includes('ReadWriteOncePod') &&
        snapshot.world.claimInUse(pod.namespace, name)
      ) {
        held.add(name);
      }
    }
    if (!disks && held.size === 0) return 'skip';
    state.write(inUse, held);
    return undefined;
  },
  filter({ pod, state }, node) {
    for (const volume of pod.pod.spec?.volumes ?? []) {
      for (const other of node.pods) {
        if ((other.pod.spec?.volumes ?? []).some((it) => diskConflict(volume, it))) {
          return unschedulable('node(s) had no available disk');
        }
      }
    }
    const held = state.read(inUse);
    if (!held || held.size === 0) return undefined;
    return unschedulable(
      'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
    );
  },
};
