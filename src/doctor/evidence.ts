import type { CoreV1Event } from '../api/generated/types.ts';
import type { KubeObject, Resource } from '../api/resource.ts';
import type { Evidence } from './finding.ts';
import type { Reference } from './reference.ts';
import { referenceOf, show } from './reference.ts';
import type { ContainerFacts, PodFacts } from './snapshot/pod-facts.ts';
import { type ContainerLog, eventTime, type Snapshot } from './snapshot/snapshot.ts';

/** Longer quotations help nobody. */
const longestQuote = 600;

export const clip = (text: string, most = longestQuote): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

/** A field of the pod's status, e.g. what a container waits for. */
export const fromStatus = (object: Reference, text: string, field?: string): Evidence => ({
  text: clip(text),
  source: { kind: 'status', object, ...(field && { field: `status.${field}` }) },
});

/** `Reason: message` of a container's waiting state. */
export const fromWaiting = (pod: PodFacts, container: ContainerFacts): Evidence =>
  fromStatus(
    pod.ref,
    [container.waiting?.reason, container.waiting?.message].filter(Boolean).join(': '),
    `${statusField(container)}.state.waiting`,
  );

/** The last end of a container: reason, exit code, message. */
export function fromEnd(pod: PodFacts, container: ContainerFacts): Evidence {
  const end = container.lastEnd;
  const now = container.terminated === end && end !== undefined;
  const message = end?.message?.trim();
  return fromStatus(
    pod.ref,
    `${end?.reason ?? 'Error'}, exit code ${end?.exitCode}${message ? `: ${message}` : ''}`,
    `${statusField(container)}.${now ? 'state' : 'lastState'}.terminated`,
  );
}

const statusField = (it: ContainerFacts): string =>
  `${it.role === 'main' ? 'containerStatuses' : 'initContainerStatuses'}[${it.name}]`;

export const fromCondition = (object: Reference, type: string, text: string): Evidence => ({
  text: clip(text),
  source: { kind: 'condition', object, field: `status.conditions[${type}]` },
});

export const fromSpec = (object: Reference, text: string, field?: string): Evidence => ({
  text: clip(text),
  source: { kind: 'spec', object, ...(field && { field }) },
});

export function fromEvent(event: CoreV1Event): Evidence {
  const { kind = '', namespace, name = '' } = event.involvedObject;
  const at = eventTime(event);
  return {
    text: clip(event.message ?? ''),
    source: {
      kind: 'event',
      object: { kind, ...(namespace && kind !== 'Node' && { namespace }), name },
      reason: event.reason ?? '',
      ...(at !== undefined && { at }),
      ...(event.count !== undefined && event.count > 1 && { count: event.count }),
    },
  };
}

export const fromLog = (pod: PodFacts, container: string, log: ContainerLog, text: string): Evidence => ({
  text: clip(text.trim()),
  source: { kind: 'log', object: log.sampledFrom ?? pod.ref, container, previous: log.previous },
});

/** Says that something was looked for and is not there, and what is there instead. */
export const fromAbsence = (object: Reference, instead?: string): Evidence => ({
  text: `there is no ${show(object)}${instead ? `; ${instead}` : ''}`,
  source: { kind: 'absence', object },
});

export const computed = (object: Reference, text: string): Evidence => ({
  text: clip(text),
  source: { kind: 'computed', object },
});

/** `there are: a, b, c (and 4 more)`, for evidence. */
export function listed(names: readonly string[], most = 8): string {
  if (names.length === 0) return 'there are none';
  const more = names.length - most;
  return `there ${names.length === 1 ? 'is' : 'are'}: ${names.slice(0, most).join(', ')}${more > 0 ? ` (and ${more} more)` : ''}`;
}

/** The names of all objects of a kind in a namespace, sorted. */
export const namesIn = (snapshot: Snapshot, resource: Resource, namespace: string): readonly string[] =>
  snapshot
    .in(resource as Resource<KubeObject>, namespace)
    .map((it) => referenceOf(it).name)
    .sort();

/** The newest event of the pod with one of these reasons whose message matches. */
export function eventOf(
  snapshot: Snapshot,
  pod: PodFacts,
  reasons: readonly string[],
  pattern?: RegExp,
  container?: string,
): CoreV1Event | undefined {
  return snapshot
    .events(pod.ref, pod.pod.metadata?.uid)
    .find(
      (it) =>
        reasons.includes(it.reason ?? '') &&
        (!pattern || pattern.test(it.message ?? '')) &&
        (container === undefined ||
          it.involvedObject.fieldPath === undefined ||
          it.involvedObject.fieldPath.includes(`{${container}}`)),
    );
}

/** The newest line of a container's logs that matches, with the log it stands in. */
export function logLine(
  snapshot: Snapshot,
  pod: PodFacts,
  container: string,
  pattern: RegExp,
): { readonly line: string; readonly match: RegExpExecArray; readonly log: ContainerLog } | undefined {
  for (const log of snapshot.logs(pod, container)) {
    const lines = log.text.split('\n');
    for (let i = lines.length - 1; i >= 0; i--) {
      const line = lines[i] ?? '';
      const match = pattern.exec(line);
      if (match) return { line, match, log };
    }
  }
  return undefined;
}
