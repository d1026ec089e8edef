import { fromSpec } from '../../evidence.ts';
import { containerField, editPodSpec } from '../../remedy.ts';
import { nearestOne } from '../../text/nearest.ts';
import { runc, startExample, startFault } from './example.ts';
import { startRule } from './simple.ts';

/** Programs that images commonly have; what a slip was meant to be. */
const common =
  'sh bash ash sleep echo cat ls env printenv wget curl nginx node python python3 java redis-server postgres mysqld httpd npm npx yarn ruby perl php go tail true false date nc nslookup ping tar gunicorn uvicorn celery dotnet'.split(
    ' ',
  );

export const commandNotFound = startRule(
  {
    id: 'command-not-found',
    title: 'The command is not in the image',
    codes: ['CRT-01'],
    symptoms: ['StartError', 'RunContainerError', 'ContainerCannotRun', 'executable file not found in $PATH'],
    lint: 'never',
    meaning:
      'The runtime looked for the first word of the command in the `PATH` of the image and did not find it: a slip, another base image (no shell in a distroless one), or a program that is not installed.',
    tell: '`exec: "NAME": executable file not found in $PATH`, exit code 128 (`StartError`) or 127 with Docker.',
    fix: 'Correct the name, install the program, or leave `command` out so that the image starts what it was made for.',
    sick: [
      {
        when: 'the command is misspelt',
        yaml: startExample({
          reason: 'StartError',
          ended: true,
          message: runc('exec: "slep": executable file not found in $PATH'),
          container: '    command: [slep, "60"]',
        }),
        says: 'did you mean sleep',
      },
      {
        when: 'there is no such program',
        yaml: startExample({
          reason: 'RunContainerError',
          message: runc('exec: "frobnicate": executable file not found in $PATH'),
          container: '    command: [frobnicate]',
        }),
        says: 'frobnicate',
      },
    ],
    healthy: [],
    fault: { manifest: startFault('        command: [slep, "3600"]'), runtimes: ['sim', 'containerd'], fixable: true },
  },
  /exec: "([^"\s/]+)": executable file not found in \$PATH/,
  ({ snapshot, pod, container, match }) => {
    const name = match[1] ?? '';
    const near = nearestOne(name, common);
    const command = container.spec.command ?? [];
    const field = command.length > 0 ? 'command' : 'args';
    const index = (container.spec[field] ?? []).indexOf(name);
    const change =
      near && index >= 0
        ? editPodSpec(snapshot, pod, [{ path: [field, index], value: near, was: name }], container.name)
        : undefined;
    return {
      says: `Container ${container.name} is to run ${name}, which the image ${container.image} does not have in its PATH${near ? ` (did you mean ${near}?)` : ''}.`,
      evidence:
        index >= 0
          ? [fromSpec(pod.ref, `${field}: ${JSON.stringify(container.spec[field])}`, `spec.${container.path}.${field}`)]
          : [],
      field: containerField(pod, container, field),
      remedy: {
        says: near ? `Write ${near}.` : `Use a program that the image has, or leave ${field} out.`,
        commands: [
          `kubectl debug ${pod.ref.name} -n ${pod.namespace} -it --copy-to=${pod.ref.name}-debug --container=${container.name} -- sh`,
        ],
        ...(change && { actions: [change] }),
      },
    };
  },
);
