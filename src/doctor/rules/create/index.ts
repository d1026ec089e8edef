import type { Rule } from '../../rule.ts';

export const createRules: readonly Rule[] = [];
