import type { Rule } from '../../rule.ts';
import { antiAffinityCrowded } from './anti-affinity-crowded.ts';
import { constraintsExcludeEachOther } from './constraints-exclude-each-other.ts';
import { extendedResourceAbsent } from './extended-resource-absent.ts';
import { extendedResourceExhausted } from './extended-resource-exhausted.ts';
import { hostPortConflict } from './host-port-conflict.ts';
import { hugepagesMissing } from './hugepages-missing.ts';
import { insufficientResources } from './insufficient-resources.ts';
import { neighbourAntiAffinity } from './neighbour-anti-affinity.ts';
import { noNodes } from './no-nodes.ts';
import { nodeLabelMissing } from './node-label-missing.ts';
import { nodeLabelValue } from './node-label-value.ts';
import { nodePodLimit } from './node-pod-limit.ts';
import { nodesCordoned } from './nodes-cordoned.ts';
import { nodesUnwell } from './nodes-unwell.ts';
import { onlyControlPlaneNodes } from './only-control-plane-nodes.ts';
import { podAffinityUnsatisfied } from './pod-affinity-unsatisfied.ts';
import { requestExceedsEveryNode } from './request-exceeds-every-node.ts';
import { resourceUnitSlip } from './resource-unit-slip.ts';
import { taintNotTolerated } from './taint-not-tolerated.ts';
import { topologyKeyMissing } from './topology-key-missing.ts';
import { topologySpread } from './topology-spread.ts';

export const schedulingRules: readonly Rule[] = [
  noNodes,
  resourceUnitSlip,
  requestExceedsEveryNode,
  insufficientResources,
  extendedResourceAbsent,
  extendedResourceExhausted,
  hugepagesMissing,
  nodePodLimit,
  taintNotTolerated,
  onlyControlPlaneNodes,
  nodesUnwell,
  nodesCordoned,
  nodeLabelMissing,
  nodeLabelValue,
  podAffinityUnsatisfied,
  antiAffinityCrowded,
  neighbourAntiAffinity,
  topologySpread,
  topologyKeyMissing,
  hostPortConflict,
  constraintsExcludeEachOther,
];
