import { roles } from '../../api/generated/resources.ts';
import { pathSegmentNameOrPrefix } from '../../api/names.ts';
import { defineKind } from '../define.ts';

export const roleKind = defineKind(roles, {
  validateName: pathSegmentNameOrPrefix,
});
