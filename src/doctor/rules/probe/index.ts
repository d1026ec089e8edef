import type { Rule } from '../../rule.ts';

export const probeRules: readonly Rule[] = [];
