import { leases } from '../../../api/generated/resources.ts';
import { computed, fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { deploymentExample, deploymentsOf } from './workloads.ts';

const staleMs = 60_000;

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'manifests') return;
  const lease = snapshot.get(leases, 'kube-controller-manager', 'kube-system');
  const renewed = lease?.spec?.renewTime;
  if (!renewed || snapshot.now - Date.parse(renewed) < staleMs) return;
  for (const { it, ref } of deploymentsOf(snapshot)) {
    if ((it.status?.observedGeneration ?? 0) >= (it.metadata?.generation ?? 0)) continue;
    yield {
      subject: ref,
      says: `Nobody acts on the change of Deployment ${ref.name}: kube-controller-manager last gave a sign of life at ${renewed}.`,
      evidence: [
        fromStatus(
          ref,
          `generation ${it.metadata?.generation}, observedGeneration ${it.status?.observedGeneration ?? 0}`,
          'observedGeneration',
        ),
        computed(
          { kind: 'Lease', namespace: 'kube-system', name: 'kube-controller-manager' },
          `renewed at ${renewed} by ${lease.spec?.holderIdentity}`,
        ),
      ],
      cause: 'controller-manager-down',
      remedy: {
        says: 'Repair kube-controller-manager on the control plane.',
        commands: [
          'kubectl get pods -n kube-system -l component=kube-controller-manager',
          'kubectl logs -n kube-system -l component=kube-controller-manager --tail=50',
        ],
      },
    };
  }
}

export const controllersDown: Rule = {
  id: 'controllers-down',
  title: 'The controllers do not work',
  phase: 'controller',
  codes: ['CTL-27'],
  symptoms: ['observedGeneration behind generation'],
  severity: 'error',
  lint: 'never',
  rank: 96,
  meaning:
    'Objects are stored, and nobody acts on them: no ReplicaSets, no pods, no endpoints. kube-controller-manager is down.',
  tell: '`status.observedGeneration` below `metadata.generation`, and a stale Lease `kube-system/kube-controller-manager`.',
  fix: 'Repair the control plane.',
  sick: [
    {
      when: 'its lease is stale',
      yaml: `${deploymentExample().replace('observedGeneration: 2', 'observedGeneration: 1')}---\nkind: Lease\nmetadata: {name: kube-controller-manager, namespace: kube-system}\nspec: {holderIdentity: cp-1, renewTime: "2026-01-01T11:40:00.000000Z"}\n`,
      says: 'last gave a sign of life',
    },
  ],
  healthy: [],
  check,
};
