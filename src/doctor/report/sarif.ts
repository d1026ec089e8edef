import type { Diagnosis, Finding } from '../finding.ts';
import type { Place } from '../locate.ts';
import { keyOf, show } from '../reference.ts';
import { sourceLine } from './source-line.ts';

const levels = { error: 'error', warning: 'warning', info: 'note' } as const;

export interface SarifOptions {
  readonly version: string;
  readonly pages: string;
  readonly place?: (finding: Finding) => Place | undefined;
}

/** The diagnosis as SARIF 2.1.0 (docs.oasis-open.org/sarif), which code hosts show beside the lines. Pure. */
export function sarifReport(diagnosis: Diagnosis, { version, pages, place }: SarifOptions): object {
  const rules = new Map(diagnosis.findings.map((it) => [it.rule, it]));
  const ids = [...rules.keys()];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'coracle why',
            version,
            rules: [...rules.values()].map((it) => ({
              id: it.rule,
              shortDescription: { text: it.title },
              helpUri: `${pages}${it.rule}.md`,
              properties: { phase: it.phase },
            })),
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: diagnosis.unseen.map((it) => ({
              level: 'warning',
              message: { text: `could not see ${it.what}: ${it.why}: ${it.message.split('\n')[0]}` },
            })),
          },
        ],
        results: diagnosis.findings.map((it) => result(it, ids, diagnosis.at, place?.(it))),
      },
    ],
  };
}

function result(it: Finding, ids: readonly string[], now: number, at: Place | undefined): object {
  const evidence = it.evidence.map(({ text, source }) => `${text} (${sourceLine(source, now)})`).join('\n');
  return {
    ruleId: it.rule,
    ruleIndex: ids.indexOf(it.rule),
    level: levels[it.severity],
    message: { text: `${it.says}\n\n${evidence}\n\n${it.remedy.says}` },
    partialFingerprints: { cause: `${it.rule}|${it.cause || keyOf(it.subject)}` },
    locations: [
      {
        ...(at && {
          physicalLocation: {
            artifactLocation: { uri: at.file },
            region: { startLine: at.line, startColumn: at.column },
          },
        }),
        logicalLocations: [
          {
            fullyQualifiedName: it.field ? `${show(it.field.object)}#${it.field.path}` : show(it.subject),
            kind: 'object',
          },
        ],
      },
    ],
  };
}
