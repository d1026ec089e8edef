import { fromSpec } from '../../evidence.ts';
import { containerField } from '../../remedy.ts';
import { runc, startExample } from './example.ts';
import { startRule } from './simple.ts';

export const workingDirUnusable = startRule(
  {
    id: 'working-dir-unusable',
    title: 'The working directory cannot be entered',
    codes: ['CRT-09'],
    symptoms: ['StartError', 'RunContainerError', 'chdir to cwd'],
    lint: 'never',
    meaning:
      'The process cannot be put into its working directory: it does not exist, is a file, or the user may not enter it.',
    tell: '`chdir to cwd ("/dir") set in config.json failed: …`.',
    fix: 'Correct `workingDir`, or the owner and mode of the directory in the image; mind `runAsUser`.',
    sick: [
      {
        when: 'the user may not enter it',
        yaml: startExample({
          reason: 'StartError',
          ended: true,
          message: runc('chdir to cwd ("/root/app") set in config.json failed: permission denied'),
          container: '    workingDir: /root/app',
        }),
        says: '/root/app',
      },
    ],
    healthy: [],
  },
  /(?:chdir to cwd|mkdir) \(?"?([^")]+)"?\)?(?: set in config\.json)?(?: failed)?: (no such file or directory|permission denied|not a directory)/,
  ({ pod, container, match }) => ({
    says: `Container ${container.name} cannot start in its working directory ${match[1]}: ${match[2]}.`,
    evidence: container.spec.workingDir
      ? [fromSpec(pod.ref, `workingDir: ${container.spec.workingDir}`, `spec.${container.path}.workingDir`)]
      : [],
    field: containerField(pod, container, 'workingDir'),
    remedy: {
      says:
        match[2] === 'permission denied'
          ? 'Let the user of the container enter the directory (mode, owner, or fsGroup), or use another.'
          : 'Use a directory that the image has.',
      commands: [
        `kubectl debug ${pod.ref.name} -n ${pod.namespace} -it --copy-to=${pod.ref.name}-debug --container=${container.name} -- ls -ld ${match[1]}`,
      ],
    },
  }),
);
