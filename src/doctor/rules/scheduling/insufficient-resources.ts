import { compareQuantity, formatQuantity } from '../../../api/quantity.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample, placementFault } from './example.ts';
import { pendingClaim, pendingFor, workloadArguments } from './pending.ts';
import { amounts, freeOf, most, roomsOf, zero } from './room.ts';

/** The pods that ask for the most of a resource, largest first. */
function topAskers(snapshot: Snapshot, resource: string): string {
  return snapshot.pods
    .filter((it) => it.spec.nodeName && it.pod.status?.phase === 'Running')
    .map((it) => ({ it, amount: amounts(it)[resource] ?? zero }))
    .filter(({ amount }) => compareQuantity(amount, zero) > 0)
    .sort((a, b) => compareQuantity(b.amount, a.amount))
    .slice(0, 3)
    .map(({ it, amount }) => `${it.namespace}/${it.ref.name} ${formatQuantity(amount)} on ${it.spec.nodeName}`)
    .join(', ');
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^Insufficient (cpu|memory|ephemeral-storage)$/)) {
    const resource = it.match[1] ?? '';
    const wanted = amounts(it.pod)[resource] ?? zero;
    const largest = most(snapshot, resource, 'allocatable');
    const best = most(snapshot, resource, 'free');
    if (largest && compareQuantity(wanted, largest.amount) > 0) continue;
    const rooms = [...roomsOf(snapshot).values()].slice(0, 8);
    const top = topAskers(snapshot, resource);
    yield pendingClaim(it, {
      says: `The pod asks for ${formatQuantity(wanted)} of ${resource}, and no node has that much left${best ? ` (the most is ${formatQuantity(best.amount)} on ${best.node})` : ''}: the cluster is full.`,
      evidence: [
        ...rooms.map((room) =>
          computed(
            { kind: 'Node', name: room.node },
            `${room.node}: ${formatQuantity(room.allocatable[resource] ?? zero)} ${resource} for pods, ${formatQuantity(freeOf(room, resource))} left`,
          ),
        ),
        ...(top ? [computed(it.pod.ref, `the largest requests of ${resource}: ${top}`)] : []),
      ],
      cause: `full/${resource}`,
      remedy: {
        says: `Add a node, scale something down, or ask for less ${resource}.`,
        commands: [
          `kubectl set resources ${workloadArguments(it.pod)} --requests=${resource}=${best && compareQuantity(best.amount, zero) > 0 ? formatQuantity(best.amount) : 'LESS'}`,
          'kubectl get pods -A -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name,NODE:.spec.nodeName,CPU:.spec.containers[*].resources.requests.cpu,MEMORY:.spec.containers[*].resources.requests.memory',
        ],
      },
    });
  }
}

const full = noneOf(1, '1 Insufficient cpu');
const ask = (cpu: string): string => `    resources: {requests: {cpu: "${cpu}"}}`;

export const insufficientResources: Rule = {
  id: 'insufficient-resources',
  title: 'No node has enough room left',
  phase: 'scheduling',
  codes: ['SCH-01', 'SCH-04'],
  symptoms: ['FailedScheduling', 'Insufficient cpu', 'Insufficient memory', 'Insufficient ephemeral-storage'],
  severity: 'error',
  lint: 'cluster',
  rank: 88,
  meaning:
    'Every node could run the pod if it were empty, but what the pods there have *requested* leaves too little. The scheduler counts requests, not use: a node that idles can be full.',
  tell: 'The request is smaller than what some node offers in all (`allocatable`), and larger than what is left on each.',
  fix: 'Lower the requests of this pod or of those that ask for more than they use, scale something down, or add a node.',
  sick: [
    {
      when: 'the requests of others fill the only node',
      yaml:
        nodeExample('n1') + placedExample('big', 'n1', 'cpu: 3500m') + pendingExample(full, { container: ask('1') }),
      says: 'the most is 500m on n1',
    },
  ],
  healthy: [{ when: 'there is room', yaml: nodeExample('n1') + placedExample('big', 'n1', 'cpu: "3"') }],
  fault: {
    manifest: placementFault('', '        resources: {requests: {cpu: "1"}}', 64),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
