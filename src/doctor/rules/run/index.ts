import type { Rule } from '../../rule.ts';

export const runRules: readonly Rule[] = [];
