import type { Rule } from '../../rule.ts';
import { pullExample, runningPod } from './example.ts';
import { waitingFor } from './waiting-rule.ts';

export const imageInspectError: Rule = {
  id: 'image-inspect-error',
  title: 'The runtime’s image store is broken',
  phase: 'image',
  codes: ['IMG-20'],
  symptoms: ['ImageInspectError', 'InspectFailed', 'Failed to inspect image'],
  severity: 'error',
  lint: 'never',
  rank: 88,
  meaning:
    'The kubelet asked the runtime whether it has the image, and the runtime failed to answer: it is down, or its store is damaged. Pulling has not begun.',
  tell: 'The waiting reason is `ImageInspectError`. All new pods of that node fail alike.',
  fix: 'Restart the container runtime on the node; where one image is damaged, remove it with `crictl rmi` and let it be pulled again.',
  sick: [
    {
      when: 'the runtime cannot read the image',
      yaml: pullExample(
        'nginx:1.27',
        'Failed to inspect image "nginx:1.27": rpc error: code = Unknown desc = failed to get image spec: blob sha256:0123: not found',
        { reason: 'ImageInspectError', bare: true },
      ),
      says: 'node n1',
    },
  ],
  healthy: [{ when: 'the image runs', yaml: runningPod('web', 'nginx:1.27') }],
  check: (snapshot) =>
    waitingFor(snapshot, 'ImageInspectError', (pod, container) => ({
      says: `The container runtime of node ${pod.spec.nodeName} cannot read its own copy of ${container.image}.`,
      cause: `node/${pod.spec.nodeName}`,
      because: [{ kind: 'Node', name: pod.spec.nodeName ?? '' }],
      fix: 'Remove the image on that node and restart the runtime.',
      commands: [
        `crictl rmi ${container.image}   # on node ${pod.spec.nodeName}`,
        'systemctl restart containerd   # there, if that does not help',
      ],
    })),
};
