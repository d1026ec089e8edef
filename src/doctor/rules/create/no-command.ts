import { containerField } from '../../remedy.ts';
import { startExample } from './example.ts';
import { startRule } from './simple.ts';

export const noCommand = startRule(
  {
    id: 'no-command',
    title: 'Neither image nor pod says what to run',
    codes: ['CRT-07'],
    symptoms: ['CreateContainerError', 'no command specified'],
    lint: 'never',
    meaning: 'The image has neither ENTRYPOINT nor CMD (a base or data image), and the pod gives no `command`.',
    tell: '`failed to generate spec: no command specified`.',
    fix: 'Set `command` in the pod, or an ENTRYPOINT in the image.',
    sick: [
      {
        when: 'the runtime finds no command',
        yaml: startExample({
          reason: 'CreateContainerError',
          message: 'failed to generate container "1f" spec: failed to generate spec: no command specified',
        }),
        says: 'what to run',
      },
    ],
    healthy: [],
  },
  /no command specified/,
  ({ pod, container }) => ({
    says: `Nothing says what to run in container ${container.name}: the image ${container.image} has no entry point, and the pod gives no command.`,
    field: containerField(pod, container, 'command'),
    remedy: {
      says: 'Give the container a command.',
      commands: [
        `kubectl edit ${pod.workload.kind.toLowerCase()}/${pod.workload.name}${pod.workload.namespace ? ` -n ${pod.workload.namespace}` : ''}`,
      ],
    },
  }),
);
