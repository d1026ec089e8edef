import { startExample } from './example.ts';
import { startRule } from './simple.ts';

export const runtimeStuck = startRule(
  {
    id: 'runtime-stuck',
    title: 'The container runtime of the node is stuck',
    codes: ['CRT-13'],
    symptoms: ['CreateContainerError', 'failed to reserve container name', 'context deadline exceeded'],
    lint: 'never',
    meaning:
      'An earlier attempt to create the same container timed out and still holds its name: the runtime or the disk below it is too slow or hangs.',
    tell: '`failed to reserve container name … is reserved for …`, or `context deadline exceeded` at the creation of containers, often for several pods of one node.',
    fix: 'Look at the load and the disk of the node; restart containerd; drain the node if it does not recover.',
    sick: [
      {
        when: 'the name is still held',
        yaml: startExample({
          reason: 'CreateContainerError',
          message:
            'failed to reserve container name "app_web_default_1_0": name "app_web_default_1_0" is reserved for "9af3"',
        }),
        says: 'runtime of node n1 is stuck',
      },
    ],
    healthy: [],
  },
  /^(?:Error: )?(?:failed to reserve container name|context deadline exceeded)/,
  ({ pod, container }) => ({
    says: `The container runtime of node ${pod.spec.nodeName ?? ''} is stuck: an earlier attempt to create container ${container.name} did not come to an end.`,
    certainty: 'likely',
    cause: `runtime/${pod.spec.nodeName ?? ''}`,
    remedy: {
      says: 'Restart the runtime on the node, or drain the node.',
      commands: [
        'systemctl restart containerd   # on the node',
        `kubectl drain ${pod.spec.nodeName ?? 'NODE'} --ignore-daemonsets`,
        `kubectl describe node ${pod.spec.nodeName ?? 'NODE'}`,
      ],
    },
  }),
);
