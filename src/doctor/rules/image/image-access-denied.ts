import { serviceaccounts } from '../../../api/generated/resources.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { imageFault, pullExample, resolving, runningPod } from './example.ts';
import { pullClaim, pullFailures } from './pull.ts';

/** The pull secrets that a pod uses: its own, and those of its ServiceAccount (which admission copies only into pods without any). */
export function pullSecretsOf(snapshot: Snapshot, pod: PodFacts): readonly string[] {
  const own = pod.spec.imagePullSecrets?.map((it) => it.name ?? '') ?? [];
  if (own.length > 0) return own;
  const account = snapshot.get(serviceaccounts, pod.spec.serviceAccountName ?? 'default', pod.namespace);
  return account?.imagePullSecrets?.map((it) => it.name ?? '') ?? [];
}

/** How to make a pull secret and use it for all pods of the namespace's default account. */
export const pullSecretCommands = (pod: PodFacts, host: string): readonly string[] => [
  `kubectl create secret docker-registry registry-credentials -n ${pod.namespace} --docker-server=${host === 'docker.io' ? 'https://index.docker.io/v1/' : host} --docker-username=USER --docker-password=PASSWORD`,
  `kubectl patch serviceaccount ${pod.spec.serviceAccountName ?? 'default'} -n ${pod.namespace} -p '{"imagePullSecrets":[{"name":"registry-credentials"}]}'   # new pods use it`,
];

const image = 'acme/webshop:2.1';
const full = `docker.io/${image}`;
const denied = `pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pullFailures(snapshot, 'denied')) {
    // A plain name without a registry is most often an image that was only built: local-image-not-loaded speaks of it.
    if (it.ref?.repository.startsWith('library/')) continue;
    const { pod } = it;
    const host = it.ref?.host ?? '';
    const secrets = pullSecretsOf(snapshot, pod);
    const absent = `the repository ${it.ref?.repository ?? it.image} does not exist on ${host} (a slip in the name)`;
    const secret = `the repository is private and ${secrets.length > 0 ? `the credentials in ${secrets.join(', ')} may not read it` : 'the pod has no pull secret'}`;
    const [first, second] = secrets.length > 0 ? [secret, absent] : [absent, secret];
    yield pullClaim(it, {
      says: `The registry ${host} refuses ${it.image}, and does not tell whether it is missing or private; most likely ${first}.`,
      certainty: 'likely',
      otherwise: [second],
      cause: `${host}/${it.ref?.repository ?? it.image}`,
      remedy: {
        says: 'Check the name in the registry; if it is right and private, give the pod credentials that may read it.',
        commands: [
          `docker manifest inspect ${it.image}   # with your own login: does it exist?`,
          ...pullSecretCommands(pod, host),
        ],
        verify: watchCommand(pod),
      },
    });
  }
}

export const imageAccessDenied: Rule = {
  id: 'image-access-denied',
  title: 'The registry denies the image: missing or private',
  phase: 'image',
  codes: ['IMG-02'],
  symptoms: ['ErrImagePull', 'ImagePullBackOff', 'pull access denied', 'insufficient_scope'],
  severity: 'error',
  lint: 'never',
  rank: 88,
  meaning:
    'Registries such as Docker Hub give the same answer for a repository that does not exist and for one that is private, so that nobody can probe for names. Both readings are shown, the likelier first: without pull secrets a wrong name, with pull secrets credentials that do not suffice.',
  tell: '`pull access denied, repository does not exist or may require authorization`. A repository that can be read but lacks the tag says `not found` instead.',
  fix: 'Look the name up in the registry with your own login. If it exists, create a pull secret and name it in the pod or its ServiceAccount.',
  sick: [
    {
      when: 'the pod has no pull secret',
      yaml: pullExample(image, resolving(full, 'Unknown', denied)),
      says: 'does not exist on docker.io',
    },
    {
      when: 'its pull secret does not help',
      yaml: `${pullExample(image, resolving(full, 'Unknown', denied), { spec: '  imagePullSecrets: [{name: regcred}]' })}---
kind: Secret
metadata: {name: regcred}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths":{"https://index.docker.io/v1/":{"auth":"eDp5"}}}'}
`,
      says: 'the credentials in regcred may not read it',
    },
  ],
  healthy: [{ when: 'the image runs', yaml: runningPod('web', image) }],
  fault: { manifest: imageFault('acme/webshop:2.1'), runtimes: ['sim'], fixable: false },
  check,
};
