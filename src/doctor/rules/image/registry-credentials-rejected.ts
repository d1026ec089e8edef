import { fromSpec } from '../../evidence.ts';
import { pullExample, resolving } from './example.ts';
import { pullSecretCommands, pullSecretsOf } from './image-access-denied.ts';
import { registryCause } from './pull.ts';
import { pullRule } from './pull-rule.ts';
import { credentialsFor } from './pull-secrets.ts';

const image = 'ghcr.io/acme/shop:2';
const error = resolving(
  image,
  'Unknown',
  'failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fshop%3Apull&service=ghcr.io: 403 Forbidden',
);

/** 401 or 403 although credentials for that registry were sent. */
export const registryCredentialsRejected = pullRule({
  id: 'registry-credentials-rejected',
  title: 'The registry rejects the credentials of the pull secret',
  codes: ['IMG-03'],
  symptoms: ['401 Unauthorized', '403 Forbidden'],
  rank: 90,
  causes: ['unauthorized'],
  meaning:
    'The pod has a pull secret for this registry, and the registry refuses it: a wrong or expired password or token, or an account without the right to pull.',
  tell: '`401 Unauthorized` or `403 Forbidden` while a pull secret names the image’s own registry. 401 speaks for a wrong password or token, 403 for an account that may not read the repository.',
  fix: 'Make the Secret anew with valid credentials, or grant the account the right to pull.',
  sick: [
    {
      when: 'the secret names the registry',
      yaml: `${pullExample(image, error, { spec: '  imagePullSecrets: [{name: regcred}]' })}---
kind: Secret
metadata: {name: regcred}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths":{"ghcr.io":{"auth":"eDp5"}}}'}
`,
      says: 'regcred',
    },
  ],
  claim(it, snapshot) {
    const names = pullSecretsOf(snapshot, it.pod);
    const host = it.ref?.host ?? '';
    const found = credentialsFor(snapshot, it.pod.namespace, names, host);
    if (found.usable.length === 0) return undefined;
    const [name = ''] = found.usable;
    const forbidden = /403/.test(it.text);
    return {
      says: `The registry ${host} refuses the credentials in Secret ${it.pod.namespace}/${name} for ${it.image}: ${forbidden ? 'the account may not read it' : 'they are wrong or expired'}.`,
      evidence: [
        ...it.evidence,
        fromSpec({ kind: 'Secret', namespace: it.pod.namespace, name }, `credentials for ${host}`),
      ],
      cause: registryCause(it),
      fix: forbidden
        ? 'Grant the account the right to pull, or use another one.'
        : 'Make the Secret anew with valid credentials.',
      commands: [
        `kubectl delete secret ${name} -n ${it.pod.namespace}`,
        (pullSecretCommands(it.pod, host)[0] ?? '').replace('registry-credentials', name),
      ],
    };
  },
});
