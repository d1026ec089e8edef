import { matchesLabels, requirementsOf } from '../../../api/label-selector.ts';
import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';
import { showSelector } from './pod-affinity-unsatisfied.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) didn't satisfy existing pods anti-affinity rules$/)) {
    const labels = it.pod.pod.metadata?.labels;
    const against = snapshot.pods.flatMap((other) =>
      other.spec.nodeName
        ? (other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
            .filter((term) => matchesLabels(requirementsOf(term.labelSelector), labels))
            .map((term) => ({ other, term }))
        : [],
    );
    const [first] = against;
    yield pendingClaim(it, {
      says: first
        ? `Pods that already run will not have this one beside them: ${first.other.namespace}/${first.other.ref.name} excludes pods with ${showSelector(first.term)}.`
        : 'Pods that already run have an anti-affinity that excludes this one.',
      evidence: against
        .slice(0, 5)
        .map(({ other, term }) =>
          fromSpec(
            other.ref,
            `${showSelector(term)} by ${term.topologyKey}, on ${other.spec.nodeName}`,
            'spec.affinity.podAntiAffinity',
          ),
        ),
      ...(first && { cause: `neighbour/${first.other.workload.kind}/${first.other.workload.name}` }),
      remedy: {
        says: "Change this pod's labels or the other's rule, or add nodes.",
        commands: [
          `kubectl get pods -A -o json | jq -r '.items[] | select(.spec.affinity.podAntiAffinity) | .metadata.namespace + "/" + .metadata.name'`,
        ],
      },
    });
  }
}

export const neighbourAntiAffinity: Rule = {
  id: 'neighbour-anti-affinity',
  title: 'A neighbour will not have the pod beside it',
  phase: 'scheduling',
  codes: ['SCH-16'],
  symptoms: ['FailedScheduling', "node(s) didn't satisfy existing pods anti-affinity rules"],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'Anti-affinity works both ways: pods that run keep pods away which their term selects, though those have no rule of their own.',
  tell: 'The text speaks of *existing pods*. The finding names whose rule it is.',
  fix: 'Change the labels of one or the term of the other, or add nodes.',
  sick: [
    {
      when: 'a running pod excludes it',
      yaml:
        nodeExample('n1') +
        placedExample('db', 'n1', 'cpu: 1m', {
          spec: '  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {app: web}}, topologyKey: kubernetes.io/hostname}]}}',
        }) +
        pendingExample(noneOf(1, "1 node(s) didn't satisfy existing pods anti-affinity rules")),
      says: 'default/db excludes pods with app=web',
    },
  ],
  healthy: [],
  check,
};
