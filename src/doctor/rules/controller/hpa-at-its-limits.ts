import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { autoscalers, condition, hpaExample } from './hpa-facts.ts';
import { deploymentExample } from './workloads.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const view of autoscalers(snapshot)) {
    const limited = condition(view, 'ScalingLimited', 'True', /TooManyReplicas/);
    if (limited)
      yield {
        subject: view.ref,
        says: `The autoscaler ${view.ref.name} would run more pods than its maximum of ${view.it.spec?.maxReplicas} allows: the load is above what it may answer.`,
        evidence: [limited.evidence],
        field: { object: view.ref, path: 'spec.maxReplicas' },
        remedy: {
          says: 'Raise maxReplicas if the nodes have room, or see why the load is so high.',
          commands: [`kubectl describe hpa ${view.ref.name} -n ${view.namespace}`],
        },
      };
    const zero = condition(view, 'ScalingActive', 'False', /ScalingDisabled/);
    if (zero)
      yield {
        subject: view.ref,
        says: `The autoscaler ${view.ref.name} rests, since ${view.target.kind} ${view.target.name} is scaled to zero.`,
        evidence: [zero.evidence],
        severity: 'info',
        remedy: {
          says: 'Scale it to at least one, and the autoscaler goes on.',
          commands: [
            `kubectl scale ${view.target.kind.toLowerCase()}/${view.target.name} -n ${view.namespace} --replicas=1`,
          ],
        },
      };
  }
}

export const hpaAtItsLimits: Rule = {
  id: 'hpa-at-its-limits',
  title: 'The autoscaler is at its limits',
  phase: 'controller',
  codes: ['CTL-10', 'CTL-11'],
  symptoms: ['TooManyReplicas', 'ScalingLimited', 'ScalingDisabled'],
  severity: 'warning',
  lint: 'never',
  rank: 80,
  meaning: 'It wants more pods than `maxReplicas`, or is switched off because its target stands at zero.',
  tell: 'Conditions `ScalingLimited` True (`TooManyReplicas`) or `ScalingActive` False (`ScalingDisabled`).',
  fix: 'Another maximum, or a first replica.',
  sick: [
    {
      when: 'the maximum is reached',
      yaml:
        hpaExample(
          '{type: ScalingLimited, status: "True", reason: TooManyReplicas, message: "the desired replica count is more than the maximum replica count"}',
        ) + deploymentExample(),
      says: 'maximum of 5',
    },
  ],
  healthy: [],
  check,
};
