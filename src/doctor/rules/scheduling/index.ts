import type { Rule } from '../../rule.ts';

export const schedulingRules: readonly Rule[] = [];
