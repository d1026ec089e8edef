import type { V1PodAffinityTerm } from '../../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../../api/label-selector.ts';
import { computed, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';

/** The pods that a term speaks of. A namespace selector is taken for every namespace. */
export function peersOf(snapshot: Snapshot, pod: PodFacts, term: V1PodAffinityTerm): readonly PodFacts[] {
  const wanted = requirementsOf(term.labelSelector);
  const namespaces = term.namespaces && term.namespaces.length > 0 ? term.namespaces : [pod.namespace];
  return snapshot.pods.filter(
    (it) =>
      (term.namespaceSelector !== undefined || namespaces.includes(it.namespace)) &&
      matchesLabels(wanted, it.pod.metadata?.labels),
  );
}

/** `app=db` of a selector. */
export const showSelector = (term: V1PodAffinityTerm): string =>
  [
    ...Object.entries(term.labelSelector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(term.labelSelector?.matchExpressions ?? []).map(
      (it) => `${it.key} ${it.operator} (${(it.values ?? []).join(', ')})`,
    ),
  ].join(',') || 'every pod';

/** The nearest value that pods of the namespace have for one of the labels that are asked for. */
function suggestion(snapshot: Snapshot, pod: PodFacts, term: V1PodAffinityTerm): string | undefined {
  for (const [key, value] of Object.entries(term.labelSelector?.matchLabels ?? {})) {
    const values = snapshot
      .podsIn(pod.namespace)
      .map((it) => it.pod.metadata?.labels?.[key])
      .filter((it) => it !== undefined);
    const near = values.includes(value) ? undefined : nearestOne(value, values);
    if (near !== undefined) return `${key}=${near}`;
  }
  return undefined;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) didn't match pod affinity rules$/)) {
    const terms = it.pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [i, term] of terms.entries()) {
      const peers = peersOf(snapshot, it.pod, term).filter((peer) => peer.ref.name !== it.pod.ref.name);
      const placed = peers.filter((peer) => peer.spec.nodeName);
      if (placed.length > 0 && terms.length > 1) continue;
      const near = placed.length === 0 ? suggestion(snapshot, it.pod, term) : undefined;
      const where = [...new Set(placed.map((peer) => peer.spec.nodeName ?? ''))];
      const path = `affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
      yield pendingClaim(it, {
        says:
          placed.length === 0
            ? `The pod must stand beside a pod with ${showSelector(term)} (by ${term.topologyKey}), and ${peers.length > 0 ? 'none of those has a node yet' : 'there is none'}${near ? ` (did you mean ${near}?)` : ''}.`
            : `The pod must stand beside a pod with ${showSelector(term)} (by ${term.topologyKey}); those run on ${where.slice(0, 4).join(', ')}, where it does not fit.`,
        evidence: [
          fromSpec(it.pod.ref, `${showSelector(term)} by ${term.topologyKey}`, `spec.${path}`),
          computed(it.pod.ref, `pods that match: ${listed(peers.map((peer) => `${peer.namespace}/${peer.ref.name}`))}`),
        ],
        field: fieldOf(it.pod, path),
        because: placed.length === 0 ? peers.map((peer) => peer.ref) : [],
        remedy: {
          says:
            placed.length === 0
              ? 'Start the pods it is to stand beside, correct the selector, or make the rule a preference.'
              : `Make room on ${where[0]}, or make the rule a preference.`,
          commands: [`kubectl get pods -n ${it.pod.namespace} --show-labels`],
        },
      });
    }
  }
}

const affinity = (value: string): string =>
  `  affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {app: ${value}}}, topologyKey: kubernetes.io/hostname}]}}`;

export const podAffinityUnsatisfied: Rule = {
  id: 'pod-affinity-unsatisfied',
  title: 'The pods that it must stand beside are not there',
  phase: 'scheduling',
  codes: ['SCH-14'],
  symptoms: ['FailedScheduling', "node(s) didn't match pod affinity rules"],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'A required pod affinity ties the pod to nodes (or zones) where certain other pods already run. Without such a pod there is no place.',
  tell: 'No running pod has the labels that the term selects, in the namespaces that it names.',
  fix: 'Deploy the other pods first, correct the selector, or use `preferredDuringSchedulingIgnoredDuringExecution`.',
  sick: [
    {
      when: 'no pod has the label',
      yaml:
        nodeExample('n1') +
        pendingExample(noneOf(1, "1 node(s) didn't match pod affinity rules"), { spec: affinity('db') }),
      says: 'app=db',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault(
      '      affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {app: db}}, topologyKey: kubernetes.io/hostname}]}}',
    ),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
