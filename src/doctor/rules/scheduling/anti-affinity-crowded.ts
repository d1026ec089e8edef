import { nodes } from '../../../api/generated/resources.ts';
import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample, placementFault } from './example.ts';
import { pendingClaim, pendingFor, workloadArguments } from './pending.ts';
import { peersOf, showSelector } from './pod-affinity-unsatisfied.ts';
import { valuesOf } from './wanted-labels.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) didn't match pod anti-affinity rules$/)) {
    const terms = it.pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const [term] = terms;
    if (!term) continue;
    const domains = valuesOf(snapshot.all(nodes), term.topologyKey);
    const placed = peersOf(snapshot, it.pod, term).filter((peer) => peer.spec.nodeName);
    const own = placed.some(
      (peer) => peer.workload.name === it.pod.workload.name && peer.workload.kind === it.pod.workload.kind,
    );
    const path = 'affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]';
    yield pendingClaim(it, {
      says: `The pod may not share a ${term.topologyKey} with pods of ${showSelector(term)}, and all ${domains.length} of them have one${own ? ': there are more replicas than places' : ''}.`,
      evidence: [
        fromSpec(it.pod.ref, `${showSelector(term)} by ${term.topologyKey}`, `spec.${path}`),
        ...placed
          .slice(0, 6)
          .map((peer) => computed(peer.ref, `${peer.namespace}/${peer.ref.name} runs on ${peer.spec.nodeName}`)),
      ],
      field: fieldOf(it.pod, path),
      remedy: {
        says: own
          ? 'Run fewer replicas, add nodes, or make the rule a preference.'
          : 'Move the others, add nodes, or make the rule a preference.',
        commands: own
          ? [`kubectl scale ${workloadArguments(it.pod)} --replicas=${placed.length}`]
          : [`kubectl get pods -n ${it.pod.namespace} -o wide --show-labels`],
      },
    });
  }
}

const spec =
  '  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {app: web}}, topologyKey: kubernetes.io/hostname}]}}';

export const antiAffinityCrowded: Rule = {
  id: 'anti-affinity-crowded',
  title: 'More replicas than the anti-affinity has places for',
  phase: 'scheduling',
  codes: ['SCH-15'],
  symptoms: ['FailedScheduling', "node(s) didn't match pod anti-affinity rules"],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'A required anti-affinity allows one such pod for each node (or zone). The next replica has nowhere to go; a rolling update that adds a pod before it takes one away meets the same wall.',
  tell: 'Every node already runs a pod that the term selects.',
  fix: 'Fewer replicas, more nodes, `preferredDuringSchedulingIgnoredDuringExecution`, or for updates `maxSurge: 0` with `maxUnavailable: 1`.',
  sick: [
    {
      when: 'the only node has a replica',
      yaml:
        nodeExample('n1') +
        placedExample('web-1', 'n1', 'cpu: 1m', { labels: '{app: web}' }) +
        pendingExample(noneOf(1, "1 node(s) didn't match pod anti-affinity rules"), { spec, name: 'web-2' }),
      says: 'all 1 of them have one',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault(
      '      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {app: web}}, topologyKey: kubernetes.io/hostname}]}}',
      '',
      9,
    ),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
