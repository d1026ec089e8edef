import { fromSpec } from '../../evidence.ts';
import { containerField } from '../../remedy.ts';
import { runc, startExample, startFault } from './example.ts';
import { startRule } from './simple.ts';

export const commandPathMissing = startRule(
  {
    id: 'command-path-missing',
    title: 'The program is not at the path given',
    codes: ['CRT-02', 'CFG-24'],
    symptoms: ['StartError', 'RunContainerError', 'no such file or directory'],
    lint: 'never',
    meaning:
      'The command is a path, and there is no such file in the container: the path is wrong, or a volume is mounted over the directory and hides what the image has there.',
    tell: '`exec: "/path": stat /path: no such file or directory`. Look whether a `mountPath` is the beginning of the path.',
    fix: 'Correct the path. Where a volume hides it, mount the volume elsewhere or a single file with `subPath`.',
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
      {
        when: 'a volume hides it',
        yaml: startExample({
          reason: 'StartError',
          ended: true,
          message: runc('exec: "/app/run": stat /app/run: no such file or directory'),
          spec: '  volumes: [{name: data, emptyDir: {}}]',
          container: '    command: [/app/run]\n    volumeMounts: [{name: data, mountPath: /app}]',
        }),
        says: 'the volume data, mounted at /app',
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
    const hiding = (container.spec.volumeMounts ?? []).find(
      (it) => !it.subPath && path.startsWith(`${it.mountPath.replace(/\/$/, '')}/`),
    );
    const field = (container.spec.command ?? []).includes(path) ? 'command' : 'args';
    return {
      says: hiding
        ? `Container ${container.name} is to run ${path}, but the volume ${hiding.name}, mounted at ${hiding.mountPath}, hides what the image has there.`
        : `Container ${container.name} is to run ${path}, and the image ${container.image} has no such file.`,
      evidence: hiding
        ? [
            fromSpec(
              pod.ref,
              `volumeMounts: ${hiding.name} at ${hiding.mountPath}`,
              `spec.${container.path}.volumeMounts`,
            ),
          ]
        : [],
      ...(hiding && { certainty: 'likely' as const }),
      field: containerField(pod, container, hiding ? 'volumeMounts' : field),
      remedy: {
        says: hiding
          ? 'Mount the volume at another path.'
          : 'Correct the path, or leave the command out so that the image starts its own.',
        commands: [
          `kubectl debug ${pod.ref.name} -n ${pod.namespace} -it --copy-to=${pod.ref.name}-debug --container=${container.name} -- ls -l ${path.slice(0, path.lastIndexOf('/')) || '/'}`,
        ],
      },
    };
  },
);
