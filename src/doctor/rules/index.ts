import type { Rule } from '../rule.ts';
import { admissionRules } from './admission/index.ts';
import { configRules } from './config/index.ts';
import { controllerRules } from './controller/index.ts';
import { createRules } from './create/index.ts';
import { imageRules } from './image/index.ts';
import { networkRules } from './network/index.ts';
import { nodeRules } from './node/index.ts';
import { probeRules } from './probe/index.ts';
import { runRules } from './run/index.ts';
import { schedulingRules } from './scheduling/index.ts';
import { storageRules } from './storage/index.ts';

/** Every diagnosis there is, in the order of a pod's life. */
export const allRules: readonly Rule[] = Object.freeze([
  ...admissionRules,
  ...schedulingRules,
  ...configRules,
  ...imageRules,
  ...createRules,
  ...runRules,
  ...probeRules,
  ...networkRules,
  ...nodeRules,
  ...controllerRules,
  ...storageRules,
]);
