import type { Rule } from '../../rule.ts';
import { attachFailed } from './attach-failed.ts';
import { claimCannotGrow } from './claim-cannot-grow.ts';
import { claimLost } from './claim-lost.ts';
import { csiDriverNotOnNode } from './csi-driver-not-on-node.ts';
import { mountFailed } from './mount-failed.ts';
import { noDefaultStorageClass } from './no-default-storage-class.ts';
import { provisionerAbsent } from './provisioner-absent.ts';
import { provisioningFailed } from './provisioning-failed.ts';
import { replicasShareOneClaim } from './replicas-share-one-claim.ts';
import { storageClassMissing } from './storage-class-missing.ts';
import { volumeAttachedElsewhere } from './volume-attached-elsewhere.ts';
import { volumeDoesNotFit } from './volume-does-not-fit.ts';
import { volumeModeMismatch } from './volume-mode-mismatch.ts';
import { volumeReleased } from './volume-released.ts';

export const storageRules: readonly Rule[] = [
  attachFailed,
  claimCannotGrow,
  claimLost,
  csiDriverNotOnNode,
  mountFailed,
  noDefaultStorageClass,
  provisionerAbsent,
  provisioningFailed,
  replicasShareOneClaim,
  storageClassMissing,
  volumeAttachedElsewhere,
  volumeDoesNotFit,
  volumeModeMismatch,
  volumeReleased,
];
