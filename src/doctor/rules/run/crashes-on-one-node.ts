import { computed, fromEnd } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { keyOf } from '../../reference.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { type Crash, failures } from './crashes.ts';

/** Fewer healthy replicas elsewhere prove nothing. */
const fewest = 2;

function* check(snapshot: Snapshot): Iterable<Claim> {
  const byWorkload = new Map<string, Crash[]>();
  for (const it of failures(snapshot)) {
    if (it.pod.workload.kind === 'Pod') continue;
    const key = `${keyOf(it.pod.workload)}|${it.container.name}`;
    byWorkload.set(key, [...(byWorkload.get(key) ?? []), it]);
  }
  for (const group of byWorkload.values()) {
    const [first] = group;
    const sick = new Set(group.map((it) => it.pod.spec.nodeName ?? ''));
    if (!first || sick.size !== 1 || group.length < fewest) continue;
    const [node = ''] = sick;
    const healthy = snapshot
      .podsOf(first.pod.workload)
      .filter(
        (it) =>
          it.spec.nodeName !== node && it.containers.some((c) => c.name === first.container.name && c.status?.ready),
      );
    if (healthy.length < fewest) continue;
    for (const { pod, container } of group)
      yield {
        subject: pod.ref,
        container: container.name,
        says: `All ${group.length} crashing pods of ${pod.workload.kind} ${pod.workload.name} are on node ${node}, while ${healthy.length} run well on other nodes: the node is to blame.`,
        evidence: [
          fromEnd(pod, container),
          computed(
            { kind: 'Node', name: node },
            `healthy: ${healthy
              .slice(0, 4)
              .map((it) => `${it.ref.name} on ${it.spec.nodeName}`)
              .join(', ')}`,
          ),
        ],
        certainty: 'likely',
        cause: `node/${node}`,
        because: [{ kind: 'Node', name: node }],
        remedy: {
          says: 'Keep new pods away from the node, move these, and look at the node.',
          commands: [
            `kubectl cordon ${node}`,
            `kubectl delete pod ${group.map((it) => it.pod.ref.name).join(' ')} -n ${pod.namespace}`,
          ],
        },
      };
  }
}

const owner = 'StatefulSet/web';
const set = `---
kind: StatefulSet
metadata: {name: web}
spec: {replicas: 4, serviceName: web, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "acme/shop:2"}]}}}
status: {replicas: 4, readyReplicas: 2}
---
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}}
`;
const sound = (name: string): string => healthyPod({ owner, name }).replace('nodeName: n1', 'nodeName: n2');

export const crashesOnOneNode: Rule = {
  id: 'crashes-on-one-node',
  title: 'It crashes on one node only',
  phase: 'run',
  codes: ['RUN-35', 'NOD-22'],
  symptoms: ['CrashLoopBackOff'],
  severity: 'error',
  lint: 'never',
  rank: 52,
  meaning:
    'Replicas of one workload run well on all nodes but one. What differs is the node: its hardware, kernel, disk, network, or files under hostPath.',
  tell: 'At least two crash, all on the same node, and at least two run elsewhere.',
  fix: 'Cordon the node, move the pods, then look at the node.',
  sick: [
    {
      when: 'two crash there and two run elsewhere',
      yaml:
        crashingPod({ exit: 1, owner, name: 'web-0' }) +
        crashingPod({ exit: 1, owner, name: 'web-1' }) +
        sound('web-2') +
        sound('web-3') +
        set,
      says: 'node n1',
    },
  ],
  healthy: [
    {
      when: 'all run',
      yaml:
        sound('web-2') +
        sound('web-3') +
        set
          .replace('replicas: 4, serviceName', 'replicas: 2, serviceName')
          .replace('status: {replicas: 4', 'status: {replicas: 2'),
    },
  ],
  check,
};
