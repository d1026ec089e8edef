import { roles } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const roleKind = defineKind(roles, {});
