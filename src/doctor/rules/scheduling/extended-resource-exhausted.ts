import { compareQuantity, formatQuantity } from '../../../api/quantity.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample } from './example.ts';
import { extended } from './extended-resource-absent.ts';
import { pendingClaim, pendingFor } from './pending.ts';
import { amounts, freeOf, most, roomsOf, zero } from './room.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, extended)) {
    const resource = it.match[1] ?? '';
    const offered = most(snapshot, resource, 'allocatable');
    if (!offered || compareQuantity(offered.amount, zero) <= 0) continue;
    const wanted = amounts(it.pod)[resource] ?? zero;
    const holders = snapshot.pods.filter(
      (other) => other.spec.nodeName && compareQuantity(amounts(other)[resource] ?? zero, zero) > 0,
    );
    const impossible = compareQuantity(wanted, offered.amount) > 0;
    const rooms = [...roomsOf(snapshot).values()].filter((room) => room.allocatable[resource]);
    yield pendingClaim(it, {
      says: impossible
        ? `The pod asks for ${formatQuantity(wanted)} of ${resource}; no node has more than ${formatQuantity(offered.amount)}.`
        : `All ${resource} of the cluster are taken: the pod asks for ${formatQuantity(wanted)}, and no node has that many left.`,
      evidence: [
        ...rooms.map((room) =>
          computed(
            { kind: 'Node', name: room.node },
            `${room.node}: ${formatQuantity(room.allocatable[resource] ?? zero)} in all, ${formatQuantity(freeOf(room, resource))} left`,
          ),
        ),
        ...holders
          .slice(0, 5)
          .map((other) =>
            computed(
              other.ref,
              `${other.namespace}/${other.ref.name} holds ${formatQuantity(amounts(other)[resource] ?? zero)} on ${other.spec.nodeName}`,
            ),
          ),
      ],
      cause: `exhausted/${resource}`,
      remedy: {
        says: impossible
          ? 'Ask for less, or add a node with more.'
          : 'Free one, wait for one, or add a node that has them.',
        commands: holders.length > 0 ? [`kubectl describe nodes | grep -A2 ${resource}`] : ['kubectl describe nodes'],
      },
    });
  }
}

const want = '    resources: {limits: {nvidia.com/gpu: "1"}, requests: {nvidia.com/gpu: "1"}}';
const node = nodeExample('n1', { allocatable: 'cpu: "4", memory: 8Gi, pods: "110", nvidia.com/gpu: "1"' });

export const extendedResourceExhausted: Rule = {
  id: 'extended-resource-exhausted',
  title: 'All devices of that kind are taken',
  phase: 'scheduling',
  codes: ['SCH-06'],
  symptoms: ['FailedScheduling', 'Insufficient nvidia.com/gpu'],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'Nodes offer the extended resource, but fewer than the pod asks for are left. Devices are whole and are never shared or overcommitted.',
  tell: '`Insufficient NAME` while nodes list NAME in `status.allocatable`.',
  fix: 'End a pod that holds one, ask for fewer, or add nodes that have them.',
  sick: [
    {
      when: 'another pod holds the only GPU',
      yaml:
        node +
        placedExample('train', 'n1', 'nvidia.com/gpu: "1"') +
        pendingExample(noneOf(1, '1 Insufficient nvidia.com/gpu'), { container: want }),
      says: 'are taken',
    },
  ],
  healthy: [{ when: 'one is left', yaml: node }],
  check,
};
