import { compareQuantity, formatQuantity } from '../../../api/quantity.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';
import { amounts, most, zero } from './room.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^Insufficient (hugepages-(\w+))$/)) {
    const resource = it.match[1] ?? '';
    const offered = most(snapshot, resource, 'allocatable');
    const has = offered && compareQuantity(offered.amount, zero) > 0;
    yield pendingClaim(it, {
      says: `The pod asks for ${formatQuantity(amounts(it.pod)[resource] ?? zero)} of huge pages (${it.match[2]}), and ${has ? `no node has that many left (at most ${formatQuantity(offered.amount)} in all)` : 'no node has reserved any'}.`,
      evidence: offered
        ? [
            computed(
              { kind: 'Node', name: offered.node },
              `${offered.node} offers ${formatQuantity(offered.amount)} of ${resource}`,
            ),
          ]
        : [],
      cause: resource,
      remedy: {
        says: 'Reserve huge pages on a node (its kernel hands them out at boot or on request) and restart its kubelet, or remove the request.',
        commands: [
          'sysctl -w vm.nr_hugepages=512   # on the node',
          'systemctl restart kubelet           # on the node',
        ],
      },
    });
  }
}

export const hugepagesMissing: Rule = {
  id: 'hugepages-missing',
  title: 'No node has the huge pages that are asked for',
  phase: 'scheduling',
  codes: ['SCH-39'],
  symptoms: ['FailedScheduling', 'Insufficient hugepages-2Mi'],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'Huge pages are reserved by the kernel beforehand. The kubelet reports what it found when it started; nothing is reserved on demand.',
  tell: '`Insufficient hugepages-SIZE`; `status.allocatable` of the nodes says 0 or less than the request.',
  fix: 'Reserve them on the nodes, or remove the request.',
  sick: [
    {
      when: 'no node has reserved huge pages',
      yaml:
        nodeExample('n1') +
        pendingExample(noneOf(1, '1 Insufficient hugepages-2Mi'), {
          container:
            '    resources: {limits: {hugepages-2Mi: 64Mi, memory: 64Mi}, requests: {hugepages-2Mi: 64Mi, memory: 64Mi}}',
        }),
      says: 'no node has reserved any',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault('', '        resources: {limits: {hugepages-2Mi: 64Mi, memory: 64Mi}}'),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
