import { fromSpec } from '../../evidence.ts';
import { pullExample, resolving } from './example.ts';
import { pullSecretCommands, pullSecretsOf } from './image-access-denied.ts';
import { pullRule } from './pull-rule.ts';
import { credentialsFor } from './pull-secrets.ts';

const image = 'registry.acme.io/shop:2';
const error = resolving(
  image,
  'Unknown',
  'unexpected status from HEAD request to https://registry.acme.io/v2/shop/manifests/2: 401 Unauthorized',
);
const spec = '  imagePullSecrets: [{name: regcred}]';

/** The secret is there, but of no use for this registry. */
export const pullSecretUnusable = pullRule({
  id: 'pull-secret-unusable',
  title: 'The pull secret is of the wrong type or for another registry',
  codes: ['IMG-06'],
  symptoms: ['401 Unauthorized', 'pull access denied'],
  rank: 92,
  causes: ['unauthorized', 'denied'],
  meaning:
    'The pull secret exists, but the node cannot use it: it is not of type `kubernetes.io/dockerconfigjson`, its JSON cannot be read, or its `auths` hold another registry than the one in the image’s name. Docker Hub’s key is `https://index.docker.io/v1/`.',
  tell: 'Compare the keys of `auths` with the host at the beginning of the image’s name; the values are not needed for that.',
  fix: 'Make the Secret with `kubectl create secret docker-registry --docker-server=HOST`.',
  sick: [
    {
      when: 'it is for another registry',
      yaml: `${pullExample(image, error, { spec })}---
kind: Secret
metadata: {name: regcred}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths":{"https://registry.acme.com":{"auth":"eDp5"}}}'}
`,
      says: 'registry.acme.com',
    },
    {
      when: 'it is an ordinary Secret',
      yaml: `${pullExample(image, error, { spec })}---
kind: Secret
metadata: {name: regcred}
stringData: {username: x, password: y}
`,
      says: 'type Opaque',
    },
  ],
  claim(it, snapshot) {
    const { namespace } = it.pod;
    const host = it.ref?.host ?? '';
    const found = credentialsFor(snapshot, namespace, pullSecretsOf(snapshot, it.pod), host);
    if (found.usable.length > 0 || found.missing.length > 0) return undefined;
    const [wrong] = found.malformed;
    const [other] = found.elsewhere;
    const name = wrong ?? other?.name;
    if (name === undefined) return undefined;
    const type = snapshot.secret(namespace, name)?.type ?? '';
    const why =
      other && !wrong
        ? `holds credentials for ${other.registries.join(', ') || 'no registry at all'}, not for ${host}`
        : type.startsWith('kubernetes.io/docker')
          ? 'holds no JSON that can be read'
          : `is of type ${type}, not kubernetes.io/dockerconfigjson`;
    return {
      says: `The pull secret ${namespace}/${name} ${why}, so ${host} was asked without a login.`,
      evidence: [
        ...it.evidence,
        fromSpec(
          { kind: 'Secret', namespace, name },
          wrong ? `type: ${type}` : `registries: ${other?.registries.join(', ')}`,
          wrong ? 'type' : 'auths',
        ),
      ],
      cause: `${namespace}/${name}`,
      fix: 'Make the Secret anew for this registry.',
      commands: [
        `kubectl delete secret ${name} -n ${namespace}`,
        (pullSecretCommands(it.pod, host)[0] ?? '').replace('registry-credentials', name),
      ],
    };
  },
});
