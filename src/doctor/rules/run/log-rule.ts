import { fromEnd, fromLog, fromStatus, logLine } from '../../evidence.ts';
import type { Claim, Evidence } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { ContainerFacts, PodFacts } from '../../snapshot/pod-facts.ts';
import type { ContainerLog, Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { failures } from './crashes.ts';

/** A line of a failing container's output that tells the cause. */
export interface Told {
  readonly pod: PodFacts;
  readonly container: ContainerFacts;
  readonly line: string;
  readonly match: RegExpExecArray;
  readonly log: ContainerLog;
  /** The line, and how the container ended or that it is not ready. */
  readonly evidence: readonly Evidence[];
}

/** Failing containers, and with `unready` those that run without being ready, whose logs hold a matching line. */
export function* told(snapshot: Snapshot, pattern: RegExp, unready = false): Iterable<Told> {
  const seen = new Set<ContainerFacts>();
  for (const { pod, container } of failures(snapshot)) {
    seen.add(container);
    const found = logLine(snapshot, pod, container.name, pattern);
    if (!found) continue;
    yield {
      pod,
      container,
      ...found,
      evidence: [fromLog(pod, container.name, found.log, found.line), fromEnd(pod, container)],
    };
  }
  if (!unready) return;
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (seen.has(container) || !container.running || container.status?.ready !== false) continue;
      const found = logLine(snapshot, pod, container.name, pattern);
      if (!found || found.log.previous) continue;
      const state = fromStatus(pod.ref, 'ready: false', `containerStatuses[${container.name}].ready`);
      yield { pod, container, ...found, evidence: [fromLog(pod, container.name, found.log, found.line), state] };
    }
}

export interface LogRuleParts
  extends Pick<Rule, 'id' | 'title' | 'codes' | 'symptoms' | 'meaning' | 'tell' | 'fix' | 'fault'> {
  readonly rank?: number;
  readonly severity?: Rule['severity'];
  readonly pattern: RegExp;
  /** Speak of running containers that are not ready, too. */
  readonly unready?: boolean;
  /** Log texts on which it speaks; with what the sentence must hold. */
  readonly logs: readonly [LogExample, ...LogExample[]];
  readonly sick?: readonly Rule['sick'][0][];
  readonly healthy?: Rule['healthy'];
  /** Undefined: not this rule's case. */
  readonly claim: (
    it: Told,
    snapshot: Snapshot,
  ) =>
    | (Pick<Claim, 'says'> & Partial<Claim> & { readonly fix?: string; readonly commands?: readonly string[] })
    | undefined;
}

interface LogExample {
  readonly when: string;
  readonly log: string;
  readonly says: string;
  readonly exit?: number;
}

/** A rule that recognises a cause by a line of the log of a failing container. */
export function logRule({
  pattern,
  unready,
  logs,
  sick = [],
  healthy,
  claim,
  rank = 70,
  severity = 'error',
  ...rest
}: LogRuleParts): Rule {
  const [first, ...others] = logs.map(({ when, log, says, exit = 1 }) => ({
    when,
    says,
    yaml: crashingPod({ exit, log }),
  }));
  const [{ log }] = logs;
  return {
    ...rest,
    rank,
    severity,
    phase: 'run',
    lint: 'never',
    sick: [first ?? { when: '', yaml: '' }, ...others, ...sick],
    healthy: healthy ?? [
      {
        when: 'it runs and is ready, whatever its log says',
        yaml: `${healthyPod()}---\nkind: Log\npod: web\ncontainer: app\nprevious: false\ntext: ${JSON.stringify(log)}\n`,
      },
    ],
    *check(snapshot) {
      for (const it of told(snapshot, pattern, unready)) {
        const made = claim(it, snapshot);
        if (!made) continue;
        const { fix = rest.fix, commands = [], ...more } = made;
        yield {
          subject: it.pod.ref,
          container: it.container.name,
          evidence: it.evidence,
          certainty: 'likely',
          remedy: { says: sentence(fix), commands, verify: watchCommand(it.pod) },
          ...more,
        };
      }
    },
  };
}

/** The first sentence of a text, without Markdown's marks. */
function sentence(text: string): string {
  const first = /^.*?[.](?=\s|$)/.exec(text)?.[0] ?? text;
  return first.replaceAll('`', '');
}

/** `kubectl logs` of what was quoted. */
export const logsCommand = ({ pod, container, log }: Told): string =>
  `kubectl logs ${pod.ref.name} -n ${pod.namespace} -c ${container.name}${log.previous ? ' --previous' : ''}`;

/** `deployment/web -n shop`: the workload, as an argument of kubectl. */
export const workloadArguments = (pod: PodFacts): string =>
  `${pod.workload.kind.toLowerCase()}/${pod.workload.name} -n ${pod.namespace}`;
