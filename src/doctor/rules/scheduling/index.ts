import type { Rule } from '../../rule.ts';
import { antiAffinityCrowded } from './anti-affinity-crowded.ts';
import { autoscalerCannotHelp } from './autoscaler-cannot-help.ts';
import { claimMissing } from './claim-missing.ts';
import { claimTerminating } from './claim-terminating.ts';
import { claimUnbound } from './claim-unbound.ts';
import { constraintsExcludeEachOther } from './constraints-exclude-each-other.ts';
import { extendedResourceAbsent } from './extended-resource-absent.ts';
import { extendedResourceExhausted } from './extended-resource-exhausted.ts';
import { hostPortConflict } from './host-port-conflict.ts';
import { hugepagesMissing } from './hugepages-missing.ts';
import { insufficientResources } from './insufficient-resources.ts';
import { neighbourAntiAffinity } from './neighbour-anti-affinity.ts';
import { noNodes } from './no-nodes.ts';
import { noVolumeToBind } from './no-volume-to-bind.ts';
import { nodeLabelMissing } from './node-label-missing.ts';
import { nodeLabelValue } from './node-label-value.ts';
import { nodeNameUnknown } from './node-name-unknown.ts';
import { nodePodLimit } from './node-pod-limit.ts';
import { nodesCordoned } from './nodes-cordoned.ts';
import { nodesUnwell } from './nodes-unwell.ts';
import { onlyControlPlaneNodes } from './only-control-plane-nodes.ts';
import { podAffinityUnsatisfied } from './pod-affinity-unsatisfied.ts';
import { preempted } from './preempted.ts';
import { readWriteOncePodInUse } from './read-write-once-pod-in-use.ts';
import { requestExceedsEveryNode } from './request-exceeds-every-node.ts';
import { resourceClaimUnsatisfied } from './resource-claim-unsatisfied.ts';
import { resourceUnitSlip } from './resource-unit-slip.ts';
import { schedulerDown } from './scheduler-down.ts';
import { schedulerUnknown } from './scheduler-unknown.ts';
import { schedulingGated } from './scheduling-gated.ts';
import { storageCapacity } from './storage-capacity.ts';
import { taintNotTolerated } from './taint-not-tolerated.ts';
import { topologyKeyMissing } from './topology-key-missing.ts';
import { topologySpread } from './topology-spread.ts';
import { volumeElsewhere } from './volume-elsewhere.ts';
import { volumeLimits } from './volume-limits.ts';
import { volumeLost } from './volume-lost.ts';

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
  claimMissing,
  claimTerminating,
  claimUnbound,
  volumeElsewhere,
  volumeLost,
  noVolumeToBind,
  readWriteOncePodInUse,
  volumeLimits,
  storageCapacity,
  schedulingGated,
  schedulerUnknown,
  schedulerDown,
  nodeNameUnknown,
  preempted,
  autoscalerCannotHelp,
  resourceClaimUnsatisfied,
];
