import { matchesLabels, requirementsOf } from '../../../api/label-selector.ts';
import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { deploymentExample, deploymentsOf } from './workloads.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  const all = [...deploymentsOf(snapshot)];
  for (const [i, a] of all.entries())
    for (const b of all.slice(i + 1)) {
      if (a.namespace !== b.namespace) continue;
      const both =
        matchesLabels(requirementsOf(a.it.spec?.selector), b.it.spec?.template?.metadata?.labels) &&
        matchesLabels(requirementsOf(b.it.spec?.selector), a.it.spec?.template?.metadata?.labels);
      if (!both) continue;
      yield {
        subject: a.ref,
        says: `The Deployments ${a.ref.name} and ${b.ref.name} select the same pods: each may count, adopt and delete those of the other, and Services meant for one reach both.`,
        evidence: [a, b].map((it) =>
          fromSpec(it.ref, `selector: ${JSON.stringify(it.it.spec?.selector?.matchLabels ?? {})}`, 'spec.selector'),
        ),
        cause: `${a.namespace}/${a.ref.name}+${b.ref.name}`,
        field: { object: b.ref, path: 'spec.selector' },
        remedy: {
          says: 'Give each a label of its own in selector and template (a selector cannot be changed: make one anew).',
          commands: [`kubectl get deployments -n ${a.namespace} -o wide`],
        },
      };
    }
}

export const selectorsOverlap: Rule = {
  id: 'selectors-overlap',
  title: 'Two Deployments select the same pods',
  phase: 'controller',
  codes: ['CTL-24'],
  symptoms: ['replicas flap'],
  severity: 'warning',
  lint: 'set',
  rank: 80,
  meaning: 'Selectors must tell workloads apart. Two that overlap fight, or mix their traffic.',
  tell: 'The selector of each matches the template of the other.',
  fix: 'Unique labels (`app.kubernetes.io/instance`).',
  sick: [
    {
      when: 'both select app=web',
      yaml: deploymentExample({ name: 'a' }) + deploymentExample({ name: 'b' }),
      says: 'select the same pods',
    },
  ],
  healthy: [
    {
      when: 'their labels differ',
      yaml: deploymentExample({ name: 'a' }) + deploymentExample({ name: 'b', labels: '{app: other}' }),
    },
  ],
  check,
};
