import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimExample, claimsOf, mounting } from './claims.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { pendingClaim, pendingPods } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingPods(snapshot))
    for (const { claim, name, ref } of claimsOf(snapshot, it.pod)) {
      const since = claim?.metadata?.deletionTimestamp;
      if (!since) continue;
      const users = snapshot
        .podsIn(it.pod.namespace)
        .filter(
          (other) =>
            other !== it.pod && other.spec.nodeName && claimsOf(snapshot, other).some((use) => use.name === name),
        );
      yield pendingClaim(it, {
        says: `The claim ${name} is being deleted since ${since}${users.length > 0 ? `; ${users[0]?.ref.name} still uses it` : ''}, and a new pod may not mount it.`,
        evidence: [
          computed(
            ref,
            `deletionTimestamp ${since}, finalizers: ${(claim.metadata?.finalizers ?? []).join(', ') || 'none'}`,
          ),
        ],
        cause: `${it.pod.namespace}/${name}`,
        remedy: {
          says:
            users.length > 0
              ? `End ${users[0]?.ref.name}, then create the claim anew. Its data go with it.`
              : 'Create the claim anew once it is gone.',
          commands: [
            `kubectl get pvc ${name} -n ${it.pod.namespace} -o yaml`,
            ...users.slice(0, 1).map((user) => `kubectl delete pod ${user.ref.name} -n ${it.pod.namespace}`),
          ],
        },
      });
    }
}

export const claimTerminating: Rule = {
  id: 'claim-terminating',
  title: 'The volume claim is being deleted',
  phase: 'scheduling',
  codes: ['SCH-22'],
  symptoms: ['FailedScheduling', 'persistentvolumeclaim "…" is being deleted'],
  severity: 'error',
  lint: 'never',
  rank: 93,
  meaning:
    'Somebody deleted the claim while a pod used it. The finalizer `kubernetes.io/pvc-protection` keeps it until that pod is gone; meanwhile no other pod may have it.',
  tell: 'The claim has a `deletionTimestamp`.',
  fix: 'End the pod that holds it and create the claim anew; where the data matter, keep its volume first (`persistentVolumeReclaimPolicy: Retain`).',
  sick: [
    {
      when: 'the claim has a deletionTimestamp',
      yaml:
        nodeExample('n1') +
        claimExample('data', {
          status: 'phase: Bound',
          spec: ', volumeName: pv1',
          meta: ', deletionTimestamp: "2026-01-01T11:55:00Z", finalizers: [kubernetes.io/pvc-protection]',
        }) +
        pendingExample(noneOf(1, 'persistentvolumeclaim "data" is being deleted'), { spec: mounting('data') }),
      says: 'claim data is being deleted',
    },
  ],
  healthy: [],
  check,
};
