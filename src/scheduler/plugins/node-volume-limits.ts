import { type Plugin, unresolvable, unschedulable } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';
import { claimOf, classOf } from '../volumes.ts';
import type { World } from '../world.ts';

/** Volume handle to CSI driver, of all the pod's claims. */
function attachable(pod: PodInfo, world: World, into: Map<string, string>): string | undefined {
  for (const volume of pod.pod.spec?.volumes ?? []) {
    const named = claimOf(pod.pod, volume);
    if (!named) continue;
    const claim = world.claim(pod.namespace, named.name);
    if (!claim) return named.name;
    const bound = claim.spec?.volumeName ? world.volume(claim.spec.volumeName)?.spec?.csi : undefined;
    if (bound) into.set(`${bound.driver}/${bound.volumeHandle}`, bound.driver);
    else if (!claim.spec?.volumeName) {
      const driver = world.storageClass(classOf(claim))?.provisioner;
      if (driver) into.set(`${driver}/unbound/${pod.namespace}/${named.name}`, driver);
    }
  }
  return undefined;
}

/** At most as many CSI volumes on a node as its CSINode allows each driver. */
export const nodeVolumeLimits: Plugin = {
  name: 'NodeVolumeLimits',
  interests: [
    {
      on: [
        'CSINode/Add',
        'CSINode/Update',
        'AssignedPod/Delete',
        'PersistentVolumeClaim/Add',
        'VolumeAttachment/Delete',
      ],
    },
  ],
  preFilter: ({ pod }) => ((pod.pod.spec?.volumes ?? []).some((it) => claimOf(pod.pod, it)) ? undefined : 'skip'),
  filter({ pod, snapshot: { world } }, node) {
    const wanted = new Map<string, string>();
    const missing = attachable(pod, world, wanted);
    if (missing !== undefined) return unresolvable(`persistentvolumeclaim "${missing}" not found`);
    if (wanted.size === 0) return undefined;
    const limits = new Map<string, number>();
    for (const driver of world.csiNode(node.name)?.spec?.drivers ?? []) {
      const count = driver.allocatable?.count;
      if (count !== undefined) limits.set(driver.name, count);
    }
    if (limits.size === 0) return undefined;
    const attached = new Map<string, string>();
    for (const other of node.pods) attachable(other, world, attached);
    const totals = new Map<string, number>();
    for (const driver of attached.values()) totals.set(driver, (totals.get(driver) ?? 0) + 1);
    const more = new Map<string, number>();
    for (const [handle, driver] of wanted) if (!attached.has(handle)) more.set(driver, (more.get(driver) ?? 0) + 1);
    for (const [driver, count] of more) {
      const limit = limits.get(driver);
      if (limit !== undefined && (totals.get(driver) ?? 0) + count > limit) {
        return unschedulable('node(s) exceed max volume count');
      }
    }
    return undefined;
  },
};
