import { clusterrolebindings } from '../../api/generated/resources.ts';
import { pathSegmentNameOrPrefix } from '../../api/names.ts';
import { defineKind } from '../define.ts';

export const clusterRoleBindingKind = defineKind(clusterrolebindings, {
  validateName: pathSegmentNameOrPrefix,
});
