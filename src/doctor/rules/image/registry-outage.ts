import type { Rule } from '../../rule.ts';
import { parseImage } from '../../text/image-reference.ts';
import { pullExample, runningPod } from './example.ts';
import { waitingFor } from './waiting-rule.ts';

export const registryOutage: Rule = {
  id: 'registry-outage',
  title: 'The runtime reports the registry as unavailable',
  phase: 'image',
  codes: ['IMG-18', 'IMG-26'],
  symptoms: ['RegistryUnavailable'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'Some runtimes tell apart a registry that is down from one that refuses; the kubelet then shows `RegistryUnavailable`.',
  tell: 'The waiting reason.',
  fix: 'Wait for the registry, or pull from a mirror.',
  sick: [
    {
      when: 'the runtime says so',
      yaml: pullExample(
        'quay.io/acme/shop:2',
        'image pull failed for quay.io/acme/shop:2 because the registry is unavailable: 503',
        { reason: 'RegistryUnavailable', bare: true },
      ),
      says: 'quay.io',
    },
  ],
  healthy: [{ when: 'the image runs', yaml: runningPod('web', 'quay.io/acme/shop:2') }],
  check: (snapshot) =>
    waitingFor(snapshot, 'RegistryUnavailable', (_pod, container) => {
      const host = parseImage(container.image)?.host ?? container.image;
      return {
        says: `The registry ${host} is unavailable, so ${container.image} cannot be pulled.`,
        cause: `registry/${host}`,
        fix: 'Wait until the registry is back, or pull from a mirror.',
        commands: [`curl -sS https://${host === 'docker.io' ? 'registry-1.docker.io' : host}/v2/`],
      };
    }),
};
