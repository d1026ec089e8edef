import type { V2HorizontalPodAutoscaler, V2HPAScalingRules } from '../../api/generated/types.ts';
import type { Loose } from '../draft.ts';

type Rules = Loose<V2HPAScalingRules>;

function fillRules(rules: Rules | undefined, defaults: Rules): Rules {
  return { ...defaults, ...rules };
}

/** Defaults of an autoscaler in autoscaling/v2. */
export function defaultAutoscaler(autoscaler: Loose<V2HorizontalPodAutoscaler>): void {
  autoscaler.spec ??= {};
  autoscaler.status ??= {};
  autoscaler.status.desiredReplicas ??= 0;
  const { spec } = autoscaler;
  spec.minReplicas ??= 1;
  if ((spec.metrics?.length ?? 0) === 0) {
    const target = { type: 'Utilization', averageUtilization: 80 };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  if (!spec.behavior) return;
  spec.behavior.scaleUp = fillRules(spec.behavior.scaleUp, {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  });
  // The window for scaling down stays open: the controller's own default then holds.
  spec.behavior.scaleDown = fillRules(spec.behavior.scaleDown, {
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  });
}
