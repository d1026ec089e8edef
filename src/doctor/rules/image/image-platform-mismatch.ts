import { nodes } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import { pullExample, resolving } from './example.ts';
import { pullRule } from './pull-rule.ts';

const image = 'acme/shop:2';

export const imagePlatformMismatch = pullRule({
  id: 'image-platform-mismatch',
  title: 'The image is not made for the node’s architecture',
  codes: ['IMG-15'],
  symptoms: ['no match for platform in manifest'],
  rank: 91,
  causes: ['platform'],
  meaning:
    'The image exists, but only for other kinds of processors or systems than the node’s (for instance amd64, while the node is arm64).',
  tell: '`no match for platform in manifest … : not found`: it ends like a missing tag, and is not one.',
  fix: 'Build the image for that platform too (`docker buildx build --platform`), or keep the pod to nodes of the right kind with `nodeSelector: kubernetes.io/arch`.',
  sick: [
    {
      when: 'the image lacks the platform',
      yaml: pullExample(
        image,
        resolving(`docker.io/${image}`, 'NotFound', 'no match for platform in manifest sha256:0123: not found'),
      ),
      says: 'linux/amd64',
    },
  ],
  claim(it, snapshot) {
    const node = snapshot.get(nodes, it.pod.spec.nodeName ?? '');
    const { architecture = 'its', operatingSystem = 'linux' } = node?.status?.nodeInfo ?? {};
    const kinds = [...new Set(snapshot.all(nodes).map((n) => n.status?.nodeInfo?.architecture ?? ''))].filter(
      (a) => a !== '' && a !== architecture,
    );
    return {
      says: `The image ${it.image} has no variant for ${operatingSystem}/${architecture}, which node ${it.pod.spec.nodeName} needs.`,
      evidence: [
        ...it.evidence,
        computed(
          { kind: 'Node', name: it.pod.spec.nodeName ?? '' },
          `the node is ${operatingSystem}/${architecture}${kinds.length > 0 ? `; other nodes are ${kinds.join(', ')}` : ''}`,
        ),
      ],
      cause: `${it.image}/${architecture}`,
      fix: `Build the image for ${operatingSystem}/${architecture}${kinds.length > 0 ? `, or keep the pod to ${kinds[0]} nodes` : ''}.`,
      commands: [
        `docker buildx build --platform ${operatingSystem}/${architecture} --push -t ${it.image} .`,
        ...(kinds[0]
          ? [
              `kubectl patch ${it.pod.workload.kind.toLowerCase()}/${it.pod.workload.name} -n ${it.pod.namespace} -p '{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/arch":"${kinds[0]}"}}}}}'`,
            ]
          : []),
      ],
    };
  },
});
