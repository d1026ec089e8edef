import type { Rule } from '../../rule.ts';
import { applicationError } from './application-error.ts';
import { badConfiguration } from './bad-configuration.ts';
import { certificateExpired } from './certificate-expired.ts';
import { certificateUntrusted } from './certificate-untrusted.ts';
import { commandNotFoundInScript } from './command-not-found-in-script.ts';
import { containerCrashes } from './container-crashes.ts';
import { crashAfterRollout } from './crash-after-rollout.ts';
import { crashesOnOneNode } from './crashes-on-one-node.ts';
import { dataDirectoryNotEmpty } from './data-directory-not-empty.ts';
import { dependencyMissingInImage } from './dependency-missing-in-image.ts';
import { dependencyRefused } from './dependency-refused.ts';
import { diskFull } from './disk-full.ts';
import { endedBySignal } from './ended-by-signal.ts';
import { envVariableMissing } from './env-variable-missing.ts';
import { filePermissionDenied } from './file-permission-denied.ts';
import { hostNotFound } from './host-not-found.ts';
import { javaHeapExhausted } from './java-heap-exhausted.ts';
import { killedWithoutReason } from './killed-without-reason.ts';
import { leaderElectionLost } from './leader-election-lost.ts';
import { loginRefused } from './login-refused.ts';
import { memoryLimitExceeded } from './memory-limit-exceeded.ts';
import { nativeCrash } from './native-crash.ts';
import { nodeHeapExhausted } from './node-heap-exhausted.ts';
import { nodeOutOfMemory } from './node-out-of-memory.ts';
import { notExecutableInScript } from './not-executable-in-script.ts';
import { podDeadlineExceeded } from './pod-deadline-exceeded.ts';
import { portInUse } from './port-in-use.ts';
import { portPrivileged } from './port-privileged.ts';
import { processCompleted } from './process-completed.ts';
import { processLimitReached } from './process-limit-reached.ts';
import { rbacForbidden } from './rbac-forbidden.ts';
import { readOnlyFileSystem } from './read-only-file-system.ts';
import { refusesRoot } from './refuses-root.ts';
import { shellSyntaxError } from './shell-syntax-error.ts';
import { silentExit } from './silent-exit.ts';
import { tooManyOpenFiles } from './too-many-open-files.ts';

export const runRules: readonly Rule[] = [
  applicationError,
  badConfiguration,
  certificateExpired,
  certificateUntrusted,
  commandNotFoundInScript,
  containerCrashes,
  crashAfterRollout,
  crashesOnOneNode,
  dataDirectoryNotEmpty,
  dependencyMissingInImage,
  dependencyRefused,
  diskFull,
  endedBySignal,
  envVariableMissing,
  filePermissionDenied,
  hostNotFound,
  javaHeapExhausted,
  killedWithoutReason,
  leaderElectionLost,
  loginRefused,
  memoryLimitExceeded,
  nativeCrash,
  nodeHeapExhausted,
  nodeOutOfMemory,
  notExecutableInScript,
  podDeadlineExceeded,
  portInUse,
  portPrivileged,
  processCompleted,
  processLimitReached,
  rbacForbidden,
  readOnlyFileSystem,
  refusesRoot,
  shellSyntaxError,
  silentExit,
  tooManyOpenFiles,
];
