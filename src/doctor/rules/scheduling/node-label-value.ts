import { nodes } from '../../../api/generated/resources.ts';
import { computed, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { pendingClaim, pendingPods } from './pending.ts';
import { alternatives, showWanted, valuesOf, wantedLabels } from './wanted-labels.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  const all = snapshot.all(nodes);
  for (const it of pendingPods(snapshot))
    for (const wanted of wantedLabels(it.pod)) {
      const values = valuesOf(all, wanted.key);
      if (wanted.operator !== 'In' || values.length === 0 || wanted.values.some((value) => values.includes(value)))
        continue;
      if (wanted.single === undefined && alternatives(it.pod) > 1) continue;
      const asked = wanted.values[0] ?? '';
      const near = nearestOne(asked, values) ?? (values.length === 1 ? values[0] : undefined);
      const path = wanted.single === undefined ? [...wanted.path, 'values', 0] : wanted.path;
      const obvious = near !== undefined && (values.length === 1 || nearestOne(asked, values) !== undefined);
      const change = obvious ? editPodSpec(snapshot, it.pod, [{ path, value: near, was: asked }]) : undefined;
      yield pendingClaim(it, {
        says: `The pod wants a node with ${showWanted(wanted)}, but nodes have ${wanted.key} only as ${values.slice(0, 5).join(', ')}${near && values.length > 1 ? ` (did you mean ${near}?)` : ''}.`,
        evidence: [
          fromSpec(it.pod.ref, showWanted(wanted), `spec.${wanted.path.join('.')}`),
          computed(it.pod.ref, `values of ${wanted.key} on nodes: ${listed(values)}`),
        ],
        field: fieldOf(it.pod, wanted.path.join('.')),
        remedy: {
          says: near
            ? `Ask for ${wanted.key}=${near}, or label or add a node with ${asked}.`
            : `Use a value that a node has, or label a node.`,
          commands: [
            `kubectl get nodes -L ${wanted.key}`,
            `kubectl label node ${all[0]?.metadata?.name ?? 'NODE'} ${wanted.key}=${asked} --overwrite`,
          ],
          ...(change && { actions: [change] }),
        },
      });
    }
}

const mismatch = noneOf(2, "2 node(s) didn't match Pod's node affinity/selector");
const two = nodeExample('n1', { labels: 'disktype: ssd' }) + nodeExample('n2', { labels: 'disktype: hdd' });

export const nodeLabelValue: Rule = {
  id: 'node-label-value',
  title: 'Nodes have that label with other values',
  phase: 'scheduling',
  codes: ['SCH-12'],
  symptoms: ['FailedScheduling', "node(s) didn't match Pod's node affinity/selector"],
  severity: 'error',
  lint: 'cluster',
  rank: 92,
  meaning:
    'The label key that the pod asks for is on nodes, but never with a value that it accepts: a slip, another architecture or system, a zone or instance type that is gone.',
  tell: 'Compare the values: `kubectl get nodes -L KEY`.',
  fix: 'Ask for a value that exists, or bring a node that has it.',
  sick: [
    {
      when: 'the value is misspelt',
      yaml: two + pendingExample(mismatch, { spec: '  nodeSelector: {disktype: ssdd}' }),
      says: 'did you mean ssd',
    },
    {
      when: 'the affinity asks for another architecture',
      yaml: `${two}${pendingExample(mismatch, { spec: '  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [arm64]}]}]}}}' })}`,
      says: 'kubernetes.io/arch only as amd64',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault('      nodeSelector: {kubernetes.io/os: linus}'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
