import type { Rejection } from './framework.ts';

/** Why no node took a pod. */
export interface Diagnosis {
  readonly nodeCount: number;
  /** Set when a plugin refused before any node was looked at. */
  readonly preFilter?: string;
  /** By node; nodes not in it share `absent`. */
  readonly nodes: ReadonlyMap<string, Rejection>;
  readonly absent?: Rejection;
  /** Plugins that refused: whose changes can help. */
  readonly plugins: ReadonlySet<string>;
}

/** The reasons with how many nodes gave them, sorted as text: `1 Insufficient cpu, 2 node(s) were unschedulable`. */
function histogram(diagnosis: Diagnosis): string {
  const counts = new Map<string, number>();
  const add = (rejection: Rejection, by: number): void => {
    for (const reason of rejection.reasons) counts.set(reason, (counts.get(reason) ?? 0) + by);
  };
  for (const rejection of diagnosis.nodes.values()) add(rejection, 1);
  const absent = diagnosis.nodeCount - diagnosis.nodes.size;
  if (absent > 0 && diagnosis.absent) add(diagnosis.absent, absent);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .join(', ');
}

/** kube-scheduler's message (pkg/scheduler/framework/types.go, FitError.Error); `postFilter` is what preemption said. */
export function fitMessage(diagnosis: Diagnosis, postFilter = ''): string {
  let text = `0/${diagnosis.nodeCount} nodes are available:`;
  const filtered = diagnosis.preFilter ?? histogram(diagnosis);
  if (filtered !== '') text += ` ${filtered}.`;
  if (postFilter !== '') text += ` ${postFilter}`;
  return text;
}

export const noNodes = 'no nodes available to schedule pods';
/** The longest note of an Event, in bytes. */
const noteLimit = 1024;

/** Cuts a message to what an Event holds. */
export function truncateNote(message: string): string {
  return message.length <= noteLimit ? message : `${message.slice(0, noteLimit - 4)} ...`;
}
