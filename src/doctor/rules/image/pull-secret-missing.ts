import { secrets } from '../../../api/generated/resources.ts';
import { eventOf, fromAbsence, fromEvent, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { commandOf, editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearest } from '../../text/nearest.ts';
import { pullExample, resolving, runningPod } from './example.ts';
import { pullSecretCommands, pullSecretsOf } from './image-access-denied.ts';
import { pullFailures } from './pull.ts';

const image = 'registry.acme.io/shop:2';
const error = resolving(
  image,
  'Unknown',
  'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://registry.acme.io/token: 401 Unauthorized',
);
const spec = '  imagePullSecrets: [{name: regcred}]';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pullFailures(snapshot, 'unauthorized', 'denied', 'token-expired')) {
    const { pod } = it;
    for (const name of pullSecretsOf(snapshot, pod)) {
      if (!snapshot.lacks(secrets, name, pod.namespace)) continue;
      const docker = snapshot
        .secrets(pod.namespace)
        .filter((s) => s.registries)
        .map((s) => s.metadata.name ?? '');
      const alike = nearest(name, docker);
      const [guess] = alike.length > 0 || docker.length !== 1 ? alike : docker;
      const index = pod.spec.imagePullSecrets?.findIndex((s) => s.name === name) ?? -1;
      const change =
        guess && index >= 0
          ? editPodSpec(snapshot, pod, [{ path: ['imagePullSecrets', index, 'name'], value: guess, was: name }])
          : undefined;
      const event = eventOf(snapshot, pod, ['FailedToRetrieveImagePullSecret']);
      const wanted = { kind: 'Secret', namespace: pod.namespace, name };
      yield {
        subject: pod.ref,
        container: it.container.name,
        says: `The pull secret ${pod.namespace}/${name} does not exist, so ${it.ref?.host ?? 'the registry'} was asked without a login${guess ? ` (did you mean ${guess}?)` : ''}.`,
        evidence: [
          ...it.evidence.slice(0, 1),
          fromAbsence(wanted, listed(docker)),
          ...(event ? [fromEvent(event)] : []),
          ...(index >= 0 ? [fromSpec(pod.ref, `name: ${name}`, `spec.imagePullSecrets[${index}].name`)] : []),
        ],
        cause: `${pod.namespace}/${name}`,
        ...(index >= 0 && { field: fieldOf(pod, `imagePullSecrets[${index}].name`) }),
        remedy: change
          ? { says: `Refer to ${guess}.`, commands: [commandOf(change)], actions: [change], verify: watchCommand(pod) }
          : {
              says: 'Create the Secret in this namespace: pull secrets are never shared between namespaces.',
              commands: [
                (pullSecretCommands(pod, it.ref?.host ?? 'REGISTRY')[0] ?? '').replace('registry-credentials', name),
              ],
              verify: watchCommand(pod),
            },
      };
    }
  }
}

export const pullSecretMissing: Rule = {
  id: 'pull-secret-missing',
  title: 'The pull secret does not exist',
  phase: 'image',
  codes: ['IMG-05'],
  symptoms: ['ImagePullBackOff', 'FailedToRetrieveImagePullSecret', 'Unable to retrieve some image pull secrets'],
  severity: 'error',
  lint: 'cluster',
  rank: 93,
  meaning:
    'The pod (or its ServiceAccount) names a pull secret that is not in the pod’s namespace. The kubelet warns, and pulls without it; for a private image that fails, for a public one it does no harm.',
  tell: 'The registry refuses the login, and the named Secret is not there. The event `FailedToRetrieveImagePullSecret` alone is no fault.',
  fix: 'Create the Secret in this namespace, or correct the name.',
  sick: [
    {
      when: 'the named secret is not there',
      yaml: pullExample(image, error, { spec }),
      says: 'regcred does not exist',
    },
    {
      when: 'one of nearly that name is there',
      yaml: `${pullExample(image, error, { spec })}---
kind: Secret
metadata: {name: reg-cred}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths":{"registry.acme.io":{"auth":"eDp5"}}}'}
`,
      says: 'did you mean reg-cred',
    },
  ],
  healthy: [
    {
      when: 'the image is public and runs all the same',
      yaml: `${runningPod('web', 'nginx:1.27').replace('nodeName: n1,', 'nodeName: n1, imagePullSecrets: [{name: regcred}],')}---
kind: Event
on: Pod/web
reason: FailedToRetrieveImagePullSecret
message: 'Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.'
`,
    },
  ],
  check,
};
