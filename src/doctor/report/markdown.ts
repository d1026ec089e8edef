import type { Diagnosis, Finding } from '../finding.ts';
import { show } from '../reference.ts';
import { sourceLine } from './source-line.ts';
import { sample, type TextOptions } from './text.ts';

/** The diagnosis as Markdown, for issues and chats. Pure. */
export function markdownReport(diagnosis: Diagnosis, options: Pick<TextOptions, 'locate' | 'pages' | 'steps'>): string {
  const { findings, unexplained, unseen, looked } = diagnosis;
  const bad = findings.filter((it) => it.severity !== 'info').length;
  const parts = [
    bad === 0 && unexplained.length === 0
      ? `**Healthy**: looked at ${looked.pods} pods, found no fault.`
      : `**${bad} cause${bad === 1 ? '' : 's'}**; looked at ${looked.pods} pods, ${looked.troubled} in trouble.`,
    ...findings.map((it, i) => findingPart(it, i + 1, diagnosis.at, options)),
  ];
  if (unexplained.length > 0) parts.push(`Not healthy, and no rule knows why: ${sample(unexplained.map(show), 10)}.`);
  if (unseen.length > 0)
    parts.push(
      `Could not see:\n\n${unseen.map((it) => `- ${it.what}: ${it.why} (${it.message.split('\n')[0]})`).join('\n')}`,
    );
  return `${parts.join('\n\n')}\n`;
}

function findingPart(
  it: Finding,
  number: number,
  now: number,
  options: Pick<TextOptions, 'locate' | 'pages' | 'steps'>,
): string {
  const sure = it.certainty === 'certain' ? '' : ` (${it.certainty})`;
  const parts = [`## ${number}. ${it.title}\n\n\`${show(it.subject)}\`: ${it.says}${sure}`];
  if (it.affected.length > 1)
    parts.push(
      `${it.affected.length} affected: ${sample(
        it.affected.map((ref) => `\`${show(ref)}\``),
        8,
      )}`,
    );
  parts.push(it.evidence.map(({ text, source }) => `> ${quoted(text)}\n> — ${sourceLine(source, now)}`).join('\n>\n'));
  for (const other of it.otherwise ?? []) parts.push(`Or: ${other}`);
  if (it.field) {
    const at = options.locate?.(it);
    parts.push(`In \`${show(it.field.object)}\`: \`${it.field.path}\`${at ? ` (${at})` : ''}`);
  }
  parts.push(`**Fix.** ${it.remedy.says}`);
  const commands = [...it.remedy.commands, ...(it.remedy.verify ? [it.remedy.verify] : [])];
  if (commands.length > 0) parts.push(`\`\`\`sh\n${commands.join('\n')}\n\`\`\``);
  if (it.consequences.length > 0)
    parts.push(`Follows from it:\n\n${it.consequences.map((c) => `- \`${show(c.subject)}\`: ${c.says}`).join('\n')}`);
  const steps = options.steps?.(it) ?? [];
  if (steps.length > 0) parts.push(`By hand:\n\n${steps.map((line) => `- ${line.trim()}`).join('\n')}`);
  parts.push(`[${it.rule}](${options.pages}${it.rule}.md)`);
  return parts.join('\n\n');
}

const quoted = (text: string): string => text.replaceAll('\n', '\n> ');
