import { fromCondition } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const gates = (pod.spec.readinessGates ?? []).map((it) => it.conditionType);
    const conditions = pod.pod.status?.conditions ?? [];
    const ready = conditions.find((it) => it.type === 'Ready');
    if (
      gates.length === 0 ||
      ready?.status === 'True' ||
      !conditions.some((it) => it.type === 'ContainersReady' && it.status === 'True')
    )
      continue;
    const open = gates.filter((gate) => !conditions.some((it) => it.type === gate && it.status === 'True'));
    if (open.length === 0) continue;
    yield {
      subject: pod.ref,
      says: `All containers are ready, but the pod is not: its readiness gate ${open.join(', ')} ${conditions.some((it) => open.includes(it.type)) ? 'is not True' : 'has not been set by anybody'}.`,
      evidence: [fromCondition(pod.ref, 'Ready', ready?.message ?? 'Ready is False')],
      cause: `gate/${open.join(',')}`,
      remedy: {
        says: 'Look at the controller that sets this condition (a load balancer controller, a mesh).',
        commands: [`kubectl get pod ${pod.ref.name} -n ${pod.namespace} -o jsonpath='{.status.conditions}'`],
      },
    };
  }
}

export const readinessGateUnset: Rule = {
  id: 'readiness-gate-unset',
  title: 'A readiness gate is not met',
  phase: 'probe',
  codes: ['PRB-17'],
  symptoms: ['ReadinessGatesNotReady'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'With readiness gates, somebody else has a say in when the pod is ready: a controller sets a condition on it. It has not.',
  tell: '`ContainersReady` is True and `Ready` False with reason `ReadinessGatesNotReady`.',
  fix: 'Repair the controller; or remove the gate.',
  sick: [
    {
      when: 'nobody sets the condition',
      yaml: '\nkind: Pod\nmetadata: {name: web}\nspec: {nodeName: n1, readinessGates: [{conditionType: target-health.example.com/lb}], containers: [{name: app, image: nginx:1.27}]}\nstatus:\n  phase: Running\n  conditions:\n  - {type: ContainersReady, status: "True"}\n  - {type: Ready, status: "False", reason: ReadinessGatesNotReady, message: "corresponding condition of pod readiness gate \\"target-health.example.com/lb\\" does not exist."}\n  containerStatuses: [{name: app, image: nginx:1.27, ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:50:00Z"}}}]\n',
      says: 'has not been set by anybody',
    },
  ],
  healthy: [],
  fault: {
    manifest:
      '\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {readinessGates: [{conditionType: example.com/ready}], containers: [{name: app, image: nginx:1.27}]}\n',
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
