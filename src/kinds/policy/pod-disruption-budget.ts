import { poddisruptionbudgets } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const podDisruptionBudgetKind = defineKind(poddisruptionbudgets, {});
