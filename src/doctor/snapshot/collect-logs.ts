import { StatusError } from '../../api/status.ts';
import type { Unseen } from '../finding.ts';
import { keyOf } from '../reference.ts';
import type { ContainerFacts, PodFacts } from './pod-facts.ts';
import type { ContainerLog, Snapshot } from './snapshot.ts';

/** Reads the end of one container's output. Throws `StatusError` when the server refuses. */
export type LogReader = (request: {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
  readonly tailLines: number;
  readonly limitBytes: number;
}) => Promise<string>;

const tailLines = 120;
const limitBytes = 32_768;
/** Of pods that fail alike, this many are read. */
const samples = 1;
/** Logs read in all. */
const mostLogs = 300;
/** Complaints about logs that are told one by one. */
const mostUnseen = 10;

interface Wish {
  readonly pod: PodFacts;
  readonly container: ContainerFacts;
  readonly previous: boolean;
}

/** Reads the logs of one pod for each way of failing; the others that fail alike share them. */
export async function collectLogs(
  snapshot: Snapshot,
  read: LogReader,
  atOnce: number,
): Promise<{ readonly logs: ReadonlyMap<string, readonly ContainerLog[]>; readonly unseen: readonly Unseen[] }> {
  const alike = new Map<string, Wish[]>();
  for (const pod of snapshot.troubled)
    for (const container of pod.containers)
      for (const previous of wanted(container)) {
        const key = `${manner(pod, container)}|${previous}`;
        const list = alike.get(key);
        if (list) list.push({ pod, container, previous });
        else alike.set(key, [{ pod, container, previous }]);
      }
  const logs = new Map<string, ContainerLog[]>();
  const unseen: Unseen[] = [];
  const queue = [...alike.values()];
  let left = mostLogs;
  const skipped = Math.max(0, queue.length - mostLogs);
  const worker = async (): Promise<void> => {
    for (let group = queue.shift(); group && left > 0; group = queue.shift()) {
      left--;
      await readGroup(group, read, logs, unseen);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (skipped > 0) unseen.push({ what: `logs of ${skipped} more ways of failing`, why: 'failed', message: 'too many' });
  const told = unseen.slice(0, mostUnseen);
  if (unseen.length > told.length)
    told.push({ what: `logs of ${unseen.length - told.length} more pods`, why: 'failed', message: 'as above' });
  return { logs, unseen: told };
}

async function readGroup(
  group: readonly Wish[],
  read: LogReader,
  logs: Map<string, ContainerLog[]>,
  unseen: Unseen[],
): Promise<void> {
  for (const { pod, container, previous } of group.slice(0, samples)) {
    const { namespace } = pod;
    try {
      const request = { namespace, pod: pod.ref.name, container: container.name, previous, tailLines, limitBytes };
      const text = await read(request);
      for (const other of group) {
        const key = `${namespace === other.pod.namespace ? namespace : other.pod.namespace}/${other.pod.ref.name}/${other.container.name}`;
        const own = other.pod === pod;
        const log = { text, previous, ...(!own && { sampledFrom: pod.ref }) };
        // What ran before stands first: it is what failed.
        const known = logs.get(key) ?? [];
        logs.set(key, previous ? [log, ...known] : [...known, log]);
      }
      return;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      // A container that never ran has no previous log: nothing to see, and nothing hidden.
      if (error.code === 400 || error.code === 404) continue;
      unseen.push({
        what: `log of pod ${namespace}/${pod.ref.name}, container ${container.name}`,
        why: error.code === 403 ? 'denied' : 'failed',
        message: error.message,
      });
    }
  }
}

/** Which logs can tell something: of the run that ended, and of one that is up without being ready. */
function wanted(it: ContainerFacts): readonly boolean[] {
  if (it.terminated) return it.terminated.exitCode === 0 && it.role === 'init' ? [] : [false];
  if (it.waiting) return it.restarts > 0 || it.lastEnd ? [true] : [];
  if (!it.running) return [];
  const unready = it.status?.ready === false;
  return [...(it.lastEnd ? [true] : []), ...(unready || it.role === 'init' ? [false] : [])];
}

/** Equal for containers that fail in the same way: same workload or image, same end. */
function manner(pod: PodFacts, it: ContainerFacts): string {
  const end = it.lastEnd;
  const who =
    pod.workload.kind === 'Pod'
      ? `${pod.namespace}|${it.image}|${(it.spec.command ?? []).join(' ')}|${(it.spec.args ?? []).join(' ')}`
      : keyOf(pod.workload);
  return [who, it.name, it.waiting?.reason, end?.reason, end?.exitCode, it.running !== undefined].join('|');
}
