import { poddisruptionbudgets } from '../../../api/generated/resources.ts';
import { matchesLabels, requirementsOf } from '../../../api/label-selector.ts';
import { fromSpec, fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { deploymentExample, deploymentsOf } from './workloads.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of snapshot.all(poddisruptionbudgets)) {
    const namespace = it.metadata?.namespace ?? 'default';
    const ref = { kind: 'PodDisruptionBudget', namespace, name: it.metadata?.name ?? '' };
    const { minAvailable, maxUnavailable, selector } = it.spec ?? {};
    const wanted = requirementsOf(selector);
    const guarded = [...deploymentsOf(snapshot)].filter(
      (view) => view.namespace === namespace && matchesLabels(wanted, view.it.spec?.template?.metadata?.labels),
    );
    const replicas = guarded.reduce((sum, view) => sum + (view.it.spec?.replicas ?? 1), 0);
    const never =
      maxUnavailable === 0 ||
      maxUnavailable === '0%' ||
      minAvailable === '100%' ||
      (typeof minAvailable === 'number' && replicas > 0 && minAvailable >= replicas);
    if (!never || (snapshot.stage === 'live' && (it.status?.expectedPods ?? 0) === 0)) continue;
    yield {
      subject: ref,
      says: `The budget ${ref.name} never lets a pod be evicted (${maxUnavailable !== undefined ? `maxUnavailable: ${maxUnavailable}` : `minAvailable: ${minAvailable}`}${replicas > 0 ? ` with ${replicas} replica${replicas === 1 ? '' : 's'}` : ''}): draining a node will hang.`,
      evidence: [
        fromSpec(
          ref,
          maxUnavailable !== undefined ? `maxUnavailable: ${maxUnavailable}` : `minAvailable: ${minAvailable}`,
          'spec',
        ),
        ...(it.status
          ? [
              fromStatus(
                ref,
                `disruptionsAllowed ${it.status.disruptionsAllowed}, healthy ${it.status.currentHealthy} of ${it.status.expectedPods}`,
                'disruptionsAllowed',
              ),
            ]
          : []),
      ],
      field: { object: ref, path: maxUnavailable !== undefined ? 'spec.maxUnavailable' : 'spec.minAvailable' },
      remedy: {
        says: 'Allow one to be away (maxUnavailable: 1), or run more replicas than must be available.',
        commands: [
          `kubectl patch pdb ${ref.name} -n ${namespace} --type=merge -p '{"spec":{"minAvailable":null,"maxUnavailable":1}}'`,
        ],
        verify: `kubectl get pdb ${ref.name} -n ${namespace}`,
      },
    };
  }
}

const budget = (spec: string): string =>
  `---\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {${spec}, selector: {matchLabels: {app: web}}}\n`;

export const budgetBlocksEviction: Rule = {
  id: 'budget-blocks-eviction',
  title: 'The disruption budget never allows an eviction',
  phase: 'controller',
  codes: ['CTL-14'],
  symptoms: ["Cannot evict pod as it would violate the pod's disruption budget."],
  severity: 'warning',
  lint: 'set',
  rank: 80,
  meaning:
    'A budget that equals the number of replicas forbids every voluntary disruption: drains, upgrades and autoscalers wait for ever.',
  tell: '`disruptionsAllowed: 0` while all pods are healthy.',
  fix: '`maxUnavailable: 1`, or more replicas.',
  sick: [
    {
      when: 'as many must be available as there are',
      stage: 'manifests',
      yaml: deploymentExample({ spec: '  replicas: 1' }) + budget('minAvailable: 1'),
      says: 'draining a node will hang',
    },
  ],
  healthy: [
    {
      when: 'one more runs than must',
      stage: 'manifests',
      yaml: deploymentExample({ spec: '  replicas: 2' }) + budget('minAvailable: 1'),
    },
  ],
  check,
};
