import { clusterroles } from '../../api/generated/resources.ts';
import { pathSegmentNameOrPrefix } from '../../api/names.ts';
import { defineKind } from '../define.ts';

export const clusterRoleKind = defineKind(clusterroles, {
  validateName: pathSegmentNameOrPrefix,
});
