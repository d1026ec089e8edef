import { showTaint } from '../../../kinds/core/node-match.ts';
import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { isControlPlaneTaint, pendingClaim, pendingFor, verdicts } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) had untolerated taint/)) {
    const all = verdicts(snapshot, it.pod);
    if (all.length === 0 || !all.every((v) => v.taint && isControlPlaneTaint(v.taint.key))) continue;
    const taint = all[0]?.node.spec?.taints?.find((t) => isControlPlaneTaint(t.key));
    if (!taint) continue;
    yield pendingClaim(it, {
      says: `The cluster has only control-plane nodes (${all.map((v) => v.name).join(', ')}), and these take no ordinary pods.`,
      evidence: all
        .slice(0, 4)
        .map((v) => fromSpec({ kind: 'Node', name: v.name }, `taint ${showTaint(taint)}`, 'spec.taints')),
      cause: 'control-plane-only',
      remedy: {
        says: 'Add a worker node; in a cluster of one machine, remove the taint.',
        commands: [`kubectl taint nodes --all ${taint.key}-`],
        actions: all.map((v) => ({
          kind: 'patch' as const,
          target: { kind: 'Node', name: v.name },
          operations: [
            {
              op: 'replace' as const,
              path: '/spec/taints',
              value: (v.node.spec?.taints ?? []).filter((t) => !isControlPlaneTaint(t.key)),
            },
          ],
        })),
      },
    });
  }
}

const node = nodeExample('cp', { taints: '[{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]' });

export const onlyControlPlaneNodes: Rule = {
  id: 'only-control-plane-nodes',
  title: 'There are only control-plane nodes',
  phase: 'scheduling',
  codes: ['SCH-09'],
  symptoms: ['FailedScheduling', 'untolerated taint {node-role.kubernetes.io/control-plane: }'],
  severity: 'error',
  lint: 'cluster',
  rank: 92,
  meaning:
    'Nodes of the control plane carry a taint that keeps ordinary pods away. A fresh cluster without workers runs nothing else.',
  tell: 'Every node has the taint `node-role.kubernetes.io/control-plane`.',
  fix: 'Join a worker, or remove the taint where the machine is to run everything.',
  sick: [
    {
      when: 'the only node is for the control plane',
      yaml:
        node + pendingExample(noneOf(1, '1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }')),
      says: 'only control-plane nodes (cp)',
    },
  ],
  healthy: [],
  check,
};
