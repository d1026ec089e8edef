import { clusterrolebindings } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const clusterRoleBindingKind = defineKind(clusterrolebindings, {});
