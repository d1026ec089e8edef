import type { Rule } from '../../rule.ts';
import { classOfPodMissing } from './class-of-pod-missing.ts';
import { limitRangeViolated } from './limit-range-violated.ts';
import { podSecurityViolated } from './pod-security-violated.ts';
import { podsRefused } from './pods-refused.ts';
import { policyDenied } from './policy-denied.ts';
import { quotaExceeded } from './quota-exceeded.ts';
import { quotaWantsResources } from './quota-wants-resources.ts';
import { serviceAccountMissing } from './service-account-missing.ts';
import { webhookUnreachable } from './webhook-unreachable.ts';

export const admissionRules: readonly Rule[] = [
  classOfPodMissing,
  limitRangeViolated,
  podSecurityViolated,
  podsRefused,
  policyDenied,
  quotaExceeded,
  quotaWantsResources,
  serviceAccountMissing,
  webhookUnreachable,
];
