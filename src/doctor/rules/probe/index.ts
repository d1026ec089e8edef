import type { Rule } from '../../rule.ts';
import { grpcHealthNotServed } from './grpc-health-not-served.ts';
import { listensOnLoopback } from './listens-on-loopback.ts';
import { probeBadlyTuned } from './probe-badly-tuned.ts';
import { probeCommandFails } from './probe-command-fails.ts';
import { probeNeedsAuthentication } from './probe-needs-authentication.ts';
import { probePathNotFound } from './probe-path-not-found.ts';
import { probePortNameUnknown } from './probe-port-name-unknown.ts';
import { probePortWrong } from './probe-port-wrong.ts';
import { probeSchemeMismatch } from './probe-scheme-mismatch.ts';
import { probeServerError } from './probe-server-error.ts';
import { probeTooSlow } from './probe-too-slow.ts';
import { probeToolMissing } from './probe-tool-missing.ts';
import { probeUnhealthy } from './probe-unhealthy.ts';
import { readinessGateUnset } from './readiness-gate-unset.ts';
import { slowStartKilled } from './slow-start-killed.ts';
import { startupBudgetTooSmall } from './startup-budget-too-small.ts';

export const probeRules: readonly Rule[] = [
  grpcHealthNotServed,
  listensOnLoopback,
  probeBadlyTuned,
  probeCommandFails,
  probeNeedsAuthentication,
  probePathNotFound,
  probePortNameUnknown,
  probePortWrong,
  probeSchemeMismatch,
  probeServerError,
  probeTooSlow,
  probeToolMissing,
  probeUnhealthy,
  readinessGateUnset,
  slowStartKilled,
  startupBudgetTooSmall,
];
