import { mutatingadmissionpolicies } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const mutatingAdmissionPolicyKind = defineKind(mutatingadmissionpolicies, {});
