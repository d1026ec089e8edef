import type { Diagnosis, Evidence, Finding } from '../finding.ts';
import { show } from '../reference.ts';
import { sourceLine } from './source-line.ts';

export interface TextOptions {
  /** Colours and bold, for a terminal. */
  readonly color: boolean;
  /** Columns to wrap at. */
  readonly width: number;
  /** Where a field of the user's own file stands: `web.yaml:12`. */
  readonly locate?: (finding: Finding) => string | undefined;
  /** Base of the rules' pages. */
  readonly pages: string;
  /** Steps shown with each finding, for --explain. */
  readonly steps?: (finding: Finding) => readonly string[];
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
type Style = keyof typeof codes;

type Paint = (style: Style, text: string) => string;
const painter =
  (color: boolean): Paint =>
  (style, text) =>
    color ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;

/** The diagnosis for people. Ends in a line break. Pure. */
export function textReport(diagnosis: Diagnosis, options: TextOptions): string {
  const paint = painter(options.color);
  const lines: string[] = [];
  diagnosis.findings.forEach((it, i) => {
    if (i > 0) lines.push('');
    lines.push(...findingLines(it, i + 1, diagnosis.at, options, paint));
  });
  if (diagnosis.unexplained.length > 0) {
    if (lines.length > 0) lines.push('');
    lines.push(paint('yellow', `Not healthy, and no rule knows why: ${sample(diagnosis.unexplained.map(show), 6)}.`));
  }
  if (lines.length > 0) lines.push('');
  lines.push(...closing(diagnosis, paint));
  return `${lines.join('\n')}\n`;
}

const marks = { error: ['red', 'error'], warning: ['yellow', 'warning'], info: ['cyan', 'note'] } as const;

function findingLines(it: Finding, number: number, now: number, options: TextOptions, paint: Paint): readonly string[] {
  const [style, word] = marks[it.severity];
  const sure = it.certainty === 'certain' ? '' : `, ${it.certainty}`;
  const { width } = options;
  const lines = [
    `${paint('bold', `${number}. ${show(it.subject)}`)}  ${paint(style, word)}${paint('dim', `  ${it.rule}${sure}`)}`,
    ...wrap(it.says, width - 3).map((line) => `   ${line}`),
  ];
  if (it.affected.length > 1)
    lines.push(`   ${paint('bold', `${it.affected.length} affected`)}: ${sample(it.affected.map(show), 4)}`);
  lines.push('', paint('dim', '   Evidence'));
  for (const evidence of it.evidence) lines.push(...evidenceLines(evidence, now, width, paint));
  for (const other of it.otherwise ?? []) lines.push(...wrap(`Or: ${other}`, width - 5).map((line) => `     ${line}`));
  const at = options.locate?.(it);
  if (it.field) {
    lines.push('', paint('dim', '   In your object'));
    lines.push(`     ${show(it.field.object)}: ${it.field.path}${at ? `  ${paint('cyan', at)}` : ''}`);
  }
  lines.push('', paint('dim', '   Fix'), ...wrap(it.remedy.says, width - 5).map((line) => `     ${line}`));
  for (const command of it.remedy.commands) lines.push(paint('green', `       ${command}`));
  if (it.remedy.verify) lines.push(`     Then: ${it.remedy.verify}`);
  if (it.consequences.length > 0) {
    lines.push('', paint('dim', '   What follows from it'));
    for (const c of it.consequences)
      lines.push(
        ...wrap(`${show(c.subject)}${c.affected > 1 ? ` and ${c.affected - 1} more` : ''}: ${c.says}`, width - 5).map(
          (line) => `     ${line}`,
        ),
      );
  }
  const steps = options.steps?.(it) ?? [];
  if (steps.length > 0) lines.push('', paint('dim', '   By hand'), ...steps.map((line) => `     ${line}`));
  lines.push('', paint('dim', `   More: ${options.pages}${it.rule}.md`));
  return lines;
}

function evidenceLines(it: Evidence, now: number, width: number, paint: Paint): readonly string[] {
  return [
    ...it.text.split('\n').flatMap((line) => wrap(line, width - 7).map((part) => `     ${paint('dim', '│')} ${part}`)),
    paint('dim', `       from ${sourceLine(it.source, now)}`),
  ];
}

/** The first names, and how many there are besides. */
export const sample = (names: readonly string[], most: number): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

function closing({ findings, looked, unseen, unexplained }: Diagnosis, paint: Paint): readonly string[] {
  const lines: string[] = [];
  const bad = findings.filter((it) => it.severity !== 'info').length;
  const pods = `${looked.pods} pod${looked.pods === 1 ? '' : 's'}`;
  if (bad === 0 && unexplained.length === 0) {
    lines.push(paint('green', `Healthy: looked at ${pods}, found no fault.`));
    if (looked.troubled > 0)
      lines.push(
        `${looked.troubled} of them ${looked.troubled === 1 ? 'is' : 'are'} still on the way: ask again in a minute.`,
      );
  } else
    lines.push(
      `${bad} cause${bad === 1 ? '' : 's'} found; looked at ${pods}, of which ${looked.troubled} ${looked.troubled === 1 ? 'is' : 'are'} in trouble.`,
    );
  if (unseen.length > 0) {
    lines.push(paint('yellow', 'Could not see (a cause may hide there):'));
    for (const it of unseen)
      lines.push(`  ${it.what}: ${it.why}${it.why === 'not served' ? '' : `: ${it.message.split('\n')[0]}`}`);
  }
  return lines;
}

/** Breaks a line at spaces; words longer than the width stay whole. */
export function wrap(text: string, width: number): readonly string[] {
  const most = Math.max(20, width);
  if (text.length <= most) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}
