import { mutatingadmissionpolicybindings } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const mutatingAdmissionPolicyBindingKind = defineKind(mutatingadmissionpolicybindings, {});
