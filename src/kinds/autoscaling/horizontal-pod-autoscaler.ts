import { horizontalpodautoscalers } from '../../api/generated/resources.ts';
import type { V2HorizontalPodAutoscaler } from '../../api/generated/types.ts';
import { defineKind } from '../define.ts';
import { autoscalerColumns } from './hpa-columns.ts';
import { defaultAutoscaler } from './hpa-defaults.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './hpa-validation.ts';

export const horizontalPodAutoscalerKind = defineKind<V2HorizontalPodAutoscaler>(horizontalpodautoscalers, {
  defaults: defaultAutoscaler,
  onCreate(autoscaler) {
    autoscaler.status = { desiredReplicas: 0 };
  },
  validate: validateAutoscaler,
  validateStatus: validateAutoscalerStatus,
  columns: autoscalerColumns,
});
