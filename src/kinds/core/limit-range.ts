import { limitranges } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const limitRangeKind = defineKind(limitranges, {});
