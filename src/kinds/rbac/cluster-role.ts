import { clusterroles } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const clusterRoleKind = defineKind(clusterroles, {});
