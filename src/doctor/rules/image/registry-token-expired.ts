import { pullExample, resolving } from './example.ts';
import { pullSecretCommands, pullSecretsOf } from './image-access-denied.ts';
import { registryCause } from './pull.ts';
import { pullRule } from './pull-rule.ts';

const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const image = `${host}/shop:2`;

export const registryTokenExpired = pullRule({
  id: 'registry-token-expired',
  title: 'The cloud registry’s token has expired',
  codes: ['IMG-07'],
  symptoms: ['authorization token has expired'],
  rank: 91,
  causes: ['token-expired'],
  meaning:
    'Cloud registries hand out tokens that live for hours (Amazon ECR: twelve). One that was stored in a Secret stops working, though nothing was changed.',
  tell: 'The registry says so. The age of the pull secret is more than the token’s life, and pods that started earlier still run.',
  fix: 'Let the kubelet’s credential provider fetch tokens by itself, or renew the Secret on a schedule.',
  sick: [
    {
      when: 'the registry says that the token has expired',
      yaml: pullExample(
        image,
        resolving(
          image,
          'Unknown',
          `unexpected status from HEAD request to https://${host}/v2/shop/manifests/2: 403 Forbidden: denied: Your authorization token has expired. Reauthenticate and try again.`,
        ),
      ),
      says: 'expired',
    },
  ],
  claim(it, snapshot) {
    const [name] = pullSecretsOf(snapshot, it.pod);
    const made = name === undefined ? undefined : snapshot.secret(it.pod.namespace, name)?.metadata.creationTimestamp;
    return {
      says: `The token for ${it.ref?.host} has expired${name ? ` (Secret ${it.pod.namespace}/${name}${made ? `, made ${made}` : ''})` : ''}, so ${it.image} cannot be pulled.`,
      cause: registryCause(it),
      fix: 'Renew the credentials now; for good, set up the kubelet’s credential provider for this registry.',
      commands: [
        ...(name ? [`kubectl delete secret ${name} -n ${it.pod.namespace}`] : []),
        (pullSecretCommands(it.pod, it.ref?.host ?? '')[0] ?? '').replace(
          'registry-credentials',
          name ?? 'registry-credentials',
        ),
      ],
    };
  },
});
