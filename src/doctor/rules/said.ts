import { eventOf, fromEnd, fromEvent, fromStatus, fromWaiting } from '../evidence.ts';
import type { Evidence } from '../finding.ts';
import type { ContainerFacts, PodFacts } from '../snapshot/pod-facts.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** A text that Kubernetes or the runtime wrote about a pod or one of its containers, with its place. */
export interface Said {
  readonly pod: PodFacts;
  /** Absent: about the pod as a whole. */
  readonly container?: ContainerFacts;
  readonly match: RegExpExecArray;
  readonly evidence: Evidence;
}

/**
 * What the runtime said of containers that it could not create or start: the waiting message, the message of the last end, else the `Failed`
 * event. Only of containers that do not run.
 */
export function* saidOfStart(
  snapshot: Snapshot,
  pattern: RegExp,
): Iterable<Said & { readonly container: ContainerFacts }> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (container.running) continue;
      const waiting = pattern.exec(container.waiting?.message ?? '');
      if (waiting) {
        yield { pod, container, match: waiting, evidence: fromWaiting(pod, container) };
        continue;
      }
      const ended = pattern.exec(container.lastEnd?.message ?? '');
      if (ended) {
        yield { pod, container, match: ended, evidence: fromEnd(pod, container) };
        continue;
      }
      if (!container.waiting && !container.terminated) continue;
      const event = eventOf(snapshot, pod, ['Failed', 'BackOff'], pattern, container.name);
      const told = event && pattern.exec(event.message ?? '');
      if (event && told) yield { pod, container, match: told, evidence: fromEvent(event) };
    }
}

/** Events of troubled pods with one of these reasons whose text matches; pods that run and are ready have got over theirs. */
export function* saidInEvents(snapshot: Snapshot, reasons: readonly string[], pattern: RegExp): Iterable<Said> {
  for (const pod of snapshot.troubled) {
    const event = eventOf(snapshot, pod, reasons, pattern);
    const match = event && pattern.exec(event.message ?? '');
    if (event && match) yield { pod, match, evidence: fromEvent(event) };
  }
}

/** True while the pod's containers have not begun: what is in the way of sandbox and volumes is still in the way. */
export const notBegun = ({ pod, containers }: PodFacts): boolean =>
  pod.status?.phase === 'Pending' && !containers.some((it) => it.running || it.restarts > 0);

/** Pods that their kubelet refused: phase Failed with a reason of its own and no container. */
export function* refusedByKubelet(
  snapshot: Snapshot,
  reasons: readonly string[],
): Iterable<{
  readonly pod: PodFacts;
  readonly reason: string;
  readonly message: string;
  readonly evidence: Evidence;
}> {
  for (const pod of snapshot.troubled) {
    const { phase, reason = '', message = '' } = pod.pod.status ?? {};
    if (phase !== 'Failed' || !reasons.includes(reason)) continue;
    yield { pod, reason, message, evidence: fromStatus(pod.ref, `${reason}: ${message}`, 'message') };
  }
}
