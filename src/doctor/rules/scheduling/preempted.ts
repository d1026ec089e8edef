import { eventOf, fromCondition, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const condition = pod.pod.status?.conditions?.find(
      (it) => it.type === 'DisruptionTarget' && it.status === 'True' && it.reason === 'PreemptionByScheduler',
    );
    const event = eventOf(snapshot, pod, ['Preempted']);
    if (!condition && !event) continue;
    yield {
      subject: pod.ref,
      says: `A pod of higher priority took the place of this one on ${pod.spec.nodeName ?? 'its node'} (its own priority is ${pod.spec.priority ?? 0}).`,
      evidence: [
        ...(condition
          ? [fromCondition(pod.ref, 'DisruptionTarget', condition.message ?? 'PreemptionByScheduler')]
          : []),
        ...(event ? [fromEvent(event)] : []),
      ],
      remedy: {
        says: 'Give the workload a PriorityClass that is high enough, or add room.',
        commands: [
          'kubectl get priorityclasses',
          'kubectl get pods -A -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name,PRIORITY:.spec.priority --sort-by=.spec.priority',
        ],
      },
    };
  }
}

export const preempted: Rule = {
  id: 'preempted',
  title: 'A pod of higher priority took its place',
  phase: 'scheduling',
  codes: ['SCH-37'],
  symptoms: ['Preempted', 'PreemptionByScheduler'],
  severity: 'warning',
  lint: 'never',
  rank: 93,
  meaning:
    'When a pod of higher priority finds no room, the scheduler ends pods of lower priority to make some. Their controller makes new ones, which may find no place.',
  tell: 'Condition `DisruptionTarget` with reason `PreemptionByScheduler`, or the event `Preempted`.',
  fix: 'A higher priority for what matters, or more room.',
  sick: [
    {
      when: 'the scheduler preempted it',
      yaml: '\nkind: Pod\nmetadata: {name: low, deletionTimestamp: "2026-01-01T11:59:40Z"}\nspec: {nodeName: n1, priority: 0, containers: [{name: app, image: nginx:1.27}]}\nstatus:\n  phase: Running\n  conditions: [{type: DisruptionTarget, status: "True", reason: PreemptionByScheduler, message: "default-scheduler: preempting to accommodate a higher priority pod"}]\n',
      says: 'higher priority',
    },
  ],
  healthy: [],
  check,
};
