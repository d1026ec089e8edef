import { equalJson } from '../api/draft.ts';
import type { V1Node } from '../api/generated/types.ts';
import type { ClusterChange } from './framework.ts';

/** What of a node changed that scheduling cares for; empty for a heartbeat. */
export function nodeChanges(old: V1Node, next: V1Node): readonly ClusterChange[] {
  const out: ClusterChange[] = [];
  if (!equalJson(old.status?.allocatable, next.status?.allocatable)) out.push('Node/UpdateAllocatable');
  if (!equalJson(old.metadata?.labels, next.metadata?.labels)) out.push('Node/UpdateLabel');
  if (
    (old.spec?.unschedulable ?? false) !== (next.spec?.unschedulable ?? false) ||
    !equalJson(old.spec?.taints, next.spec?.taints)
  ) {
    out.push('Node/UpdateTaint');
  }
  return out;
}
