import type { Claim } from '../../finding.ts';
import { commandOf, containerField, editPodSpec, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { imageFault, pullExample, runningPod } from './example.ts';
import { waitingFor } from './waiting-rule.ts';

const check = (snapshot: Snapshot): Iterable<Claim> =>
  waitingFor(snapshot, 'ErrImageNeverPull', (pod, container) => {
    const change = editPodSpec(
      snapshot,
      pod,
      [{ path: ['imagePullPolicy'], value: 'IfNotPresent', was: 'Never' }],
      container.name,
    );
    return {
      says: `Node ${pod.spec.nodeName} does not have the image ${container.image}, and imagePullPolicy: Never forbids to fetch it.`,
      field: containerField(pod, container, 'imagePullPolicy'),
      fix: '',
      commands: [],
      remedy: {
        says: 'Load the image into every node that may run the pod, or let the kubelet pull it when it is missing.',
        commands: [
          ...(change ? [commandOf(change)] : []),
          `kind load docker-image ${container.image}   # kind; coracle: coracle image load FILE.tar`,
        ],
        ...(change && { actions: [change] }),
        verify: watchCommand(pod),
      },
    };
  });

export const imageNeverPulled: Rule = {
  id: 'image-never-pulled',
  title: 'The image is not on the node and may not be pulled',
  phase: 'image',
  codes: ['IMG-13'],
  symptoms: ['ErrImageNeverPull', 'is not present with pull policy of Never'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'With `imagePullPolicy: Never` the kubelet uses only what the node already has. This node does not have the image; another one may.',
  tell: 'The waiting reason is `ErrImageNeverPull`.',
  fix: 'Load the image into the node, or use `IfNotPresent`.',
  sick: [
    {
      when: 'the node lacks the image',
      yaml: pullExample('myapp:1', 'Container image "myapp:1" is not present with pull policy of Never', {
        reason: 'ErrImageNeverPull',
        bare: true,
      }),
      says: 'imagePullPolicy: Never',
    },
  ],
  healthy: [{ when: 'it runs', yaml: runningPod('web', 'myapp:1') }],
  fault: {
    manifest: imageFault('nginx:1.27-never', '        imagePullPolicy: Never\n'),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
