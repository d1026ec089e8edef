import { fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodesOf } from './nodes.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  const silent = new Set([...nodesOf(snapshot)].filter((it) => it.ready?.status === 'Unknown').map((it) => it.name));
  for (const pod of snapshot.troubled) {
    const since = pod.pod.metadata?.deletionTimestamp;
    if (!since || pod.workload.kind !== 'StatefulSet' || !silent.has(pod.spec.nodeName ?? '')) continue;
    yield {
      subject: pod.ref,
      says: `The pod ${pod.ref.name} is to end since ${since}, but its node ${pod.spec.nodeName} is silent; its StatefulSet makes no other until it is certain that this one is gone.`,
      evidence: [fromStatus(pod.ref, `deletionTimestamp ${since} on ${pod.spec.nodeName}`)],
      remedy: {
        says: 'If the machine is off for certain, say so with the out-of-service taint: the pod is then removed and its volumes are detached.',
        commands: [`kubectl taint nodes ${pod.spec.nodeName} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`],
      },
    };
  }
}

export const terminatingOnSilentNode: Rule = {
  id: 'terminating-on-silent-node',
  title: 'The pod cannot end, since its node is silent',
  phase: 'node',
  codes: ['NOD-13'],
  symptoms: ['Terminating', 'NodeNotReady'],
  severity: 'error',
  lint: 'never',
  rank: 98,
  meaning:
    'A StatefulSet promises that no two pods of one name run at once. While nobody can say whether the old one still runs, there will be no new one.',
  tell: 'Terminating for longer than its grace period, on a node whose `Ready` is Unknown.',
  fix: 'Bring the node back; or, when it is off for certain, taint it `node.kubernetes.io/out-of-service`.',
  sick: [
    {
      when: 'the node of a StatefulSet pod is silent',
      also: ['node-silent'],
      yaml: '\nkind: Node\nmetadata: {name: n9}\nstatus: {conditions: [{type: Ready, status: Unknown, reason: NodeStatusUnknown, message: Kubelet stopped posting node status.}]}\n---\nkind: Pod\nmetadata: {name: db-0, deletionTimestamp: "2026-01-01T11:50:00Z"}\nowner: StatefulSet/db\nspec: {nodeName: n9, containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Running}\n---\nkind: StatefulSet\nmetadata: {name: db}\nspec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: app, image: nginx:1.27}]}}}\n',
      says: 'db-0',
    },
  ],
  healthy: [],
  check,
};
