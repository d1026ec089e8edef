import { horizontalpodautoscalersV1 } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const horizontalPodAutoscalerV1Kind = defineKind(horizontalpodautoscalersV1, {});
