import { rolebindings } from '../../api/generated/resources.ts';
import { pathSegmentNameOrPrefix } from '../../api/names.ts';
import { defineKind } from '../define.ts';

export const roleBindingKind = defineKind(rolebindings, {
  validateName: pathSegmentNameOrPrefix,
});
