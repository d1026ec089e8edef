import { unreachable } from '../base/assert.ts';
import { clip } from './evidence.ts';
import type { Evidence, Finding } from './finding.ts';
import type { Reference } from './reference.ts';

/** The steps that a person takes, in the order in which they are taken. */
const steps = ['get', 'describe', 'logs', 'logs --previous', 'exec', 'validate'] as const;
type StepName = (typeof steps)[number];

const flag = (it: Reference): string => (it.namespace ? ` -n ${it.namespace}` : '');

/** The command at which a person would have met this evidence. */
function stepOf({ source, text }: Evidence): { readonly step: StepName; readonly command: string } {
  const { object } = source;
  const kind = object.kind.toLowerCase();
  switch (source.kind) {
    case 'status':
      // The first words of a waiting or terminated state stand in the STATUS column.
      return /state\.(?:waiting|terminated)|^status\.reason/.test(source.field ?? '') &&
        /^[A-Z]\w+(?::|,|$)/.test(text) &&
        text.length < 60
        ? { step: 'get', command: `kubectl get ${kind} ${object.name}${flag(object)}` }
        : { step: 'describe', command: `kubectl describe ${kind} ${object.name}${flag(object)}` };
    case 'condition':
    case 'event':
      return { step: 'describe', command: `kubectl describe ${kind} ${object.name}${flag(object)}` };
    case 'log':
      return source.previous
        ? {
            step: 'logs --previous',
            command: `kubectl logs ${object.name}${flag(object)} -c ${source.container} --previous`,
          }
        : { step: 'logs', command: `kubectl logs ${object.name}${flag(object)} -c ${source.container}` };
    case 'spec':
      return { step: 'validate', command: `kubectl get ${kind} ${object.name}${flag(object)} -o yaml` };
    case 'absence':
      return { step: 'validate', command: `kubectl get ${kind}s${flag(object)}` };
    case 'computed':
      return { step: 'validate', command: `kubectl get ${kind} ${object.name}${flag(object)} -o yaml` };
    default:
      return unreachable(source);
  }
}

/** Which of the classic steps a person would have run for this finding, and what in their output gives it away. Pure. */
export function explain(finding: Finding): readonly string[] {
  const subject = finding.subject;
  const lines: { readonly step: StepName; readonly command: string; readonly tells: string }[] = [
    {
      step: 'get',
      command:
        subject.kind === 'Pod'
          ? `kubectl get pods${flag(subject)}`
          : `kubectl get ${subject.kind.toLowerCase()} ${subject.name}${flag(subject)}`,
      tells: firstSight(finding),
    },
  ];
  for (const it of finding.evidence) {
    const { step, command } = stepOf(it);
    if (lines.some((line) => line.command === command)) continue;
    lines.push({ step, command, tells: clip(it.text.split('\n')[0] ?? '', 120) });
  }
  lines.sort((a, b) => steps.indexOf(a.step) - steps.indexOf(b.step));
  return lines.map((it, i) => `${i + 1}. ${it.command}\n        ${it.tells}`);
}

/** What the first look shows: the reason in the STATUS column. */
function firstSight({ evidence, subject }: Finding): string {
  for (const { source, text } of evidence) {
    if (source.kind !== 'status') continue;
    const reason = /^([A-Z]\w+)(?::|,|$)/.exec(text)?.[1];
    if (reason) return `STATUS ${reason}: something is wrong with ${subject.name}, not yet what`;
  }
  return `${subject.name} is not as it should be; nothing says yet why`;
}
