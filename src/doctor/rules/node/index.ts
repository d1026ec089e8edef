import type { Rule } from '../../rule.ts';
import { ephemeralLimitExceeded } from './ephemeral-limit-exceeded.ts';
import { evictedForNode } from './evicted-for-node.ts';
import { kubeletVersionSkew } from './kubelet-version-skew.ts';
import { nodeNetworkNotReady } from './node-network-not-ready.ts';
import { nodeNotReady } from './node-not-ready.ts';
import { nodePressure } from './node-pressure.ts';
import { nodeRebooted } from './node-rebooted.ts';
import { nodeShutdown } from './node-shutdown.ts';
import { nodeSilent } from './node-silent.ts';
import { nodeUninitialized } from './node-uninitialized.ts';
import { podDisrupted } from './pod-disrupted.ts';
import { runtimeDown } from './runtime-down.ts';
import { terminatingOnSilentNode } from './terminating-on-silent-node.ts';

export const nodeRules: readonly Rule[] = [
  ephemeralLimitExceeded,
  evictedForNode,
  kubeletVersionSkew,
  nodeNetworkNotReady,
  nodeNotReady,
  nodePressure,
  nodeRebooted,
  nodeShutdown,
  nodeSilent,
  nodeUninitialized,
  podDisrupted,
  runtimeDown,
  terminatingOnSilentNode,
];
