import { pullExample, resolving } from './example.ts';
import { pullSecretCommands } from './image-access-denied.ts';
import { registryCause } from './pull.ts';
import { pullRule } from './pull-rule.ts';

export const registryRateLimit = pullRule({
  id: 'registry-rate-limit',
  title: 'The registry limits how often this address may pull',
  codes: ['IMG-08', 'IMG-26'],
  symptoms: ['429 Too Many Requests', 'toomanyrequests'],
  rank: 90,
  causes: ['rate-limit'],
  meaning:
    'The registry counts pulls by account, or by address when nobody logs in; all nodes behind one address share the count. It starts again after some hours.',
  tell: '`429 Too Many Requests` or `toomanyrequests`. It strikes all images of that registry alike.',
  fix: 'Log in (an account has a higher limit), pull through a mirror or cache, or wait. `imagePullPolicy: IfNotPresent` avoids pulls of what the node has.',
  sick: [
    {
      when: 'Docker Hub says so',
      yaml: pullExample(
        'nginx:1.27',
        resolving(
          'docker.io/library/nginx:1.27',
          'Unknown',
          'unexpected status from HEAD request to https://registry-1.docker.io/v2/library/nginx/manifests/1.27: 429 Too Many Requests',
        ),
      ),
      says: 'docker.io',
    },
  ],
  claim: (it) => ({
    says: `The registry ${it.ref?.host ?? ''} has counted too many pulls from this address and refuses more for now.`,
    cause: registryCause(it),
    fix: 'Log in to the registry, use a mirror, or wait until the count starts again.',
    commands: pullSecretCommands(it.pod, it.ref?.host ?? 'REGISTRY'),
  }),
});
