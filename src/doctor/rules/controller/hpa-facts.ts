import { horizontalpodautoscalers } from '../../../api/generated/resources.ts';
import type { V2HorizontalPodAutoscaler, V2HorizontalPodAutoscalerCondition } from '../../../api/generated/types.ts';
import { fromCondition } from '../../evidence.ts';
import type { Evidence } from '../../finding.ts';
import type { Reference } from '../../reference.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

export interface Autoscaler {
  readonly it: V2HorizontalPodAutoscaler;
  readonly ref: Reference;
  readonly namespace: string;
  readonly target: Reference;
}

export function* autoscalers(snapshot: Snapshot): Iterable<Autoscaler> {
  for (const it of snapshot.all(horizontalpodautoscalers)) {
    const namespace = it.metadata?.namespace ?? 'default';
    const { kind = '', name = '' } = it.spec?.scaleTargetRef ?? {};
    yield {
      it,
      namespace,
      ref: { kind: 'HorizontalPodAutoscaler', namespace, name: it.metadata?.name ?? '' },
      target: { kind, namespace, name },
    };
  }
}

/** A condition of an autoscaler with this status and one of these reasons. */
export function condition(
  { it, ref }: Autoscaler,
  type: string,
  status: string,
  reasons?: RegExp,
): { readonly it: V2HorizontalPodAutoscalerCondition; readonly evidence: Evidence } | undefined {
  const found = it.status?.conditions?.find(
    (c) => c.type === type && c.status === status && (!reasons || reasons.test(c.reason ?? '')),
  );
  return found && { it: found, evidence: fromCondition(ref, type, `${found.reason}: ${found.message ?? ''}`) };
}

export const hpaExample = (conditions: string, more = 'maxReplicas: 5, minReplicas: 1'): string => `
---
kind: HorizontalPodAutoscaler
apiVersion: autoscaling/v2
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, ${more}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}
status: {currentReplicas: 5, desiredReplicas: 5, conditions: [${conditions}]}
`;
