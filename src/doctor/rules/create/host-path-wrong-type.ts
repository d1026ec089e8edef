import { fromSpec } from '../../evidence.ts';
import { editPodSpec, fieldOf } from '../../remedy.ts';
import { creatingExample, startFault } from './example.ts';
import { creatingRule } from './simple.ts';

export const hostPathWrongType = creatingRule(
  {
    id: 'host-path-wrong-type',
    title: 'The path on the node is not what the pod asks for',
    codes: ['CRT-14'],
    symptoms: ['FailedMount', 'hostPath type check failed'],
    lint: 'never',
    meaning:
      'A hostPath volume with a `type` is mounted only when the path on the node is of that type. It is absent there, or something else.',
    tell: '`hostPath type check failed: /path is not a directory`.',
    fix: 'Create the path on the node, use `DirectoryOrCreate` or `FileOrCreate`, or send the pod to a node that has it.',
    sick: [
      {
        when: 'the directory is not there',
        yaml: creatingExample(
          'FailedMount',
          'MountVolume.SetUp failed for volume "data" : hostPath type check failed: /srv/data is not a directory',
          '  volumes: [{name: data, hostPath: {path: /srv/data, type: Directory}}]',
        ),
        says: '/srv/data',
      },
    ],
    healthy: [],
    fault: {
      manifest: startFault(
        '        command: [sleep, "3600"]\n        volumeMounts: [{name: data, mountPath: /data}]',
        '      volumes: [{name: data, hostPath: {path: /no/such/directory, type: Directory}}]',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: true,
    },
  },
  ['FailedMount'],
  /volume "([^"]+)" : hostPath type check failed: (\S+) is not an? (.*)$/,
  ({ snapshot, pod, match }) => {
    const index = (pod.spec.volumes ?? []).findIndex((it) => it.name === match[1]);
    const type = pod.spec.volumes?.[index]?.hostPath?.type;
    const creating = type === 'Directory' || type === 'File' ? `${type}OrCreate` : undefined;
    const change = creating
      ? editPodSpec(snapshot, pod, [{ path: ['volumes', index, 'hostPath', 'type'], value: creating, was: type }])
      : undefined;
    return {
      says: `The volume ${match[1]} wants ${match[2]} on node ${pod.spec.nodeName} to be a ${match[3]}, and it is not.`,
      evidence: [fromSpec(pod.ref, `hostPath ${match[2]}, type ${type}`, `spec.volumes[${index}].hostPath`)],
      field: fieldOf(pod, `volumes[${index}].hostPath`),
      remedy: {
        says: creating
          ? `Create it on the node, or use type ${creating}.`
          : 'Create it on the node, or send the pod to a node that has it.',
        commands: [`ls -ld ${match[2]}   # on node ${pod.spec.nodeName}`],
        ...(change && { actions: [change] }),
      },
    };
  },
);
