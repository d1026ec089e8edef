import type { Rule } from '../../rule.ts';

export const controllerRules: readonly Rule[] = [];
