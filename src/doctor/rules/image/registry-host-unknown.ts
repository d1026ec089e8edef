import { editPodSpec, watchCommand } from '../../remedy.ts';
import { nearestOne } from '../../text/nearest.ts';
import { imageFault, pullExample, resolving } from './example.ts';
import { registryCause } from './pull.ts';
import { pullRule } from './pull-rule.ts';

/** Registries that people mean. */
const wellKnown = [
  'docker.io',
  'ghcr.io',
  'quay.io',
  'gcr.io',
  'registry.k8s.io',
  'mcr.microsoft.com',
  'public.ecr.aws',
  'registry.gitlab.com',
  'docker.elastic.co',
  'nvcr.io',
  'registry.access.redhat.com',
  'registry.redhat.io',
];
const image = 'gchr.io/acme/shop:2';

export const registryHostUnknown = pullRule({
  id: 'registry-host-unknown',
  title: 'The registry’s host name does not exist',
  codes: ['IMG-09'],
  symptoms: ['no such host'],
  rank: 90,
  causes: ['no-host'],
  meaning:
    'The name of the registry in the image cannot be found by the node’s resolver: a slip in the name, or a name that is known only elsewhere (inside a VPN, or inside the cluster: nodes do not use the cluster’s DNS).',
  tell: '`lookup HOST: no such host`. When every registry fails so, the node’s DNS is broken instead.',
  fix: 'Correct the host in the image’s name, or make the node’s resolver know it.',
  sick: [
    {
      when: 'the host is misspelt',
      yaml: pullExample(
        image,
        resolving(
          image,
          'Unknown',
          `failed to do request: Head "https://gchr.io/v2/acme/shop/manifests/2": dial tcp: lookup gchr.io on 10.0.0.2:53: no such host`,
        ),
      ),
      says: 'did you mean ghcr.io',
    },
    {
      when: 'nobody knows the host',
      yaml: pullExample(
        'registry.invalid/shop:2',
        resolving(
          'registry.invalid/shop:2',
          'Unknown',
          `failed to do request: Head "https://registry.invalid/v2/shop/manifests/2": dial tcp: lookup registry.invalid: no such host`,
        ),
      ),
      says: 'registry.invalid',
    },
  ],
  fault: { manifest: imageFault('registry.invalid/shop:2'), runtimes: ['sim'], fixable: false },
  claim(it, snapshot) {
    const host = it.ref?.host ?? it.image;
    const others = snapshot.pods.flatMap((p) =>
      p.containers.filter((c) => c.status?.imageID).map((c) => c.image.split('/')[0] ?? ''),
    );
    const guess = nearestOne(host, [...wellKnown, ...others.filter((o) => o.includes('.'))]);
    const better = guess && it.image.startsWith(`${host}/`) ? guess + it.image.slice(host.length) : undefined;
    const change = better
      ? editPodSpec(snapshot, it.pod, [{ path: ['image'], value: better, was: it.image }], it.container.name)
      : undefined;
    const { workload, namespace } = it.pod;
    return {
      says: `The registry ${host} does not exist as far as the node's DNS knows${guess ? ` (did you mean ${guess}?)` : ''}.`,
      cause: registryCause(it),
      fix: '',
      commands: [],
      remedy: {
        says: better ? `Use ${better}.` : 'Correct the registry in the image’s name, or make the nodes’ DNS know it.',
        commands: [
          `kubectl set image ${workload.kind.toLowerCase()}/${workload.name} ${it.container.name}=${better ?? 'REGISTRY/IMAGE:TAG'} -n ${namespace}`,
        ],
        ...(change && { actions: [change] }),
        verify: watchCommand(it.pod),
      },
    };
  },
});
