import { statefulsets } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const statefulSetKind = defineKind(statefulsets, {});
