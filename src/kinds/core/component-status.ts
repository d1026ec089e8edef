import { componentstatuses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const componentStatusKind = defineKind(componentstatuses, {});
