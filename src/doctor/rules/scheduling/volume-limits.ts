import { csinodes } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) exceed max volume count$/)) {
    const limits = snapshot
      .all(csinodes)
      .flatMap((node) =>
        (node.spec?.drivers ?? []).flatMap((driver) =>
          driver.allocatable?.count === undefined
            ? []
            : [`${node.metadata?.name}: at most ${driver.allocatable.count} volumes of ${driver.name}`],
        ),
      );
    yield pendingClaim(it, {
      says: 'No node may attach another volume: the limit of volumes for each node is reached.',
      evidence: limits.slice(0, 6).map((text) => computed(it.pod.ref, text)),
      cause: 'volume-count',
      remedy: {
        says: 'Add a node, or use fewer volumes.',
        commands: ['kubectl get csinodes -o yaml', 'kubectl get volumeattachments'],
      },
    });
  }
}

export const volumeLimits: Rule = {
  id: 'volume-limits',
  title: 'The nodes may not attach more volumes',
  phase: 'scheduling',
  codes: ['SCH-26'],
  symptoms: ['FailedScheduling', 'node(s) exceed max volume count'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'Disks of clouds can be attached to a machine only so many at a time; the CSI driver reports the number in the CSINode.',
  tell: '`spec.drivers[].allocatable.count` of the CSINode, against the volumes attached there.',
  fix: 'More nodes, other machine types, or fewer volumes.',
  sick: [
    {
      when: 'the scheduler says so',
      yaml: `${nodeExample('n1')}---\nkind: CSINode\nmetadata: {name: n1}\nspec: {drivers: [{name: ebs.csi.aws.com, nodeID: i-1, allocatable: {count: 25}}]}\n${pendingExample(noneOf(1, '1 node(s) exceed max volume count'))}`,
      says: 'may attach another volume',
    },
  ],
  healthy: [],
  check,
};
