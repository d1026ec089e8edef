import { deployments, replicasets } from '../../../api/generated/resources.ts';
import type { V1Deployment, V1ReplicaSet } from '../../../api/generated/types.ts';
import type { Reference } from '../../reference.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

export interface DeploymentView {
  readonly it: V1Deployment;
  readonly ref: Reference;
  readonly namespace: string;
}

export function* deploymentsOf(snapshot: Snapshot): Iterable<DeploymentView> {
  for (const it of snapshot.all(deployments)) {
    const namespace = it.metadata?.namespace ?? 'default';
    yield { it, namespace, ref: { kind: 'Deployment', namespace, name: it.metadata?.name ?? '' } };
  }
}

/** Its ReplicaSets, newest revision first. */
export function replicaSetsOf(snapshot: Snapshot, { ref, namespace }: DeploymentView): readonly V1ReplicaSet[] {
  const revision = (it: V1ReplicaSet): number =>
    Number(it.metadata?.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  return snapshot
    .in(replicasets, namespace)
    .filter((it) =>
      it.metadata?.ownerReferences?.some((owner) => owner.kind === 'Deployment' && owner.name === ref.name),
    )
    .sort((a, b) => revision(b) - revision(a));
}

/** `deployment/web -n shop`. */
export const named = ({ kind, name, namespace }: Reference): string =>
  `${kind.toLowerCase()}/${name}${namespace ? ` -n ${namespace}` : ''}`;

export const deploymentExample = (
  more: {
    readonly spec?: string;
    readonly status?: string;
    readonly meta?: string;
    readonly name?: string;
    readonly labels?: string;
  } = {},
): string => `
---
kind: Deployment
metadata: {name: ${more.name ?? 'web'}, generation: 2${more.meta ?? ''}}
spec:
  selector: {matchLabels: ${more.labels ?? '{app: web}'}}
  template:
    metadata: {labels: ${more.labels ?? '{app: web}'}}
    spec: {containers: [{name: app, image: nginx:1.27}]}
${more.spec ?? ''}
status: {observedGeneration: 2${more.status ?? ''}}
`;
