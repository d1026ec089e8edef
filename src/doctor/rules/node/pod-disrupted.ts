import { fromCondition } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeRef } from './nodes.ts';

const reasons: Readonly<Record<string, string>> = {
  EvictionByEvictionAPI: 'somebody asked for its eviction (a drain, an autoscaler, a descheduler)',
  DeletionByTaintManager: 'its node got a NoExecute taint that it does not tolerate',
  DeletionByPodGC: 'its node no longer exists',
};

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const condition = pod.pod.status?.conditions?.find((it) => it.type === 'DisruptionTarget' && it.status === 'True');
    const why = reasons[condition?.reason ?? ''];
    if (!condition || !why) continue;
    yield {
      subject: pod.ref,
      says: `The pod was taken away from ${pod.spec.nodeName ?? 'its node'} from outside: ${why}.`,
      evidence: [fromCondition(pod.ref, 'DisruptionTarget', `${condition.reason}: ${condition.message ?? ''}`)],
      cause: `${condition.reason}/${pod.spec.nodeName}`,
      because: [nodeRef(pod.spec.nodeName ?? '')],
      severity: condition.reason === 'EvictionByEvictionAPI' ? 'info' : 'warning',
      remedy: {
        says: 'Expected in maintenance. Run more than one replica and a PodDisruptionBudget if it must not be felt.',
        commands: ['kubectl get nodes', 'kubectl get poddisruptionbudgets -A'],
      },
    };
  }
}

export const podDisrupted: Rule = {
  id: 'pod-disrupted',
  title: 'The pod was taken away from outside',
  phase: 'node',
  codes: ['NOD-09', 'NOD-11', 'NOD-12'],
  symptoms: [
    'DisruptionTarget',
    'EvictionByEvictionAPI',
    'DeletionByTaintManager',
    'DeletionByPodGC',
    'TaintManagerEviction',
  ],
  severity: 'warning',
  lint: 'never',
  rank: 91,
  meaning:
    'The pod did nothing wrong: it was drained, its node was tainted, or its node is gone. Exit codes 137 and 143 after this are its consequence.',
  tell: 'Condition `DisruptionTarget` with the reason.',
  fix: 'Replicas and a budget; repair the node.',
  sick: [
    {
      when: "the node's taint drove it away",
      yaml: '\nkind: Pod\nmetadata: {name: web, deletionTimestamp: "2026-01-01T11:59:30Z"}\nspec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Running, conditions: [{type: DisruptionTarget, status: "True", reason: DeletionByTaintManager, message: "Taint manager: deleting due to NoExecute taint"}]}\n',
      says: 'NoExecute taint',
    },
  ],
  healthy: [],
  check,
};
