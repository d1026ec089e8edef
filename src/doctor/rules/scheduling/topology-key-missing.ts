import { nodes } from '../../../api/generated/resources.ts';
import { computed, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';
import { labelKeys, valuesOf } from './wanted-labels.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(
    snapshot,
    /^node\(s\) didn't match pod topology spread constraints \(missing required label\)$/,
  )) {
    const all = snapshot.all(nodes);
    const constraints = it.pod.spec.topologySpreadConstraints ?? [];
    for (const [i, constraint] of constraints.entries()) {
      const without = all.filter((node) => node.metadata?.labels?.[constraint.topologyKey] === undefined);
      if (constraint.whenUnsatisfiable !== 'DoNotSchedule' || without.length === 0) continue;
      const near =
        valuesOf(all, constraint.topologyKey).length === 0
          ? nearestOne(constraint.topologyKey, labelKeys(all))
          : undefined;
      const path = ['topologySpreadConstraints', i, 'topologyKey'];
      const change = near
        ? editPodSpec(snapshot, it.pod, [{ path, value: near, was: constraint.topologyKey }])
        : undefined;
      yield pendingClaim(it, {
        says: `The pods are to be spread over ${constraint.topologyKey}, a label that ${without.length === all.length ? 'no node has' : `${without.length} of ${all.length} nodes lack`}${near ? ` (did you mean ${near}?)` : ''}.`,
        evidence: [
          fromSpec(
            it.pod.ref,
            `topologyKey: ${constraint.topologyKey}`,
            `spec.topologySpreadConstraints[${i}].topologyKey`,
          ),
          computed(it.pod.ref, `labels that nodes have: ${listed(labelKeys(all), 12)}`),
        ],
        field: fieldOf(it.pod, `topologySpreadConstraints[${i}].topologyKey`),
        remedy: {
          says: near
            ? `Write ${near}.`
            : 'Label the nodes, or spread over a label that they have, such as kubernetes.io/hostname.',
          commands: [
            'kubectl get nodes --show-labels',
            `kubectl label node ${without[0]?.metadata?.name ?? 'NODE'} ${constraint.topologyKey}=VALUE`,
          ],
          ...(change && { actions: [change] }),
        },
      });
    }
  }
}

const spread = (key: string, indent: string): string =>
  `${indent}topologySpreadConstraints: [{maxSkew: 1, topologyKey: ${key}, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]`;

export const topologyKeyMissing: Rule = {
  id: 'topology-key-missing',
  title: 'The nodes lack the label to spread over',
  phase: 'scheduling',
  codes: ['SCH-18'],
  symptoms: ['FailedScheduling', "node(s) didn't match pod topology spread constraints (missing required label)"],
  severity: 'error',
  lint: 'cluster',
  rank: 92,
  meaning:
    'A node without the topology key is in no place at all, and a constraint with `DoNotSchedule` leaves it out.',
  tell: 'The text ends in *(missing required label)*.',
  fix: 'Correct the key (`topology.kubernetes.io/zone`, `kubernetes.io/hostname`), or label the nodes.',
  sick: [
    {
      when: 'the key is misspelt',
      yaml:
        nodeExample('n1', { labels: 'topology.kubernetes.io/zone: a' }) +
        pendingExample(noneOf(1, "1 node(s) didn't match pod topology spread constraints (missing required label)"), {
          spec: spread('topology.kubernetes.io/zones', '  '),
        }),
      says: 'did you mean topology.kubernetes.io/zone',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault(spread('kubernetes.io/hostnames', '      ')),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
