import type { Rule } from '../../rule.ts';
import { configCacheNotSynced } from './config-cache-not-synced.ts';
import { configChangedAfterStart } from './config-changed-after-start.ts';
import { configContentBroken } from './config-content-broken.ts';
import { configInOtherNamespace } from './config-in-other-namespace.ts';
import { configmapKeyMissing } from './configmap-key-missing.ts';
import { configmapMissing } from './configmap-missing.ts';
import { envNamesSkipped } from './env-names-skipped.ts';
import { environmentTooLarge } from './environment-too-large.ts';
import { imageRunsAsRoot } from './image-runs-as-root.ts';
import { imageUserNotNumeric } from './image-user-not-numeric.ts';
import { optionalConfigAbsent } from './optional-config-absent.ts';
import { projectedSourceMissing } from './projected-source-missing.ts';
import { secretBadlyEncoded } from './secret-badly-encoded.ts';
import { secretKeyMissing } from './secret-key-missing.ts';
import { secretMissing } from './secret-missing.ts';
import { serviceAccountTokenNotMounted } from './service-account-token-not-mounted.ts';
import { serviceLinkCollision } from './service-link-collision.ts';
import { subPathUnusable } from './sub-path-unusable.ts';
import { variableNotExpanded } from './variable-not-expanded.ts';
import { volumeConfigmapMissing } from './volume-configmap-missing.ts';
import { volumeKeyMissing } from './volume-key-missing.ts';
import { volumeSecretMissing } from './volume-secret-missing.ts';

export const configRules: readonly Rule[] = [
  configCacheNotSynced,
  configChangedAfterStart,
  configContentBroken,
  configInOtherNamespace,
  configmapKeyMissing,
  configmapMissing,
  envNamesSkipped,
  environmentTooLarge,
  imageRunsAsRoot,
  imageUserNotNumeric,
  optionalConfigAbsent,
  projectedSourceMissing,
  secretBadlyEncoded,
  secretKeyMissing,
  secretMissing,
  serviceAccountTokenNotMounted,
  serviceLinkCollision,
  subPathUnusable,
  variableNotExpanded,
  volumeConfigmapMissing,
  volumeKeyMissing,
  volumeSecretMissing,
];
