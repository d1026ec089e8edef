import { nodes } from '../../../api/generated/resources.ts';
import { matchesLabels, requirementsOf } from '../../../api/label-selector.ts';
import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';
import { valuesOf } from './wanted-labels.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) didn't match pod topology spread constraints$/)) {
    const constraints = it.pod.spec.topologySpreadConstraints ?? [];
    const index = constraints.findIndex((c) => c.whenUnsatisfiable === 'DoNotSchedule');
    const constraint = constraints[index];
    if (!constraint) continue;
    const all = snapshot.all(nodes);
    const wanted = requirementsOf(constraint.labelSelector);
    const domainOf = new Map(all.map((node) => [node.metadata?.name, node.metadata?.labels?.[constraint.topologyKey]]));
    const counts = new Map(valuesOf(all, constraint.topologyKey).map((domain) => [domain, 0]));
    for (const other of snapshot.podsIn(it.pod.namespace)) {
      const domain = domainOf.get(other.spec.nodeName);
      if (domain !== undefined && matchesLabels(wanted, other.pod.metadata?.labels))
        counts.set(domain, (counts.get(domain) ?? 0) + 1);
    }
    const least = Math.min(...counts.values());
    const open = [...counts].filter(([, n]) => n + 1 - least <= constraint.maxSkew).map(([domain]) => domain);
    const path = ['topologySpreadConstraints', index, 'whenUnsatisfiable'];
    const change = editPodSpec(snapshot, it.pod, [{ path, value: 'ScheduleAnyway', was: 'DoNotSchedule' }]);
    yield pendingClaim(it, {
      says: `The pods must be spread over ${constraint.topologyKey} with a skew of at most ${constraint.maxSkew}; only ${open.slice(0, 3).join(', ') || 'none of the places'} may take the next one, and ${open.length === 1 ? 'it' : 'they'} cannot.`,
      evidence: [
        fromSpec(
          it.pod.ref,
          `maxSkew: ${constraint.maxSkew}, topologyKey: ${constraint.topologyKey}, whenUnsatisfiable: DoNotSchedule`,
          `spec.topologySpreadConstraints[${index}]`,
        ),
        computed(it.pod.ref, `pods of this kind: ${[...counts].map(([domain, n]) => `${domain} ${n}`).join(', ')}`),
      ],
      field: fieldOf(it.pod, `topologySpreadConstraints[${index}]`),
      remedy: {
        says: `Make room in ${open[0] ?? 'the emptier places'}, allow a larger skew, or make the constraint a preference (ScheduleAnyway).`,
        commands: [`kubectl get nodes -L ${constraint.topologyKey}`, `kubectl get pods -n ${it.pod.namespace} -o wide`],
        ...(change && { actions: [change] }),
      },
    });
  }
}

const spread =
  '  topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]';

export const topologySpread: Rule = {
  id: 'topology-spread',
  title: 'The pods cannot be spread as evenly as they must',
  phase: 'scheduling',
  codes: ['SCH-17'],
  symptoms: ['FailedScheduling', "node(s) didn't match pod topology spread constraints"],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'A spread constraint with `DoNotSchedule` bounds how many more pods one zone (or node) may have than the emptiest. The emptiest cannot take one, so nobody may.',
  tell: 'Count the pods for each value of the topology key: those places that are still allowed are full, tainted or cordoned.',
  fix: 'Repair or enlarge the place with the fewest pods, raise `maxSkew`, or use `ScheduleAnyway`.',
  sick: [
    {
      when: 'the emptier zone is closed',
      yaml:
        nodeExample('n1', { labels: 'zone: a' }) +
        nodeExample('n2', { labels: 'zone: b', unschedulable: true }) +
        placedExample('web-1', 'n1', 'cpu: 1m', { labels: '{app: web}' }) +
        pendingExample(
          noneOf(2, "1 node(s) didn't match pod topology spread constraints", '1 node(s) were unschedulable'),
          { spec: spread, name: 'web-2' },
        ),
      says: 'only b may take the next one',
      also: ['nodes-cordoned'],
    },
  ],
  healthy: [],
  check,
};
