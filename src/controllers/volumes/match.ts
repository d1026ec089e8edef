import type { V1PersistentVolume, V1PersistentVolumeClaim } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { compareQuantity, parseQuantity } from '../../api/quantity.ts';
import type { Live } from '../../api/resource.ts';

export type Volume = Live<V1PersistentVolume>;
export type Claim = Live<V1PersistentVolumeClaim>;

export const bindCompleted = 'pv.kubernetes.io/bind-completed';
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';
export const selectedNode = 'volume.kubernetes.io/selected-node';
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
export const betaStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner';
const betaClass = 'volume.beta.kubernetes.io/storage-class';

export const classOf = (object: Volume | Claim): string =>
  object.metadata.annotations?.[betaClass] ?? object.spec?.storageClassName ?? '';
export const modeOf = (object: Volume | Claim): string => object.spec?.volumeMode ?? 'Filesystem';

/** Whether the volume's claimRef means this very claim. A reference without uid means whoever has the name. */
export function isFor(volume: Volume, claim: Claim): boolean {
  const reference = volume.spec?.claimRef;
  return (
    reference?.name === claim.metadata.name &&
    reference.namespace === claim.metadata.namespace &&
    (!reference.uid || reference.uid === claim.metadata.uid)
  );
}

const requested = (claim: Claim): string | number => claim.spec?.resources?.requests?.['storage'] ?? '0';
const offered = (volume: Volume): string | number => volume.spec?.capacity?.['storage'] ?? '0';
const isLarge = (volume: Volume, claim: Claim): boolean =>
  compareQuantity(parseQuantity(offered(volume)), parseQuantity(requested(claim))) >= 0;
const hasModes = (volume: Volume, claim: Claim): boolean =>
  (claim.spec?.accessModes ?? []).every((mode) => (volume.spec?.accessModes ?? []).includes(mode));

/** Why a volume cannot serve a claim (checkVolumeSatisfyClaim), or undefined when it can. */
export function mismatch(volume: Volume, claim: Claim): string | undefined {
  if (!isLarge(volume, claim)) return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode';
  if (!hasModes(volume, claim)) return 'incompatible accessMode';
  return undefined;
}

/** The volume for a claim: one that was made for it, or the smallest free one that fits. `delayed`: only the former. */
export function bestMatch(volumes: readonly Volume[], claim: Claim, delayed: boolean): Volume | undefined {
  const selector = claim.spec?.selector ? requirementsOf(claim.spec.selector) : undefined;
  let best: Volume | undefined;
  for (const volume of volumes) {
    if (isFor(volume, claim)) {
      if (mismatch(volume, claim) === undefined) return volume;
      continue;
    }
    if (delayed || volume.spec?.claimRef || volume.metadata.deletionTimestamp) continue;
    if (volume.status?.phase !== 'Available') continue;
    if (selector && !matchesLabels(selector, volume.metadata.labels)) continue;
    if (mismatch(volume, claim) !== undefined) continue;
    const smaller = !best || compareQuantity(parseQuantity(offered(volume)), parseQuantity(offered(best))) < 0;
    if (smaller) best = volume;
  }
  return best;
}
