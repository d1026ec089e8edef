import type { Rule } from '../../rule.ts';
import { budgetBlocksEviction } from './budget-blocks-eviction.ts';
import { controllersDown } from './controllers-down.ts';
import { cronJobDoesNotFire } from './cron-job-does-not-fire.ts';
import { hpaAtItsLimits } from './hpa-at-its-limits.ts';
import { hpaNoMetrics } from './hpa-no-metrics.ts';
import { hpaRequestMissing } from './hpa-request-missing.ts';
import { hpaTargetMissing } from './hpa-target-missing.ts';
import { jobFailed } from './job-failed.ts';
import { namespaceStuck } from './namespace-stuck.ts';
import { rolloutPaused } from './rollout-paused.ts';
import { rolloutStuck } from './rollout-stuck.ts';
import { selectorsOverlap } from './selectors-overlap.ts';
import { statefulSetBlocked } from './stateful-set-blocked.ts';
import { stuckTerminating } from './stuck-terminating.ts';

export const controllerRules: readonly Rule[] = [
  budgetBlocksEviction,
  controllersDown,
  cronJobDoesNotFire,
  hpaAtItsLimits,
  hpaNoMetrics,
  hpaRequestMissing,
  hpaTargetMissing,
  jobFailed,
  namespaceStuck,
  rolloutPaused,
  rolloutStuck,
  selectorsOverlap,
  statefulSetBlocked,
  stuckTerminating,
];
