import type { Rule } from '../../rule.ts';
import { apparmorProfileMissing } from './apparmor-profile-missing.ts';
import { cniPluginFailed } from './cni-plugin-failed.ts';
import { commandInOneString } from './command-in-one-string.ts';
import { commandNotExecutable } from './command-not-executable.ts';
import { commandNotFound } from './command-not-found.ts';
import { commandPathMissing } from './command-path-missing.ts';
import { containerStateLost } from './container-state-lost.ts';
import { creatingForLong } from './creating-for-long.ts';
import { deviceAllocationFailed } from './device-allocation-failed.ts';
import { deviceRuntimeBroken } from './device-runtime-broken.ts';
import { directoryMountedOnFile } from './directory-mounted-on-file.ts';
import { execFormatError } from './exec-format-error.ts';
import { hostPathWrongType } from './host-path-wrong-type.ts';
import { initWaitsForDependency } from './init-waits-for-dependency.ts';
import { interpreterMissing } from './interpreter-missing.ts';
import { memoryLimitTooLowToStart } from './memory-limit-too-low-to-start.ts';
import { mountPointReadOnly } from './mount-point-read-only.ts';
import { noCommand } from './no-command.ts';
import { nodeRefusedForLabels } from './node-refused-for-labels.ts';
import { nodeRefusedForResources } from './node-refused-for-resources.ts';
import { podAddressesExhausted } from './pod-addresses-exhausted.ts';
import { podNetworkNotReady } from './pod-network-not-ready.ts';
import { postStartHookFailed } from './post-start-hook-failed.ts';
import { runtimeHandlerMissing } from './runtime-handler-missing.ts';
import { runtimeStuck } from './runtime-stuck.ts';
import { seccompProfileMissing } from './seccomp-profile-missing.ts';
import { sidecarKeepsJobAlive } from './sidecar-keeps-job-alive.ts';
import { sysctlForbidden } from './sysctl-forbidden.ts';
import { userNotInImage } from './user-not-in-image.ts';
import { workingDirUnusable } from './working-dir-unusable.ts';

export const createRules: readonly Rule[] = [
  apparmorProfileMissing,
  cniPluginFailed,
  commandInOneString,
  commandNotExecutable,
  commandNotFound,
  commandPathMissing,
  containerStateLost,
  creatingForLong,
  deviceAllocationFailed,
  deviceRuntimeBroken,
  directoryMountedOnFile,
  execFormatError,
  hostPathWrongType,
  initWaitsForDependency,
  interpreterMissing,
  memoryLimitTooLowToStart,
  mountPointReadOnly,
  noCommand,
  nodeRefusedForLabels,
  nodeRefusedForResources,
  podAddressesExhausted,
  podNetworkNotReady,
  postStartHookFailed,
  runtimeHandlerMissing,
  runtimeStuck,
  seccompProfileMissing,
  sidecarKeepsJobAlive,
  sysctlForbidden,
  userNotInImage,
  workingDirUnusable,
];
