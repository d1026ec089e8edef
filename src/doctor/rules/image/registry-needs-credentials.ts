import { serviceaccounts } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import { pullExample, resolving } from './example.ts';
import { pullSecretCommands, pullSecretsOf } from './image-access-denied.ts';
import { registryCause } from './pull.ts';
import { pullRule } from './pull-rule.ts';

const image = 'registry.acme.io/shop:2';
const error = resolving(
  image,
  'Unknown',
  'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://registry.acme.io/token: 401 Unauthorized',
);

/** 401 without any credentials sent. */
export const registryNeedsCredentials = pullRule({
  id: 'registry-needs-credentials',
  title: 'A private registry, and the pod has no pull secret',
  codes: ['IMG-04'],
  symptoms: ['401 Unauthorized', 'no basic auth credentials'],
  rank: 90,
  causes: ['unauthorized'],
  meaning:
    'The registry wants a login. Neither the pod nor its ServiceAccount names a pull secret, so the node asks as nobody.',
  tell: '`401 Unauthorized` (often while fetching an *anonymous* token) or `no basic auth credentials`, and no `imagePullSecrets` in pod and ServiceAccount.',
  fix: 'Create a `docker-registry` Secret in the pod’s namespace and name it in the ServiceAccount or the pod.',
  sick: [
    {
      when: 'neither pod nor ServiceAccount has a pull secret',
      yaml: pullExample(image, error),
      says: 'no pull secret',
    },
  ],
  claim(it, snapshot) {
    const { pod } = it;
    if (pullSecretsOf(snapshot, pod).length > 0) return undefined;
    const account = pod.spec.serviceAccountName ?? 'default';
    const known = snapshot.sees(serviceaccounts, pod.namespace);
    return {
      says: `The registry ${it.ref?.host ?? ''} wants a login for ${it.image}, and the pod has no pull secret.`,
      evidence: [
        ...it.evidence,
        computed(
          pod.ref,
          `no imagePullSecrets in the pod${known ? ` nor in ServiceAccount ${pod.namespace}/${account}` : ''}`,
        ),
      ],
      ...(!known && { certainty: 'likely' as const }),
      cause: registryCause(it),
      fix: 'Create a pull secret in this namespace and let the ServiceAccount use it; then delete the pods, since running ones do not pick it up.',
      commands: pullSecretCommands(pod, it.ref?.host ?? 'REGISTRY'),
    };
  },
});
