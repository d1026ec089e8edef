import { describe, expect, test } from 'vitest';
import { diagnose } from '../engine.ts';
import { explain } from '../explain.ts';
import { locate } from '../locate.ts';
import { allRules } from '../rules/index.ts';
import { snapshotFromYaml } from '../snapshot/from-yaml.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { sarifReport } from './sarif.ts';
import { textReport } from './text.ts';

const [example] = allRules.find((it) => it.id === 'configmap-missing')!.sick;
const diagnosis = diagnose(snapshotFromYaml(`${example.yaml}---\nkind: Unseen\nresource: secrets\n`), allRules);
const healthy = diagnose(snapshotFromYaml(''), allRules);
const options = { color: false, width: 80, pages: 'https://example.com/why/' };

describe('reports', () => {
  test('text says cause, evidence, fix and what could not be seen', () => {
    const text = textReport(diagnosis, options);
    expect(text).toContain('1. pod default/web  error  configmap-missing');
    expect(text).toContain('configmap "app-config" not found');
    expect(text).toContain('kubectl create configmap app-config -n default');
    expect(text).toContain('secrets: denied');
    expect(text).not.toContain('\u001b');
    expect(textReport(diagnosis, { ...options, color: true })).toContain('\u001b[31merror');
    expect(textReport(healthy, options)).toContain('Healthy');
  });

  test('JSON has its version and no inner fields', () => {
    const report = JSON.parse(JSON.stringify(jsonReport(diagnosis, 'v1.33.0')));
    expect(report).toMatchObject({
      version: 'coracle.why/v1',
      server: 'v1.33.0',
      healthy: false,
      findings: [{ rule: 'configmap-missing', subject: { kind: 'Pod', namespace: 'default', name: 'web' } }],
      unseen: [{ what: 'secrets', why: 'denied' }],
    });
    expect(report.findings[0]).not.toHaveProperty('rank');
  });

  test('SARIF names rule, level and place', () => {
    const report = sarifReport(diagnosis, {
      version: '1',
      pages: '',
      place: () => ({ file: 'web.yaml', line: 7, column: 3 }),
    });
    expect(report).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          results: [
            {
              ruleId: 'configmap-missing',
              level: 'error',
              locations: [{ physicalLocation: { artifactLocation: { uri: 'web.yaml' }, region: { startLine: 7 } } }],
            },
          ],
        },
      ],
    });
  });

  test('JUnit counts failures and escapes', () => {
    expect(junitReport(diagnosis)).toContain('failures="1"');
    expect(junitReport(diagnosis)).toContain('configmap &quot;app-config&quot; not found');
    expect(junitReport(healthy)).toContain('failures="0"');
  });

  test('Markdown quotes the evidence', () => {
    expect(markdownReport(diagnosis, options)).toContain(
      '> CreateContainerConfigError: configmap "app-config" not found',
    );
  });

  test('--explain names the commands in the order in which people run them', () => {
    const lines = explain(diagnosis.findings[0]!);
    expect(lines[0]).toContain('1. kubectl get pods -n default');
    expect(lines[1]).toContain('kubectl describe pod web -n default');
  });
});

test('a field is found in the user’s file, or the nearest line above it', () => {
  const text = `kind: Service
metadata: {name: web}
---
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: app
      image: nginx
`;
  const object = { kind: 'Pod', namespace: 'default', name: 'web' };
  const at = (path: string) => locate([{ file: 'a.yaml', text }], { object, path });
  expect(at('spec.containers[0].image')).toEqual({ file: 'a.yaml', line: 9, column: 14 });
  expect(at('spec.containers[0].resources.limits')).toEqual({ file: 'a.yaml', line: 8, column: 7 });
  expect(locate([{ file: 'a.yaml', text }], { object: { kind: 'Pod', name: 'x' }, path: 'spec' })).toBeUndefined();
});
