import { formatQuantity, parseQuantity, quantityOf, quantityValue } from '../../../api/quantity.ts';
import { fromEnd, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { commandOf, containerField, editPodSpec, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, deploymentManifest, healthyPod } from '../example-pods.ts';
import { crashes } from './crashes.ts';

/** What a limit is raised to: twice as much, and at least this (bytes). */
const floor = 64 * 1024 * 1024;
const doubled = (limit: string): string =>
  formatQuantity(quantityOf(Math.max(quantityValue(parseQuantity(limit)) * 2, floor), 'BinarySI'));

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of crashes(snapshot)) {
    const limit = container.spec.resources?.limits?.['memory'];
    if (end.reason !== 'OOMKilled' || limit === undefined) continue;
    const more = doubled(limit);
    const path = ['resources', 'limits', 'memory'];
    const change = editPodSpec(snapshot, pod, [{ path, value: more, was: limit }], container.name);
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} was killed because it wanted more memory than its limit of ${limit}${container.restarts > 1 ? `, ${container.restarts} times so far` : ''}.`,
      evidence: [
        fromEnd(pod, container),
        fromSpec(pod.ref, `limits.memory: ${limit}`, `spec.${container.path}.resources.limits.memory`),
      ],
      field: containerField(pod, container, 'resources.limits.memory'),
      remedy: {
        says: `Raise the limit to what it needs (${more} to begin with), or repair the leak if its use only ever grows.`,
        commands: [
          change
            ? commandOf(change)
            : `kubectl set resources ${pod.workload.kind.toLowerCase()}/${pod.workload.name} -n ${pod.namespace} -c ${container.name} --limits=memory=${more}`,
          `kubectl top pod ${pod.ref.name} -n ${pod.namespace} --containers   # what it uses`,
        ],
        ...(change && { actions: [change] }),
        verify: watchCommand(pod),
      },
    };
  }
}

const container = 'resources: {limits: {memory: 128Mi}}';

export const memoryLimitExceeded: Rule = {
  id: 'memory-limit-exceeded',
  title: 'Killed at its own memory limit',
  phase: 'run',
  codes: ['RUN-01', 'RUN-36'],
  symptoms: ['OOMKilled', 'exit code 137', 'CrashLoopBackOff'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'The kernel killed a process of the container because the container’s memory reached `resources.limits.memory`. The node itself had memory left.',
  tell: '`reason: OOMKilled` in the (last) state, and a memory limit. Exit code 137 alone proves nothing: see `killed-without-reason`.',
  fix: 'Raise the limit, or lower what the program uses.',
  sick: [
    {
      when: 'it was OOMKilled and has a limit',
      yaml: crashingPod({ exit: 137, reason: 'OOMKilled', container }),
      says: '128Mi',
    },
  ],
  healthy: [{ when: 'it runs within its limit', yaml: healthyPod({ container }) }],
  fault: {
    manifest: deploymentManifest({
      image: 'polinux/stress',
      container: 'command: [stress, --vm, "1", --vm-bytes, 100M, --vm-hang, "1"]\nresources: {limits: {memory: 64Mi}}',
    }),
    runtimes: ['sim'],
    fixable: true,
    patienceSeconds: 10,
  },
  check,
};
