import { rolebindings } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const roleBindingKind = defineKind(rolebindings, {});
