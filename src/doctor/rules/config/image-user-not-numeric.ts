import type { Rule } from '../../rule.ts';
import { healthyPod, waitingPod } from '../example-pods.ts';
import { nonRootClaims } from './image-runs-as-root.ts';

const container = 'securityContext: {runAsNonRoot: true}';

export const imageUserNotNumeric: Rule = {
  id: 'image-user-not-numeric',
  title: 'runAsNonRoot, and the image names its user by name',
  phase: 'config',
  codes: ['CFG-13'],
  symptoms: ['CreateContainerConfigError', 'image has non-numeric user (…), cannot verify user is non-root'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'The image’s `USER` is a name. The kubelet does not look into the image’s `/etc/passwd`, so it cannot know whether that is root, and refuses.',
  tell: 'The message in the status is exact.',
  fix: 'Set `runAsUser` to that user’s number, or build the image with `USER 1000` instead of a name.',
  sick: [
    {
      when: 'USER is a name',
      yaml: waitingPod(
        'CreateContainerConfigError',
        'container has runAsNonRoot and image has non-numeric user (appuser), cannot verify user is non-root (pod: "web_default(uid)", container: app)',
        { container },
      ),
      says: 'appuser',
    },
  ],
  healthy: [
    { when: 'a uid is set', yaml: healthyPod({ container: 'securityContext: {runAsNonRoot: true, runAsUser: 1000}' }) },
  ],
  check: (snapshot) =>
    nonRootClaims(
      snapshot,
      /^container has runAsNonRoot and image has non-numeric user \(([^)]*)\)/,
      (it, [, user]) =>
        `Container ${it.name} must not run as root, and the image ${it.image} names its user "${user}" by name, which the kubelet cannot check.`,
    ),
};
