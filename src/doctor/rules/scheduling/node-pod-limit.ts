import { compareQuantity, formatQuantity, quantityOf } from '../../../api/quantity.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';
import { roomsOf } from './room.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^Too many pods$/)) {
    const full = [...roomsOf(snapshot).values()].filter((room) => {
      const limit = room.allocatable['pods'];
      return limit && compareQuantity(quantityOf(room.pods + 1), limit) > 0;
    });
    yield pendingClaim(it, {
      says: `${full.length === 1 ? 'The node' : 'Nodes'} ${
        full
          .slice(0, 4)
          .map((room) => room.node)
          .join(', ') || 'of this cluster'
      } may not run another pod: the limit of pods for each node is reached.`,
      evidence: full
        .slice(0, 8)
        .map((room) =>
          computed(
            { kind: 'Node', name: room.node },
            `${room.node}: ${room.pods} pods of at most ${formatQuantity(room.allocatable['pods'] ?? quantityOf(0))}`,
          ),
        ),
      cause: 'pods',
      remedy: {
        says: "Add a node, remove pods that are not needed, or raise the kubelet's maxPods where the network has addresses for more.",
        commands: [
          'kubectl get nodes -o custom-columns=NAME:.metadata.name,PODS:.status.allocatable.pods',
          'kubectl get pods -A -o wide --sort-by=.spec.nodeName',
        ],
      },
    });
  }
}

export const nodePodLimit: Rule = {
  id: 'node-pod-limit',
  title: 'The nodes may not run more pods',
  phase: 'scheduling',
  codes: ['SCH-07'],
  symptoms: ['FailedScheduling', 'Too many pods'],
  severity: 'error',
  lint: 'cluster',
  rank: 88,
  meaning:
    'A kubelet takes a limited number of pods (110 unless told otherwise; on some clouds as many as the machine has addresses), however much CPU and memory are left.',
  tell: '`Too many pods`; the pods on the node are as many as its `status.allocatable.pods`.',
  fix: 'More nodes, fewer pods, or a higher `maxPods`.',
  sick: [
    {
      when: 'the node has all the pods it may have',
      yaml:
        nodeExample('n1', { allocatable: 'cpu: "4", memory: 8Gi, pods: "1"' }) +
        placedExample('a', 'n1', 'cpu: 1m') +
        pendingExample(noneOf(1, '1 Too many pods')),
      says: 'n1 may not run another pod',
    },
  ],
  healthy: [],
  check,
};
