import { diagnose } from './engine.ts';
import { textReport } from './report/text.ts';
import type { Phase, Rule } from './rule.ts';
import { snapshotFromYaml } from './snapshot/from-yaml.ts';

/** What each phase is called on the overview. */
const phaseTitles: Readonly<Record<Phase, string>> = {
  admission: 'Admission: nothing is created',
  scheduling: 'Scheduling: no node fits',
  config: 'Configuration: ConfigMaps, Secrets, security',
  image: 'Image: it cannot be pulled',
  create: 'Create and start: the container never runs',
  run: 'Run: it crashes',
  probe: 'Probes: it is not healthy',
  network: 'Network, Services and DNS',
  node: 'Nodes',
  controller: 'Controllers, autoscaling, disruption',
  storage: 'Storage',
};

const severityWords = { error: 'error', warning: 'warning', info: 'note' } as const;
const lintWords: Readonly<Record<Rule['lint'], string>> = {
  manifest: 'yes, from the one manifest',
  set: 'yes, from the whole set of manifests',
  cluster: 'yes, against a cluster',
  never: 'no',
};

/** The page of one rule: made from its metadata and examples. Pure. */
export function rulePage(rule: Rule, all: readonly Rule[]): string {
  const { id, title, phase, codes, symptoms, severity, lint, meaning, tell, fix, sick, healthy, fault } = rule;
  const parts = [
    '<!-- Generated from the rule by scripts/why-pages.mjs. Do not edit. -->',
    `# ${title}`,
    [
      `- Rule: \`${id}\` (${severityWords[severity]}), phase: ${phaseTitles[phase]}`,
      ...(codes.length > 0 ? [`- Catalogue: ${codes.join(', ')}`] : []),
      `- Seen as: ${symptoms.map((it) => `\`${it.replaceAll('`', "'")}\``).join(', ')}`,
      `- Known before apply: ${lintWords[lint]}`,
      ...(fault ? [`- Provoke it: \`coracle fault start ${id}\` (on ${fault.runtimes.join(', ')})`] : []),
    ].join('\n'),
    `## What it means\n\n${meaning}`,
    `## How to tell\n\n${tell}`,
    `## Fix\n\n${fix}`,
    '## Examples',
  ];
  for (const { when, yaml, stage } of sick) {
    const diagnosis = diagnose(snapshotFromYaml(yaml, stage), all);
    const report = textReport(diagnosis, { color: false, width: 100, pages: '' });
    parts.push(`### Sick: ${when}\n\n${fence('yaml', yaml)}\n\n${fence('', report)}`);
  }
  for (const { when, yaml } of healthy) parts.push(`### Healthy: ${when}\n\n${fence('yaml', yaml)}`);
  return `${parts.join('\n\n')}\n`;
}

const fence = (language: string, text: string): string =>
  `\`\`\`${language}\n${text.trim().replaceAll('```', "'''")}\n\`\`\``;

/** The overview of all rules. Pure. */
export function indexPage(rules: readonly Rule[]): string {
  const parts = [
    '<!-- Generated from the rules by scripts/why-pages.mjs. Do not edit. -->',
    '# What `coracle why` knows',
    `${rules.length} causes. Each page says what the cause means, how to tell it from its neighbours, how to repair it, and shows examples. The JSON report is described in [report.md](report.md), new rules in [adding a rule](../adding-a-rule.md).`,
  ];
  for (const [phase, title] of Object.entries(phaseTitles)) {
    const own = rules.filter((it) => it.phase === phase);
    if (own.length === 0) continue;
    parts.push(
      `## ${title}\n\n${own.map((it) => `- [${it.title}](${it.id}.md) \`${it.id}\`${it.codes.length > 0 ? ` (${it.codes.join(', ')})` : ''}`).join('\n')}`,
    );
  }
  return `${parts.join('\n\n')}\n`;
}
