import { fromSpec, fromWaiting } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { commandOf, editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { ContainerFacts, PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { deploymentManifest, healthyPod, waitingPod } from '../example-pods.ts';

/** Where runAsNonRoot is set for a container: its own setting goes before the pod's. */
export const nonRootField = (pod: PodFacts, container: ContainerFacts): string =>
  container.spec.securityContext?.runAsNonRoot !== undefined || pod.spec.securityContext?.runAsNonRoot === undefined
    ? `${container.path}.securityContext.runAsNonRoot`
    : 'securityContext.runAsNonRoot';

export function* nonRootClaims(
  snapshot: Snapshot,
  pattern: RegExp,
  says: (container: ContainerFacts, match: RegExpExecArray) => string,
): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (container.waiting?.reason !== 'CreateContainerConfigError') continue;
      const match = pattern.exec(container.waiting.message ?? '');
      if (!match) continue;
      const change = editPodSpec(
        snapshot,
        pod,
        [{ path: ['securityContext', 'runAsUser'], value: 1000 }],
        container.name,
      );
      const field = nonRootField(pod, container);
      yield {
        subject: pod.ref,
        container: container.name,
        says: says(container, match),
        evidence: [fromWaiting(pod, container), fromSpec(pod.ref, 'runAsNonRoot: true', `spec.${field}`)],
        field: fieldOf(pod, field),
        remedy: {
          says: 'Run it as a user that is not root (if the image can), or build the image with a numeric USER.',
          commands: change ? [commandOf(change)] : [],
          ...(change && { actions: [change] }),
          verify: watchCommand(pod),
        },
      };
    }
}

const container = 'securityContext: {runAsNonRoot: true}';

export const imageRunsAsRoot: Rule = {
  id: 'image-runs-as-root',
  title: 'runAsNonRoot, but the image runs as root',
  phase: 'config',
  codes: ['CFG-12'],
  symptoms: ['CreateContainerConfigError', 'container has runAsNonRoot and image will run as root'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning: '`securityContext.runAsNonRoot: true` forbids uid 0, and neither the pod nor the image names another user.',
  tell: 'The message in the status is exact. (With `image has non-numeric user` the image does name a user, but by name.)',
  fix: 'Set `runAsUser` to a uid that the image can run as, or add a numeric `USER` to the image.',
  sick: [
    {
      when: 'the image names no user',
      yaml: waitingPod(
        'CreateContainerConfigError',
        'container has runAsNonRoot and image will run as root (pod: "web_default(uid)", container: app)',
        { container },
      ),
      says: 'root',
    },
  ],
  healthy: [
    { when: 'a uid is set', yaml: healthyPod({ container: 'securityContext: {runAsNonRoot: true, runAsUser: 1000}' }) },
  ],
  fault: {
    manifest: deploymentManifest({ container: `command: [sleep, "3600"]\n${container}` }),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check: (snapshot) =>
    nonRootClaims(
      snapshot,
      /^container has runAsNonRoot and (?:image will run as root|runAsUser is set to root|container's runAsUser breaks non-root policy)/,
      (it) => `Container ${it.name} must not run as root, but the image ${it.image} does, and no other user is set.`,
    ),
};
