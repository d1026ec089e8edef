import { fromCondition, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const gates = (pod.spec.schedulingGates ?? []).map((it) => it.name);
    if (pod.planned || pod.spec.nodeName || gates.length === 0) continue;
    const condition = pod.pod.status?.conditions?.find((it) => it.type === 'PodScheduled');
    yield {
      subject: pod.ref,
      says: `The pod is held back on purpose: it is not scheduled until ${gates.join(', ')} ${gates.length === 1 ? 'is' : 'are'} taken off.`,
      evidence: [
        fromSpec(pod.ref, `schedulingGates: ${gates.join(', ')}`, 'spec.schedulingGates'),
        ...(condition?.message ? [fromCondition(pod.ref, 'PodScheduled', condition.message)] : []),
      ],
      cause: `gates/${gates.join(',')}`,
      remedy: {
        says: 'See whether the controller that set the gate runs (a queue such as Kueue, a quota, a custom operator); it removes the gate when the time has come.',
        commands: [`kubectl get pod ${pod.ref.name} -n ${pod.namespace} -o jsonpath='{.spec.schedulingGates}'`],
      },
    };
  }
}

export const schedulingGated: Rule = {
  id: 'scheduling-gated',
  title: 'The pod is held back by a scheduling gate',
  phase: 'scheduling',
  codes: ['SCH-32'],
  symptoms: ['SchedulingGated'],
  severity: 'info',
  lint: 'never',
  rank: 90,
  meaning: 'A scheduling gate is a wish: whoever set it wants the pod to wait. It is no failure by itself.',
  tell: 'Status `SchedulingGated`; `spec.schedulingGates` names the gate.',
  fix: 'Wait, or repair the controller that owns the gate.',
  sick: [
    {
      when: 'a gate is set',
      yaml: '\nkind: Pod\nmetadata: {name: job}\nspec: {schedulingGates: [{name: kueue.x-k8s.io/admission}], containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: SchedulingGated, message: "Scheduling is blocked due to non-empty scheduling gates"}]}\n',
      says: 'kueue.x-k8s.io/admission',
    },
  ],
  healthy: [],
  fault: {
    manifest:
      '\napiVersion: v1\nkind: Pod\nmetadata: {name: gated}\nspec: {schedulingGates: [{name: example.com/wait}], containers: [{name: app, image: nginx:1.27}]}\n',
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
