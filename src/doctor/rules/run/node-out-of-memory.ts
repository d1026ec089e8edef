import { nodes } from '../../../api/generated/resources.ts';
import { computed, fromCondition, fromEnd, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import { eventTime, type Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { crashes } from './crashes.ts';

/** A SystemOOM event and a container's end belong together when they are no further apart (milliseconds). */
const near = 120_000;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of crashes(snapshot)) {
    if (end.exitCode !== 137) continue;
    const node = pod.spec.nodeName ?? '';
    const limited = container.spec.resources?.limits?.['memory'] !== undefined;
    const at = Date.parse(end.finishedAt ?? '');
    const oom = snapshot
      .events({ kind: 'Node', name: node })
      .find((it) => it.reason === 'SystemOOM' && Math.abs((eventTime(it) ?? 0) - at) < near);
    if (!(end.reason === 'OOMKilled' && !limited) && !oom) continue;
    const pressure = snapshot
      .get(nodes, node)
      ?.status?.conditions?.find((it) => it.type === 'MemoryPressure' && it.status === 'True');
    const qos = pod.pod.status?.qosClass ?? 'BestEffort';
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} was killed because node ${node} ran out of memory, not because of ${limited ? 'its own limit' : 'a limit: it has none'}.`,
      evidence: [
        fromEnd(pod, container),
        ...(oom ? [fromEvent(oom)] : []),
        ...(pressure
          ? [fromCondition({ kind: 'Node', name: node }, 'MemoryPressure', pressure.message ?? 'True')]
          : []),
        computed(
          pod.ref,
          `memory: request ${container.spec.resources?.requests?.['memory'] ?? 'none'}, limit ${container.spec.resources?.limits?.['memory'] ?? 'none'}; QoS class ${qos}`,
        ),
      ],
      certainty: oom ? 'certain' : 'likely',
      cause: `node/${node}`,
      remedy: {
        says: 'Give the pods of this node memory requests that fit what they use, so that the scheduler does not overfill it; then find the one that grows.',
        commands: [
          `kubectl top pods -A --sort-by=memory   # and: kubectl describe node ${node}`,
          `kubectl set resources ${pod.workload.kind.toLowerCase()}/${pod.workload.name} -n ${pod.namespace} -c ${container.name} --requests=memory=256Mi --limits=memory=512Mi`,
        ],
        verify: watchCommand(pod),
      },
    };
  }
}

const event = `---
kind: Event
on: Node/n1
reason: SystemOOM
message: 'System OOM encountered, victim process: java, pid: 4711'
ago: 60
`;

export const nodeOutOfMemory: Rule = {
  id: 'node-out-of-memory',
  title: 'Killed because the node ran out of memory',
  phase: 'run',
  codes: ['RUN-02', 'NOD-16'],
  symptoms: ['OOMKilled', 'SystemOOM', 'exit code 137'],
  severity: 'error',
  lint: 'never',
  rank: 93,
  meaning:
    'The node had no memory left, and the kernel chose this process to be killed. Pods without requests and limits are chosen first, whoever used the memory.',
  tell: 'A `SystemOOM` event of the node at that time, or `OOMKilled` for a container that has no memory limit.',
  fix: 'Set memory requests (and limits) for what runs on the node; add memory or nodes.',
  sick: [
    {
      when: 'it was OOMKilled without a limit',
      yaml: crashingPod({ exit: 137, reason: 'OOMKilled' }),
      says: 'it has none',
    },
    {
      when: 'the node tells of it',
      yaml: crashingPod({ exit: 137, container: 'resources: {limits: {memory: 1Gi}}' }) + event,
      says: 'node n1',
    },
  ],
  healthy: [{ when: 'another process of the node was the victim', yaml: healthyPod() + event }],
  check,
};
