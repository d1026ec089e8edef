import { showTaint } from '../../../kinds/core/node-match.ts';
import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { noneOf, pendingExample } from './example.ts';
import { candidates, isConditionTaint, pendingClaim, pendingFor, verdicts } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) had untolerated taint/)) {
    const all = candidates(verdicts(snapshot, it.pod));
    const unwell = all.filter((v) => v.taint && isConditionTaint(v.taint.key));
    if (unwell.length === 0) continue;
    const names = unwell.map((v) => v.name);
    yield pendingClaim(it, {
      says: `${names.length === all.length ? 'Every node that could take the pod is' : `${names.slice(0, 4).join(', ')} could take the pod but ${names.length === 1 ? 'is' : 'are'}`} out of order: ${[...new Set(unwell.map((v) => v.taint?.key.replace(/^node\.(?:cloudprovider\.)?kubernetes\.io\//, '')))].join(', ')}.`,
      evidence: unwell.slice(0, 6).flatMap((v) => {
        const sick = v.node.status?.conditions?.find((c) =>
          c.type === 'Ready' ? c.status !== 'True' : c.status === 'True',
        );
        const ref = { kind: 'Node', name: v.name };
        return [
          ...(v.taint ? [fromSpec(ref, `taint ${showTaint(v.taint)}`, 'spec.taints')] : []),
          ...(sick?.message
            ? [
                {
                  text: `${sick.type}=${sick.status}: ${sick.message}`,
                  source: { kind: 'condition' as const, object: ref, field: `status.conditions[${sick.type}]` },
                },
              ]
            : []),
        ];
      }),
      because: unwell.map((v) => ({ kind: 'Node', name: v.name })),
      cause: `unwell/${names.sort().join(',')}`,
      rank: names.length === all.length ? 91 : 85,
      remedy: {
        says: 'Repair the nodes; do not tolerate the taint, since it is Kubernetes that set it, and takes it away when the node is well.',
        commands: [`kubectl describe node ${names[0]}`],
        verify: 'kubectl get nodes',
      },
    });
  }
}

const sick = `
---
kind: Node
metadata: {name: n1}
spec: {taints: [{key: node.kubernetes.io/network-unavailable, effect: NoSchedule}]}
status:
  allocatable: {cpu: "4", memory: 8Gi, pods: "110"}
  conditions:
  - {type: Ready, status: "True", lastHeartbeatTime: "2026-01-01T11:59:50Z"}
  - {type: NetworkUnavailable, status: "True", reason: NoRouteCreated, message: Node created without a route}
`;

export const nodesUnwell: Rule = {
  id: 'nodes-unwell',
  title: 'The nodes that could take the pod are out of order',
  phase: 'scheduling',
  codes: ['SCH-10'],
  symptoms: ['FailedScheduling', 'untolerated taint {node.kubernetes.io/not-ready: }'],
  severity: 'error',
  lint: 'never',
  rank: 91,
  meaning:
    'Kubernetes taints a node while something is wrong with it: not ready, unreachable, short of memory, disk or process ids, without network, not yet initialised by its cloud.',
  tell: 'The taint begins with `node.kubernetes.io/` (or is `node.cloudprovider.kubernetes.io/uninitialized`); a condition of the node says the same.',
  fix: 'Repair the node. A toleration would only send the pod to a node that cannot run it.',
  sick: [
    {
      when: 'the only node has no route to the others',
      yaml:
        sick + pendingExample(noneOf(1, '1 node(s) had untolerated taint {node.kubernetes.io/network-unavailable: }')),
      says: 'network-unavailable',
    },
  ],
  healthy: [],
  check,
};
