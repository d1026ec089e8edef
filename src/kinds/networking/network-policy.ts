import { networkpolicies } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const networkPolicyKind = defineKind(networkpolicies, {});
