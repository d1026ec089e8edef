import type { Rule } from '../../rule.ts';
import { configmapMissing } from './configmap-missing.ts';

export const configRules: readonly Rule[] = [configmapMissing];
