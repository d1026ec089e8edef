import { containerField } from '../../remedy.ts';
import { runc, startExample, startFault } from './example.ts';
import { startRule } from './simple.ts';

export const commandPathMissing = startRule(
  {
    id: 'command-path-missing',
    title: 'The program is not at the path given',
    codes: ['CRT-02'],
    symptoms: ['StartError', 'RunContainerError', 'no such file or directory'],
    lint: 'never',
    meaning:
      'The command is a path, and there is no such file in the container: the path is wrong, or the image was built otherwise.',
    tell: '`exec: "/path": stat /path: no such file or directory`.',
    fix: 'Correct the path. (Where a `mountPath` is its beginning, it is the volume that hides it: see mount-hides-program.)',
    sick: [
      {
        when: 'the file is not there',
        yaml: startExample({
          reason: 'StartError',
          ended: true,
          message: runc('exec: "/app/run": stat /app/run: no such file or directory'),
          container: '    command: [/app/run]',
        }),
        says: '/app/run',
      },
    ],
    healthy: [],
    fault: {
      manifest: startFault('        command: [/opt/app/start]'),
      runtimes: ['sim', 'containerd'],
      fixable: false,
    },
  },
  /exec: "(\/[^"]*)": stat [^:]*: no such file or directory/,
  ({ pod, container, match }) => {
    const path = match[1] ?? '';
    const field = (container.spec.command ?? []).includes(path) ? 'command' : 'args';
    return {
      says: `Container ${container.name} is to run ${path}, and the image ${container.image} has no such file.`,
      field: containerField(pod, container, field),
      remedy: {
        says: 'Correct the path, or leave the command out so that the image starts its own.',
        commands: [
          `kubectl debug ${pod.ref.name} -n ${pod.namespace} -it --copy-to=${pod.ref.name}-debug --container=${container.name} -- ls -l ${path.slice(0, path.lastIndexOf('/')) || '/'}`,
        ],
      },
    };
  },
);
