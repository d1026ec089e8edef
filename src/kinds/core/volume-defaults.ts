import type { V1Volume } from '../../api/generated/types.ts';
import type { Loose } from '../draft.ts';
import { defaultClaimSpec } from './claim-defaults.ts';
import { pullPolicyFor } from './pod-defaults.ts';

const sharedMode = 0o644;

type DownwardItems = NonNullable<NonNullable<Loose<V1Volume>['downwardAPI']>['items']>;
function defaultDownwardItems(items: DownwardItems | undefined): void {
  for (const item of items ?? []) {
    if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1';
    if (item.resourceFieldRef) item.resourceFieldRef.divisor ??= '0';
  }
}

/** Defaults of a pod's volume: an emptyDir where no source is given, file modes, driver settings. */
export function defaultVolume(volume: Loose<V1Volume>): void {
  if (!Object.keys(volume).some((key) => key !== 'name')) volume.emptyDir = {};
  const { configMap, secret, projected, downwardAPI, hostPath, image, ephemeral } = volume;
  if (configMap) configMap.defaultMode ??= sharedMode;
  if (secret) secret.defaultMode ??= sharedMode;
  if (downwardAPI) {
    downwardAPI.defaultMode ??= sharedMode;
    defaultDownwardItems(downwardAPI.items);
  }
  if (projected) {
    projected.defaultMode ??= sharedMode;
    for (const source of projected.sources ?? []) {
      defaultDownwardItems(source.downwardAPI?.items);
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
    }
  }
  if (hostPath) hostPath.type ??= '';
  if (image) image.pullPolicy ||= pullPolicyFor(image.reference ?? '');
  if (ephemeral?.volumeClaimTemplate) {
    ephemeral.volumeClaimTemplate.spec ??= {};
    defaultClaimSpec(ephemeral.volumeClaimTemplate.spec);
  }
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= 'default';
  if (volume.rbd) {
    volume.rbd.pool ||= 'rbd';
    volume.rbd.user ||= 'admin';
    volume.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (volume.azureDisk) {
    volume.azureDisk.cachingMode ??= 'ReadWrite';
    volume.azureDisk.kind ??= 'Shared';
    volume.azureDisk.fsType ??= 'ext4';
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.scaleIO) {
    volume.scaleIO.storageMode ||= 'ThinProvisioned';
    volume.scaleIO.fsType ||= 'xfs';
  }
}
