import { persistentvolumes } from '../../api/generated/resources.ts';
import { hasReason } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import type { ControllerContext, Outcome } from '../../controller/controller.ts';
import { writeStatus } from '../support/status.ts';
import { boundByController, provisionedBy, type Volume } from './match.ts';
import { localPathProvisioner } from './provision.ts';

export interface BinderOptions {
  /** Where provisioned volumes live on their nodes. */
  readonly directory: string;
  /** Removes what a deleted volume held; undefined where that is not this process's to do. */
  readonly removeData?: (path: string) => Promise<void>;
}

export async function setPhase(
  context: ControllerContext,
  volume: Volume,
  phase: string,
  message?: string,
): Promise<void> {
  if (volume.status?.phase === phase && (volume.status.message ?? '') === (message ?? '')) return;
  const changed = volume.status?.phase !== phase;
  const { message: _, ...old } = volume.status ?? {};
  await writeStatus(context, persistentvolumes, volume, {
    ...old,
    phase,
    ...(message !== undefined && { message }),
    ...(changed && { lastPhaseTransitionTime: rfc3339(context.clock.now()) }),
  });
}

/** Its claim took another volume: one that was made for it goes, one that was only reserved is free again. */
export async function misused(context: ControllerContext, volume: Volume, options: BinderOptions): Promise<Outcome> {
  if (volume.metadata.annotations?.[provisionedBy] && volume.spec?.persistentVolumeReclaimPolicy === 'Delete') {
    await setPhase(context, volume, 'Released');
    return reclaim(context, volume, options);
  }
  if (!volume.metadata.annotations?.[boundByController]) return undefined;
  const { claimRef: _, ...spec } = volume.spec ?? {};
  const { [boundByController]: __, ...annotations } = volume.metadata.annotations;
  const free = await context.client.update(persistentvolumes, {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec,
  });
  await setPhase(context, free, 'Available');
  return undefined;
}

/** Does with a released volume what its policy says. */
export async function reclaim(context: ControllerContext, volume: Volume, options: BinderOptions): Promise<Outcome> {
  const { name } = volume.metadata;
  switch (volume.spec?.persistentVolumeReclaimPolicy) {
    case 'Delete': {
      const maker = volume.metadata.annotations?.[provisionedBy];
      // Others delete what they have made.
      if (maker !== undefined && maker !== localPathProvisioner) return undefined;
      if (maker === undefined) {
        const message = `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`;
        await failVolume(context, volume, 'VolumeFailedDelete', message);
        return undefined;
      }
      if (volume.metadata.deletionTimestamp && !volume.metadata.finalizers?.length) return undefined;
      try {
        const path = volume.spec.hostPath?.path;
        if (path?.startsWith(`${options.directory}/pvc-`)) await options.removeData?.(path);
        if (!volume.metadata.deletionTimestamp) await context.client.delete(persistentvolumes, name);
      } catch (error) {
        if (hasReason(error, 'NotFound')) return undefined;
        const why = error instanceof Error ? error.message : String(error);
        await failVolume(context, volume, 'VolumeFailedDelete', why);
        throw error;
      }
      return undefined;
    }
    case 'Recycle':
      await failVolume(context, volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!');
      return undefined;
    default:
      return undefined;
  }
}

async function failVolume(context: ControllerContext, volume: Volume, reason: string, message: string): Promise<void> {
  if (volume.status?.phase === 'Failed' && volume.status.message === message) return;
  await setPhase(context, volume, 'Failed', message);
  context.events.event(volume, 'Warning', reason, message);
}
