import { persistentvolumes, storageclasses } from '../../api/generated/resources.ts';
import { wholeValueOf } from '../../api/quantity.ts';
import type { ControllerContext } from '../../controller/controller.ts';
import { type Claim, classOf, provisionedBy, type Volume } from './match.ts';
import { localPathProvisioner } from './provision.ts';

/**
 * Gives a bound local-path volume the size that its claim asks for now: a directory has no size of its own, so the promise is all there is
 * to change. Events as the external resizer writes them. Returns the volume as it is then.
 */
export async function expandLocal(context: ControllerContext, claim: Claim, volume: Volume): Promise<Volume> {
  const wanted = claim.spec?.resources?.requests?.['storage'];
  if (wanted === undefined || volume.metadata.annotations?.[provisionedBy] !== localPathProvisioner) return volume;
  if (wholeValueOf(wanted) <= wholeValueOf(volume.spec?.capacity?.['storage'])) return volume;
  if (!context.informers.informer(storageclasses).get(classOf(claim))?.allowVolumeExpansion) return volume;
  const { name } = volume.metadata;
  context.events.event(claim, 'Normal', 'Resizing', `External resizer is resizing volume ${name}`);
  const grown = await context.client.update(persistentvolumes, {
    ...volume,
    spec: { ...volume.spec, capacity: { ...volume.spec?.capacity, storage: wanted } },
  });
  context.events.event(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded');
  return grown;
}
