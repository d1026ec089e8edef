import { leases } from '../../../api/generated/resources.ts';
import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

const usual = 'default-scheduler';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const name = pod.spec.schedulerName ?? usual;
    const decided = pod.spec.nodeName || pod.pod.status?.conditions?.some((it) => it.type === 'PodScheduled');
    if (name === usual || decided || (pod.spec.schedulingGates ?? []).length > 0) continue;
    const known =
      snapshot.all(leases).some((it) => it.metadata?.name === name) ||
      snapshot.pods.some((it) => it.spec.nodeName && it.spec.schedulerName === name);
    if (known) continue;
    const change = editPodSpec(snapshot, pod, [{ path: ['schedulerName'], value: usual, was: name }]);
    yield {
      subject: pod.ref,
      says: `The pod asks for the scheduler ${name}, and nothing of that name has ever placed a pod here: nobody looks at it.`,
      evidence: [
        fromSpec(pod.ref, `schedulerName: ${name}`, 'spec.schedulerName'),
        ...(pod.planned ? [] : [computed(pod.ref, 'the pod has neither a PodScheduled condition nor an event')]),
      ],
      certainty: 'likely',
      cause: `scheduler/${name}`,
      field: fieldOf(pod, 'schedulerName'),
      remedy: {
        says: `Install that scheduler, or let ${usual} place the pod.`,
        commands: ['kubectl get pods -n kube-system', 'kubectl get leases -A'],
        ...(change && { actions: [change] }),
        verify: watchCommand(pod),
      },
    };
  }
}

const pod =
  '\nkind: Pod\nmetadata: {name: web}\nspec: {schedulerName: volcano, containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Pending}\n';

export const schedulerUnknown: Rule = {
  id: 'scheduler-unknown',
  title: 'Nobody answers to the schedulerName',
  phase: 'scheduling',
  codes: ['SCH-33'],
  symptoms: ['Pending', 'no events'],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'A pod is placed only by the scheduler it names. If none of that name runs, the pod stays Pending without a word: no condition, no event.',
  tell: 'Pending, no `PodScheduled` condition, no event, and `spec.schedulerName` is not `default-scheduler`.',
  fix: 'Correct or remove `schedulerName`, or install the scheduler.',
  sick: [{ when: 'nothing of that name runs', yaml: pod, says: 'the scheduler volcano' }],
  healthy: [],
  fault: {
    manifest:
      '\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {schedulerName: my-scheduler, containers: [{name: app, image: nginx:1.27}]}\n',
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
