import type { Claim, Evidence, Field, Remedy } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { ContainerFacts, PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { notBegun, refusedByKubelet, saidInEvents, saidOfStart } from '../said.ts';

/** What a rule makes of a text that it recognised. */
export interface Reading {
  readonly says: string;
  readonly remedy: Remedy;
  readonly evidence?: readonly Evidence[];
  readonly field?: Field;
  readonly certainty?: Claim['certainty'];
  readonly cause?: string;
  readonly because?: Claim['because'];
  readonly rank?: number;
}

type Described = Omit<Rule, 'check' | 'severity' | 'phase' | 'rank'> & Partial<Pick<Rule, 'severity' | 'rank'>>;

const common = { severity: 'error', phase: 'create', rank: 90 } as const;

const claim = (pod: PodFacts, first: Evidence, reading: Reading, container?: ContainerFacts): Claim => ({
  subject: pod.ref,
  ...(container && { container: container.name }),
  ...reading,
  remedy: { verify: watchCommand(pod), ...reading.remedy },
  evidence: [first, ...(reading.evidence ?? [])],
});

/** A rule that recognises what the runtime says of a container that it cannot create or start. */
export function startRule(
  described: Described,
  pattern: RegExp,
  read: (it: {
    snapshot: Snapshot;
    pod: PodFacts;
    container: ContainerFacts;
    match: RegExpExecArray;
  }) => Reading | undefined,
): Rule {
  return {
    ...common,
    ...described,
    *check(snapshot) {
      for (const { pod, container, match, evidence } of saidOfStart(snapshot, pattern)) {
        const reading = read({ snapshot, pod, container, match });
        if (reading) yield claim(pod, evidence, reading, container);
      }
    },
  };
}

/** A rule that recognises an event about a pod whose containers have not begun. */
export function creatingRule(
  described: Described,
  reasons: readonly string[],
  pattern: RegExp,
  read: (it: { snapshot: Snapshot; pod: PodFacts; match: RegExpExecArray }) => Reading | undefined,
  applies: (pod: PodFacts) => boolean = notBegun,
): Rule {
  return {
    ...common,
    ...described,
    *check(snapshot) {
      for (const { pod, match, evidence } of saidInEvents(snapshot, reasons, pattern)) {
        const reading = applies(pod) ? read({ snapshot, pod, match }) : undefined;
        if (reading) yield claim(pod, evidence, reading);
      }
    },
  };
}

/** A rule about pods that the kubelet refused to run. */
export function refusedRule(
  described: Described,
  reasons: readonly string[],
  read: (it: { snapshot: Snapshot; pod: PodFacts; reason: string; message: string }) => Reading | undefined,
): Rule {
  return {
    ...common,
    ...described,
    *check(snapshot) {
      for (const { pod, reason, message, evidence } of refusedByKubelet(snapshot, reasons)) {
        const reading = read({ snapshot, pod, reason, message });
        if (reading) yield claim(pod, evidence, reading);
      }
    },
  };
}
