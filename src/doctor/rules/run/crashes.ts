import { jobs } from '../../../api/generated/resources.ts';
import type { V1ContainerStateTerminated } from '../../../api/generated/types.ts';
import { type ContainerFacts, type PodFacts, recoveredAfterMs } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** A container that ended, and the end of it that counts. */
export interface Crash {
  readonly pod: PodFacts;
  readonly container: ContainerFacts;
  readonly end: V1ContainerStateTerminated;
}

/** Containers whose last run ended and that have not recovered since: waiting to be restarted, ended for good, or up again for a short time. */
export function* crashes(snapshot: Snapshot): Iterable<Crash> {
  if (snapshot.stage !== 'live') return;
  for (const pod of snapshot.troubled) {
    if (isHistory(snapshot, pod)) continue;
    for (const container of pod.containers) {
      const end = container.lastEnd;
      if (!end || !counts(snapshot, container, end)) continue;
      yield { pod, container, end };
    }
  }
}

function counts(snapshot: Snapshot, it: ContainerFacts, end: V1ContainerStateTerminated): boolean {
  // An init container that succeeded has done its work.
  if (it.terminated && it.role === 'init' && end.exitCode === 0) return false;
  if (it.terminated || it.waiting) return true;
  const ended = Date.parse(end.finishedAt ?? '');
  return it.running !== undefined && snapshot.now - ended < recoveredAfterMs && end.exitCode !== 0;
}

/** Pods whose end no longer matters: their Job has been completed by another, they were evicted, or are being deleted. */
function isHistory(snapshot: Snapshot, pod: PodFacts): boolean {
  const { metadata, status } = pod.pod;
  if (metadata?.deletionTimestamp || status?.reason === 'Evicted') return true;
  const owner = metadata?.ownerReferences?.find((it) => it.kind === 'Job');
  const job = owner && snapshot.get(jobs, owner.name, pod.namespace);
  return job?.status?.conditions?.some((it) => it.type === 'Complete' && it.status === 'True') ?? false;
}

/** Those that failed: with an exit code other than 0. */
export function* failures(snapshot: Snapshot): Iterable<Crash> {
  for (const it of crashes(snapshot)) if (it.end.exitCode !== 0) yield it;
}

/** How long the run lasted, milliseconds; undefined where the runtime did not say. */
export function lasted(end: V1ContainerStateTerminated): number | undefined {
  const [from, to] = [Date.parse(end.startedAt ?? ''), Date.parse(end.finishedAt ?? '')];
  return Number.isNaN(from) || Number.isNaN(to) || from === 0 ? undefined : to - from;
}
