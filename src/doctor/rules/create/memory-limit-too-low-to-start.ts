import { fromSpec } from '../../evidence.ts';
import { containerField, editPodSpec } from '../../remedy.ts';
import { runc, startExample } from './example.ts';
import { startRule } from './simple.ts';

export const memoryLimitTooLowToStart = startRule(
  {
    id: 'memory-limit-too-low-to-start',
    title: 'The memory limit is too low even to start',
    codes: ['CRT-08'],
    symptoms: ['StartError', 'RunContainerError', 'container init was OOM-killed (memory limit too low?)'],
    lint: 'manifest',
    rank: 93,
    meaning:
      'The limit is so small that the runtime itself, which runs inside it for a moment, is killed. The status then says `StartError` and 128, not `OOMKilled`.',
    tell: '`container init was OOM-killed (memory limit too low?)`; a limit of a few mebibytes or a slip of the unit (`128m` is not 128 MiB).',
    fix: 'Raise the limit; 16Mi is about the least with which anything starts.',
    sick: [
      {
        when: 'the limit is four mebibytes',
        yaml: startExample({
          reason: 'StartError',
          ended: true,
          message: runc('container init was OOM-killed (memory limit too low?)'),
          container: '    resources: {limits: {memory: 4Mi}}',
        }),
        says: 'limit of 4Mi',
      },
    ],
    healthy: [],
  },
  /container init was OOM-killed|failed to write .*memory\.(?:max|limit_in_bytes).*(?:invalid argument|device or resource busy)/,
  ({ snapshot, pod, container }) => {
    const limit = container.spec.resources?.limits?.['memory'];
    const change =
      limit === undefined
        ? undefined
        : editPodSpec(
            snapshot,
            pod,
            [{ path: ['resources', 'limits', 'memory'], value: '64Mi', was: limit }],
            container.name,
          );
    return {
      says: `The memory limit of ${limit ?? 'the pod'} is too low for container ${container.name} even to start.`,
      evidence: limit
        ? [fromSpec(pod.ref, `limits.memory: ${limit}`, `spec.${container.path}.resources.limits.memory`)]
        : [],
      field: containerField(pod, container, 'resources.limits.memory'),
      remedy: {
        says: 'Raise the limit, to 64Mi for a start.',
        commands: [
          `kubectl set resources ${pod.workload.kind.toLowerCase()}/${pod.workload.name} -n ${pod.namespace} -c ${container.name} --limits=memory=64Mi`,
        ],
        ...(change && { actions: [change] }),
      },
    };
  },
);
