import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { candidates, pendingClaim, pendingFor, verdicts } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) were unschedulable$/)) {
    const all = candidates(verdicts(snapshot, it.pod));
    const cordoned = all.filter((v) => v.cordoned);
    if (cordoned.length === 0) continue;
    const names = cordoned.map((v) => v.name).sort();
    yield pendingClaim(it, {
      says: `${names.length === all.length ? 'All nodes that could take the pod are' : `${names.slice(0, 4).join(', ')} ${names.length === 1 ? 'is' : 'are'}`} cordoned: somebody has closed ${names.length === 1 ? 'it' : 'them'} for new pods.`,
      evidence: cordoned
        .slice(0, 6)
        .map((v) => fromSpec({ kind: 'Node', name: v.name }, 'unschedulable: true', 'spec.unschedulable')),
      cause: `cordoned/${names.join(',')}`,
      rank: names.length === all.length ? 92 : 85,
      remedy: {
        says: 'Open a node again, unless it is being drained on purpose.',
        commands: names.slice(0, 4).map((name) => `kubectl uncordon ${name}`),
        actions: cordoned.map((v) => ({
          kind: 'patch' as const,
          target: { kind: 'Node', name: v.name },
          operations: [{ op: 'remove' as const, path: '/spec/unschedulable' }],
        })),
      },
    });
  }
}

export const nodesCordoned: Rule = {
  id: 'nodes-cordoned',
  title: 'The nodes are cordoned',
  phase: 'scheduling',
  codes: ['SCH-30'],
  symptoms: ['FailedScheduling', 'node(s) were unschedulable', 'SchedulingDisabled'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'A cordoned node (`kubectl cordon`, or the beginning of a drain) takes no new pods. Those that run there go on.',
  tell: '`node(s) were unschedulable`; `kubectl get nodes` shows `SchedulingDisabled`.',
  fix: '`kubectl uncordon NODE` when the maintenance is over.',
  sick: [
    {
      when: 'the only node is cordoned',
      yaml:
        nodeExample('n1', {
          unschedulable: true,
          taints: '[{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]',
        }) + pendingExample(noneOf(1, '1 node(s) were unschedulable')),
      says: 'are cordoned',
    },
  ],
  healthy: [{ when: 'a node is cordoned and nothing waits', yaml: nodeExample('n1', { unschedulable: true }) }],
  check,
};
