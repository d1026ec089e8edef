import { validatingadmissionpolicybindings } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const validatingAdmissionPolicyBindingKind = defineKind(validatingadmissionpolicybindings, {});
