import { eventOf, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample } from './example.ts';
import { pendingPods } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingPods(snapshot)) {
    const event = eventOf(snapshot, it.pod, ['NotTriggerScaleUp']);
    if (!event) continue;
    const reasons = /^pod didn't trigger scale-up:? ?(.*)$/.exec(event.message ?? '')?.[1] ?? '';
    yield {
      subject: it.pod.ref,
      says: `The cluster autoscaler cannot add a node for this pod${reasons ? `: ${reasons}` : ''}.`,
      evidence: [fromEvent(event), ...it.evidence],
      severity: 'warning',
      cause: `autoscaler/${reasons}`,
      // What keeps the pod from the present nodes is the better answer where one is known.
      rank: 30,
      remedy: {
        says: /max node group size reached/.test(reasons)
          ? 'Raise the largest size of the node group.'
          : 'Make the pod fit a node group (labels, taints, sizes), or add one that fits.',
        commands: [
          'kubectl get configmap cluster-autoscaler-status -n kube-system -o yaml',
          `kubectl describe pod ${it.pod.ref.name} -n ${it.pod.namespace}`,
        ],
      },
    };
  }
}

export const autoscalerCannotHelp: Rule = {
  id: 'autoscaler-cannot-help',
  title: 'The cluster autoscaler cannot add a node for it',
  phase: 'scheduling',
  codes: ['SCH-38'],
  symptoms: ['NotTriggerScaleUp'],
  severity: 'warning',
  lint: 'never',
  rank: 30,
  meaning:
    'The autoscaler tried each node group in thought, and the pod would not run on a new node of any of them, or the groups may not grow.',
  tell: 'The event `NotTriggerScaleUp` lists a reason for each group.',
  fix: 'Raise the limits of a group, or relax what keeps the pod from its nodes.',
  sick: [
    {
      when: 'the group has its largest size',
      yaml:
        nodeExample('n1') +
        placedExample('x', 'n1', 'cpu: 1m') +
        pendingExample(noneOf(1, '1 node(s) had some reason of a plugin')) +
        '---\nkind: Event\non: Pod/web\nreason: NotTriggerScaleUp\ntype: Normal\nmessage: "pod didn\'t trigger scale-up: 1 max node group size reached"\n',
      says: 'max node group size reached',
    },
  ],
  healthy: [],
  check,
};
