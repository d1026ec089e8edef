import { validatingadmissionpolicies } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const validatingAdmissionPolicyKind = defineKind(validatingadmissionpolicies, {});
