import { horizontalpodautoscalers } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const horizontalPodAutoscalerKind = defineKind(horizontalpodautoscalers, {});
