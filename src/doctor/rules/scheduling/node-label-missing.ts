import { nodes } from '../../../api/generated/resources.ts';
import { computed, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { pendingClaim, pendingPods } from './pending.ts';
import { alternatives, labelKeys, showWanted, valuesOf, wantedLabels } from './wanted-labels.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  const all = snapshot.all(nodes);
  if (all.length === 0) return;
  for (const it of pendingPods(snapshot))
    for (const wanted of wantedLabels(it.pod)) {
      if (!['In', 'Exists', 'Gt', 'Lt'].includes(wanted.operator) || valuesOf(all, wanted.key).length > 0) continue;
      if (wanted.single === undefined && alternatives(it.pod) > 1) continue;
      const keys = labelKeys(all);
      const near = nearestOne(wanted.key, keys);
      const usable = near !== undefined && wanted.single !== undefined && valuesOf(all, near).includes(wanted.single);
      const change = usable
        ? editPodSpec(snapshot, it.pod, [
            { path: ['nodeSelector', wanted.key] },
            { path: ['nodeSelector', near], value: wanted.single },
          ])
        : undefined;
      const value = wanted.values[0] ?? 'true';
      yield pendingClaim(it, {
        says: `The pod wants a node with the label ${showWanted(wanted)}, and no node has a label ${wanted.key} at all${near ? ` (did you mean ${near}?)` : ''}.`,
        evidence: [
          fromSpec(it.pod.ref, showWanted(wanted), `spec.${wanted.path.join('.')}`),
          computed(it.pod.ref, `labels that nodes have: ${listed(keys, 12)}`),
        ],
        field: fieldOf(it.pod, wanted.path.join('.')),
        remedy: {
          says: `Label a node that is meant, or drop the requirement${near ? `, or write ${near}` : ''}.`,
          commands: [
            `kubectl label node ${all[0]?.metadata?.name ?? 'NODE'} ${wanted.key}=${value}`,
            'kubectl get nodes --show-labels',
          ],
          ...(change && { actions: [change] }),
        },
      });
    }
}

const mismatch = noneOf(1, "1 node(s) didn't match Pod's node affinity/selector");

export const nodeLabelMissing: Rule = {
  id: 'node-label-missing',
  title: 'No node has the label that is asked for',
  phase: 'scheduling',
  codes: ['SCH-11'],
  symptoms: ['FailedScheduling', "node(s) didn't match Pod's node affinity/selector"],
  severity: 'error',
  lint: 'cluster',
  rank: 92,
  meaning: "The pod's `nodeSelector` or required node affinity names a label key that no node carries.",
  tell: "`didn't match Pod's node affinity/selector`, and the key stands on no node. When the key is there with other values, it is the value that is wrong.",
  fix: 'Label the node that was meant, correct the key, or drop the requirement.',
  sick: [
    {
      when: 'the key is on no node',
      yaml: nodeExample('n1') + pendingExample(mismatch, { spec: '  nodeSelector: {disktype: ssd}' }),
      says: 'no node has a label disktype',
    },
    {
      when: 'the key is misspelt',
      yaml:
        nodeExample('n1', { labels: 'disktype: ssd' }) +
        pendingExample(mismatch, { spec: '  nodeSelector: {disk-typ: ssd}' }),
      says: 'did you mean disktype',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault('      nodeSelector: {kubernetes.io/osx: linux}'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
