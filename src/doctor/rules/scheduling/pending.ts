import { nodes } from '../../../api/generated/resources.ts';
import type { V1Node, V1Taint } from '../../../api/generated/types.ts';
import { hardEffects, matchesRequiredNodeAffinity, untolerated } from '../../../kinds/core/node-match.ts';
import { fromCondition, fromEvent } from '../../evidence.ts';
import type { Claim, Evidence } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { type Clause, clausesOf } from './message.ts';
import { amounts, roomOn, roomsOf, shortOf } from './room.ts';

/** A pod that no node takes, and what the scheduler said of it. */
export interface PendingPod {
  readonly pod: PodFacts;
  readonly message: string;
  readonly clauses: readonly Clause[];
  readonly evidence: readonly Evidence[];
}

/** A node's own view of a pod: why it cannot take it, as far as state tells. */
export interface NodeVerdict {
  readonly node: V1Node;
  readonly name: string;
  readonly cordoned: boolean;
  readonly taint: V1Taint | undefined;
  readonly selected: boolean;
  /** Resources it lacks for the pod. */
  readonly short: readonly string[];
}

const isPending = ({ pod, spec, planned }: PodFacts): boolean =>
  !planned && !spec.nodeName && !pod.metadata?.deletionTimestamp && (pod.status?.phase ?? 'Pending') === 'Pending';

/**
 * Pods that wait for a node and are not held back on purpose. The message is the PodScheduled condition's, which stays for as long as the pod
 * does; else the event's.
 */
export function* pendingPods(snapshot: Snapshot): Iterable<PendingPod> {
  for (const pod of snapshot.troubled) {
    if (!isPending(pod) || (pod.spec.schedulingGates ?? []).length > 0) continue;
    const condition = pod.pod.status?.conditions?.find((it) => it.type === 'PodScheduled' && it.status === 'False');
    const event = snapshot.events(pod.ref, pod.pod.metadata?.uid).find((it) => it.reason === 'FailedScheduling');
    const message = condition?.message ?? event?.message ?? '';
    const evidence = condition?.message
      ? [fromCondition(pod.ref, 'PodScheduled', condition.message)]
      : event
        ? [fromEvent(event)]
        : [];
    yield { pod, message, clauses: clausesOf(message), evidence };
  }
}

/** Pending pods with a clause that matches, together with it. */
export function* pendingFor(
  snapshot: Snapshot,
  pattern: RegExp,
): Iterable<PendingPod & { readonly clause: Clause; readonly match: RegExpExecArray }> {
  for (const it of pendingPods(snapshot))
    for (const clause of it.clauses) {
      const match = pattern.exec(clause.text);
      if (match) {
        yield { ...it, clause, match };
        break;
      }
    }
}

/** What each node says of the pod, from its labels, taints and room. Affinity to other pods and volumes are not judged here. */
export function verdicts(snapshot: Snapshot, pod: PodFacts): readonly NodeVerdict[] {
  const wanted = amounts(pod);
  const rooms = roomsOf(snapshot);
  return snapshot.all(nodes).map((node) => {
    const name = node.metadata?.name ?? '';
    return {
      node,
      name,
      cordoned: node.spec?.unschedulable === true,
      taint: untolerated(
        node.spec?.taints?.filter((it) => it.key !== 'node.kubernetes.io/unschedulable'),
        pod.spec.tolerations,
        hardEffects,
      ),
      selected: matchesRequiredNodeAffinity(pod.pod, node),
      short: shortOf(wanted, roomOn(rooms, name)),
    };
  });
}

/** Taints that Kubernetes itself sets while something is wrong with a node. */
export const isConditionTaint = (key: string): boolean =>
  key.startsWith('node.kubernetes.io/') || key === 'node.cloudprovider.kubernetes.io/uninitialized';

export const isControlPlaneTaint = (key: string): boolean =>
  key === 'node-role.kubernetes.io/control-plane' || key === 'node-role.kubernetes.io/master';

/** Nodes that are kept for the control plane are no candidates, unless there are no others. */
export function candidates(all: readonly NodeVerdict[]): readonly NodeVerdict[] {
  const workers = all.filter((it) => !(it.taint && isControlPlaneTaint(it.taint.key)));
  return workers.length > 0 ? workers : all;
}

/** What claims about a pending pod have in common. */
export const pendingClaim = (it: PendingPod, rest: Pick<Claim, 'says' | 'remedy'> & Partial<Claim>): Claim => ({
  subject: it.pod.ref,
  ...rest,
  remedy: { verify: watchCommand(it.pod), ...rest.remedy },
  evidence: [...it.evidence, ...(rest.evidence ?? [])],
});

/** `deployment/web -n shop`, of the object that people edit. */
export const workloadArguments = ({ workload }: PodFacts): string =>
  `${workload.kind.toLowerCase()}/${workload.name}${workload.namespace ? ` -n ${workload.namespace}` : ''}`;

/** `3 nodes`, `1 node`. */
export const nodeCount = (n: number): string => `${n} node${n === 1 ? '' : 's'}`;
