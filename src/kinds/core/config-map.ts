import { configmaps } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const configMapKind = defineKind(configmaps, {});
