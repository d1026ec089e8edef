import { compareQuantity, formatQuantity } from '../../../api/quantity.ts';
import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { type PendingPod, pendingClaim, pendingPods, workloadArguments } from './pending.ts';
import { amounts, most, roomsOf, zero } from './room.ts';

const ordinary = ['cpu', 'memory', 'ephemeral-storage'];

/** Planned pods count too: before apply, against the nodes of a cluster. */
function* waiting(snapshot: Snapshot): Iterable<PendingPod> {
  if (snapshot.stage === 'live') yield* pendingPods(snapshot);
  else for (const pod of snapshot.pods) yield { pod, message: '', clauses: [], evidence: [] };
}

/** The container that asks for the most of it. */
const greediest = (pod: PodFacts, resource: string) =>
  pod.containers.find((it) => it.spec.resources?.requests?.[resource] ?? it.spec.resources?.limits?.[resource]);

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (roomsOf(snapshot).size === 0) return;
  for (const it of waiting(snapshot))
    for (const resource of ordinary) {
      const wanted = amounts(it.pod)[resource] ?? zero;
      const largest = most(snapshot, resource, 'allocatable');
      if (!largest || compareQuantity(largest.amount, zero) <= 0 || compareQuantity(wanted, largest.amount) <= 0)
        continue;
      const container = greediest(it.pod, resource);
      const path = container ? `${container.path}.resources.requests.${resource}` : 'resources';
      yield pendingClaim(it, {
        says: `The pod asks for ${formatQuantity(wanted)} of ${resource}, more than any node has: the largest, ${largest.node}, offers ${formatQuantity(largest.amount)}.`,
        evidence: [
          fromSpec(it.pod.ref, `requests ${formatQuantity(wanted)} of ${resource} in all`, `spec.${path}`),
          computed(
            { kind: 'Node', name: largest.node },
            `${largest.node} has ${formatQuantity(largest.amount)} of ${resource} for pods`,
          ),
        ],
        field: fieldOf(it.pod, path),
        remedy: {
          says: `Ask for at most ${formatQuantity(largest.amount)} (less what the pods of every node take), or add a larger node.`,
          commands: [
            `kubectl set resources ${workloadArguments(it.pod)}${container ? ` -c ${container.name}` : ''} --requests=${resource}=LESS`,
            'kubectl get nodes -o custom-columns=NAME:.metadata.name,CPU:.status.allocatable.cpu,MEMORY:.status.allocatable.memory',
          ],
        },
      });
    }
}

const ask = '    resources: {requests: {cpu: "16"}}';

export const requestExceedsEveryNode: Rule = {
  id: 'request-exceeds-every-node',
  title: 'The request is larger than every node',
  phase: 'scheduling',
  codes: ['SCH-02', 'SCH-03'],
  symptoms: ['FailedScheduling', 'Insufficient cpu', 'Insufficient memory'],
  severity: 'error',
  lint: 'cluster',
  rank: 94,
  meaning:
    'Even an empty node of the largest kind would be too small. Waiting does not help, nor does removing other pods.',
  tell: "The pod's requests are above the `allocatable` of every node. `allocatable` is less than the machine has: the system and the kubelet keep a part.",
  fix: 'Lower the request (look for a slip of the unit: `1000` CPUs for `1000m`), or add nodes that are large enough.',
  sick: [
    {
      when: 'it asks for more CPUs than any node has',
      yaml: nodeExample('n1') + pendingExample(noneOf(1, '1 Insufficient cpu'), { container: ask }),
      says: '16 of cpu',
    },
    {
      when: 'a Deployment that is about to be applied asks for more than any node has',
      stage: 'manifests',
      yaml: `${nodeExample('n1')}---
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: nginx:1.27, resources: {requests: {memory: 64Gi}}}]}
`,
      says: '64Gi of memory',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault('', '        resources: {requests: {cpu: "64"}}'),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
