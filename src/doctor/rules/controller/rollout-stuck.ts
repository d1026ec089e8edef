import { fromCondition } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { deploymentExample, deploymentsOf, named } from './workloads.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { it, ref } of deploymentsOf(snapshot)) {
    const condition = it.status?.conditions?.find(
      (c) => c.type === 'Progressing' && c.status === 'False' && c.reason === 'ProgressDeadlineExceeded',
    );
    if (!condition) continue;
    const pods = snapshot.podsOf(ref);
    yield {
      subject: ref,
      says: `The rollout of Deployment ${ref.name} has not come forward for ${it.spec?.progressDeadlineSeconds ?? 600} s: ${it.status?.availableReplicas ?? 0} of ${it.spec?.replicas ?? 1} pods are available.`,
      evidence: [fromCondition(ref, 'Progressing', condition.message ?? 'ProgressDeadlineExceeded')],
      because: pods.map((pod) => pod.ref),
      rank: 5,
      remedy: {
        says: 'See what is wrong with its new pods; or go back.',
        commands: [`kubectl rollout undo ${named(ref)}`],
        verify: `kubectl rollout status ${named(ref)}`,
      },
    };
  }
}

export const rolloutStuck: Rule = {
  id: 'rollout-stuck',
  title: 'The rollout does not come forward',
  phase: 'controller',
  codes: ['CTL-02'],
  symptoms: ['ProgressDeadlineExceeded'],
  severity: 'error',
  lint: 'never',
  rank: 5,
  meaning:
    'No new pod became available within `progressDeadlineSeconds`. That is a consequence: the cause is with the pods.',
  tell: 'Condition `Progressing` False, `ProgressDeadlineExceeded`. Look at the pods of the newest ReplicaSet.',
  fix: 'Repair the pods, or `kubectl rollout undo`.',
  sick: [
    {
      when: 'the deadline of the rollout passed',
      yaml: deploymentExample({
        status:
          ', replicas: 1, unavailableReplicas: 1, conditions: [{type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: \'ReplicaSet "web-1" has timed out progressing.\'}]',
      }),
      says: 'has not come forward',
    },
  ],
  healthy: [],
  check,
};
