import type { Diagnosis } from '../finding.ts';
import { show } from '../reference.ts';
import { sourceLine } from './source-line.ts';

/** Text as XML takes it; control characters that XML cannot hold are dropped. */
const xml = (text: string): string =>
  [...text]
    .filter((it) => it >= ' ' || it === '\n' || it === '\t')
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** The diagnosis as a JUnit test suite: one failed case for each finding; one passed case when all is well. Pure. */
export function junitReport({ findings, at, looked, unseen }: Diagnosis): string {
  const bad = findings.filter((it) => it.severity !== 'info');
  const cases = findings.map((it) => {
    const body = [
      it.says,
      '',
      ...it.evidence.map(({ text, source }) => `${text}\n  from ${sourceLine(source, at)}`),
      '',
      it.remedy.says,
      ...it.remedy.commands,
    ].join('\n');
    const inside =
      it.severity === 'info'
        ? `<skipped message="${xml(it.says)}"/>`
        : `<failure type="${it.rule}" message="${xml(it.says)}">${xml(body)}</failure>`;
    return `    <testcase classname="${xml(it.phase)}" name="${xml(`${show(it.subject)}: ${it.title}`)}">${inside}</testcase>`;
  });
  if (bad.length === 0) cases.push(`    <testcase classname="cluster" name="${looked.pods} pods are healthy"/>`);
  const notes = unseen.map((it) => `could not see ${it.what}: ${it.why}`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="coracle why" tests="${cases.length}" failures="${bad.length}" timestamp="${new Date(at).toISOString().slice(0, 19)}">
${cases.join('\n')}
${notes === '' ? '' : `    <system-err>${xml(notes)}</system-err>\n`}  </testsuite>
</testsuites>
`;
}
