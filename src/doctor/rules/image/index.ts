import type { Rule } from '../../rule.ts';
import { imageAccessDenied } from './image-access-denied.ts';
import { imageInspectError } from './image-inspect-error.ts';
import { imageNameInvalid } from './image-name-invalid.ts';
import { imageNeverPulled } from './image-never-pulled.ts';
import { imagePlatformMismatch } from './image-platform-mismatch.ts';
import { imagePullFailed } from './image-pull-failed.ts';
import { imagePullSlow } from './image-pull-slow.ts';
import { imagePullThrottled } from './image-pull-throttled.ts';
import { imageSchemaTooOld } from './image-schema-too-old.ts';
import { imageSignatureInvalid } from './image-signature-invalid.ts';
import { imageTagDrift } from './image-tag-drift.ts';
import { imageTagNotFound } from './image-tag-not-found.ts';
import { localImageNotLoaded } from './local-image-not-loaded.ts';
import { nodeDiskFullOnPull } from './node-disk-full-on-pull.ts';
import { pullSecretMissing } from './pull-secret-missing.ts';
import { pullSecretUnusable } from './pull-secret-unusable.ts';
import { registryCredentialsRejected } from './registry-credentials-rejected.ts';
import { registryDnsBroken } from './registry-dns-broken.ts';
import { registryHostUnknown } from './registry-host-unknown.ts';
import { registryNeedsCredentials } from './registry-needs-credentials.ts';
import { registryOutage } from './registry-outage.ts';
import { registryPlainHttp } from './registry-plain-http.ts';
import { registryRateLimit } from './registry-rate-limit.ts';
import { registryTlsUntrusted } from './registry-tls-untrusted.ts';
import { registryTokenExpired } from './registry-token-expired.ts';
import { registryUnreachable } from './registry-unreachable.ts';
import { sandboxImageUnavailable } from './sandbox-image-unavailable.ts';

export const imageRules: readonly Rule[] = [
  imageAccessDenied,
  imageInspectError,
  imageNameInvalid,
  imageNeverPulled,
  imagePlatformMismatch,
  imagePullFailed,
  imagePullSlow,
  imagePullThrottled,
  imageSchemaTooOld,
  imageSignatureInvalid,
  imageTagDrift,
  imageTagNotFound,
  localImageNotLoaded,
  nodeDiskFullOnPull,
  pullSecretMissing,
  pullSecretUnusable,
  registryCredentialsRejected,
  registryDnsBroken,
  registryHostUnknown,
  registryNeedsCredentials,
  registryOutage,
  registryPlainHttp,
  registryRateLimit,
  registryTlsUntrusted,
  registryTokenExpired,
  registryUnreachable,
  sandboxImageUnavailable,
];
