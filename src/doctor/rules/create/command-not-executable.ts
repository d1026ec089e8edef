import { fromSpec } from '../../evidence.ts';
import { containerField, editPodSpec, fieldOf } from '../../remedy.ts';
import { runc, startExample, startFault } from './example.ts';
import { startRule } from './simple.ts';

export const commandNotExecutable = startRule(
  {
    id: 'command-not-executable',
    title: 'The command is not executable',
    codes: ['CRT-03'],
    symptoms: ['StartError', 'RunContainerError', 'permission denied'],
    lint: 'never',
    meaning:
      'The file is there, but may not be executed: it lacks the x bit (files of a ConfigMap have mode 0644 unless told otherwise), it is a directory, or the user of the container may not.',
    tell: '`exec: "/path": permission denied`.',
    fix: '`defaultMode: 0755` for a volume of a ConfigMap, `chmod +x` in the image, or call it through a shell: `["sh", "/path"]`.',
    sick: [
      {
        when: 'the file has no x bit',
        yaml: startExample({
          reason: 'StartError',
          ended: true,
          message: runc('exec: "/etc/passwd": permission denied'),
          container: '    command: [/etc/passwd]',
        }),
        says: 'may not be executed',
      },
      {
        when: 'it is a script of a ConfigMap',
        yaml: `${startExample({ reason: 'StartError', ended: true, message: runc('exec: "/scripts/run.sh": permission denied'), spec: '  volumes: [{name: scripts, configMap: {name: scripts}}]', container: '    command: [/scripts/run.sh]\n    volumeMounts: [{name: scripts, mountPath: /scripts}]' })}---\nkind: ConfigMap\nmetadata: {name: scripts}\ndata: {run.sh: "#!/bin/sh"}\n`,
        says: 'volume scripts',
      },
    ],
    healthy: [],
    fault: {
      manifest: startFault(
        '        command: [/scripts/run.sh]\n        volumeMounts: [{name: scripts, mountPath: /scripts}]',
        '      volumes: [{name: scripts, configMap: {name: scripts}}]',
      ).replace(
        'apiVersion: apps/v1',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: scripts}\ndata: {run.sh: "#!/bin/sh\\nsleep 3600\\n"}\n---\napiVersion: apps/v1',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: true,
    },
  },
  /exec: "([^"]+)": permission denied/,
  ({ snapshot, pod, container, match }) => {
    const path = match[1] ?? '';
    const mount = (container.spec.volumeMounts ?? []).find((it) =>
      path.startsWith(`${it.mountPath.replace(/\/$/, '')}/`),
    );
    const index = (pod.spec.volumes ?? []).findIndex((it) => it.name === mount?.name);
    const volume = pod.spec.volumes?.[index];
    const kind = volume?.configMap ? 'configMap' : volume?.secret ? 'secret' : undefined;
    const change = kind
      ? editPodSpec(snapshot, pod, [{ path: ['volumes', index, kind, 'defaultMode'], value: 0o755 }])
      : undefined;
    return {
      says: kind
        ? `Container ${container.name} is to run ${path}, which comes from the volume ${volume?.name} without permission to be executed.`
        : `Container ${container.name} is to run ${path}, which may not be executed (no x bit, a directory, or not this user's).`,
      evidence: kind
        ? [
            fromSpec(
              pod.ref,
              `volume ${volume?.name} from a ${kind}, defaultMode ${volume?.[kind]?.defaultMode?.toString(8) ?? '644'}`,
              `spec.volumes[${index}]`,
            ),
          ]
        : [],
      field: kind ? fieldOf(pod, `volumes[${index}].${kind}.defaultMode`) : containerField(pod, container, 'command'),
      remedy: {
        says: kind
          ? 'Give the files of the volume mode 0755.'
          : 'Make the file executable in the image, or start it through a shell.',
        commands: [
          `kubectl debug ${pod.ref.name} -n ${pod.namespace} -it --copy-to=${pod.ref.name}-debug --container=${container.name} -- ls -l ${path}`,
        ],
        ...(change && { actions: [change] }),
      },
    };
  },
);
