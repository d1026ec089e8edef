import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { deploymentExample, deploymentsOf, named, replicaSetsOf } from './workloads.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const view of deploymentsOf(snapshot)) {
    const { it, ref } = view;
    if (!it.spec?.paused) continue;
    const none = snapshot.stage === 'live' && replicaSetsOf(snapshot, view).length === 0;
    const behind = (it.status?.updatedReplicas ?? 0) < (it.spec.replicas ?? 1);
    if (snapshot.stage === 'live' && !none && !behind) continue;
    yield {
      subject: ref,
      says: `The Deployment ${ref.name} is paused: changes to it are not rolled out${none ? ', and it has made no pod at all' : ''}.`,
      evidence: [fromSpec(ref, 'paused: true', 'spec.paused')],
      field: { object: ref, path: 'spec.paused' },
      remedy: {
        says: 'Resume it.',
        commands: [`kubectl rollout resume ${named(ref)}`],
        actions: [{ kind: 'patch', target: ref, operations: [{ op: 'replace', path: '/spec/paused', value: false }] }],
        verify: `kubectl rollout status ${named(ref)}`,
      },
    };
  }
}

export const rolloutPaused: Rule = {
  id: 'rollout-paused',
  title: 'The Deployment is paused',
  phase: 'controller',
  codes: ['CTL-05'],
  symptoms: ['DeploymentPaused'],
  severity: 'warning',
  lint: 'manifest',
  rank: 90,
  meaning: '`spec.paused` keeps the controller from acting on changes of the template (scaling goes on).',
  tell: 'Condition `Progressing` with reason `DeploymentPaused`; no new ReplicaSet.',
  fix: '`kubectl rollout resume`.',
  sick: [
    {
      when: 'it is paused and behind',
      yaml: deploymentExample({
        spec: '  paused: true',
        status: ', replicas: 0, conditions: [{type: Progressing, status: Unknown, reason: DeploymentPaused}]',
      }),
      says: 'is paused',
    },
  ],
  healthy: [],
  fault: {
    manifest:
      '\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  paused: true\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: app, image: "nginx:1.27"}]}\n',
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
