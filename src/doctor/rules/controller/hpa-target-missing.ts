import { deployments, replicasets, statefulsets } from '../../../api/generated/resources.ts';
import { fromAbsence, fromSpec, listed, namesIn } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { autoscalers, condition, hpaExample } from './hpa-facts.ts';
import { deploymentExample } from './workloads.ts';

const known = { Deployment: deployments, StatefulSet: statefulsets, ReplicaSet: replicasets } as const;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const view of autoscalers(snapshot)) {
    const resource = known[view.target.kind as keyof typeof known];
    const said = condition(view, 'AbleToScale', 'False', /FailedGetScale/);
    const absent = resource && snapshot.lacks(resource, view.target.name, view.namespace);
    if (!absent && !(said && !resource)) continue;
    if (snapshot.stage === 'manifests' && namesIn(snapshot, resource ?? deployments, view.namespace).length === 0)
      continue;
    const names = resource ? namesIn(snapshot, resource, view.namespace) : [];
    const near = nearestOne(view.target.name, names);
    yield {
      subject: view.ref,
      says: `The autoscaler ${view.ref.name} is to scale ${view.target.kind} ${view.target.name}, which does not exist${near ? ` (did you mean ${near}?)` : ''}.`,
      evidence: [
        ...(said ? [said.evidence] : []),
        fromSpec(view.ref, `scaleTargetRef: ${view.target.kind}/${view.target.name}`, 'spec.scaleTargetRef'),
        fromAbsence(view.target, listed(names)),
      ],
      field: { object: view.ref, path: 'spec.scaleTargetRef.name' },
      remedy: {
        says: near ? `Write ${near}.` : 'Correct the name (or kind and apiVersion), or create it.',
        commands: [`kubectl get ${view.target.kind.toLowerCase()}s -n ${view.namespace}`],
        ...(near && {
          actions: [
            {
              kind: 'patch' as const,
              target: view.ref,
              operations: [{ op: 'replace' as const, path: '/spec/scaleTargetRef/name', value: near }],
            },
          ],
        }),
        verify: `kubectl describe hpa ${view.ref.name} -n ${view.namespace}`,
      },
    };
  }
}

export const hpaTargetMissing: Rule = {
  id: 'hpa-target-missing',
  title: 'The autoscaler has nothing to scale',
  phase: 'controller',
  codes: ['CTL-09'],
  symptoms: ['FailedGetScale'],
  severity: 'error',
  lint: 'set',
  rank: 92,
  meaning: '`scaleTargetRef` names a workload that is not in the namespace.',
  tell: "Condition `AbleToScale` False, `FailedGetScale`: *the HPA controller was unable to get the target's current scale: … not found*.",
  fix: 'Correct kind, name and apiVersion.',
  sick: [
    {
      when: 'the target has another name',
      yaml:
        hpaExample(
          '{type: AbleToScale, status: "False", reason: FailedGetScale, message: "the HPA controller was unable to get the target\'s current scale: deployments.apps \\"web\\" not found"}',
        ) + deploymentExample({ name: 'webb' }),
      says: 'did you mean webb',
    },
  ],
  healthy: [],
  fault: {
    manifest:
      '\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: webb}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: app, image: "nginx:1.27", resources: {requests: {cpu: 10m}}}]}\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 2, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}\n',
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
