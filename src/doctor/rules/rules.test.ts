import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { diagnose } from '../engine.ts';
import { snapshotFromYaml } from '../snapshot/from-yaml.ts';
import { allRules } from './index.ts';

const looked = (yaml: string, stage: 'live' | 'manifests' | undefined) =>
  diagnose(snapshotFromYaml(yaml, stage), allRules);

describe('every rule', () => {
  test('has a name and a file of its own', () => {
    const ids = allRules.map((it) => it.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, phase } of allRules) expect(readdirSync(`src/doctor/rules/${phase}`)).toContain(`${id}.ts`);
  });

  for (const rule of allRules) {
    describe(rule.id, () => {
      for (const { when, yaml, stage, says, also = [] } of rule.sick) {
        test(`speaks when ${when}`, () => {
          const { findings, unseen } = looked(yaml, stage);
          expect(unseen.filter((it) => it.why === 'failed')).toEqual([]);
          expect(findings.map((it) => it.rule).slice(0, 1)).toEqual([rule.id]);
          expect(findings.map((it) => it.rule).filter((it) => it !== rule.id && !also.includes(it))).toEqual([]);
          const [top] = findings;
          expect(top?.evidence.length).toBeGreaterThan(0);
          for (const it of top?.evidence ?? []) expect(it.text.trim()).not.toBe('');
          expect(top?.remedy.says).toMatch(/\.$/);
          expect(top?.says).toMatch(/^[A-Z].*\.$/s);
          if (says !== undefined) expect(top?.says).toContain(says);
        });
      }
      for (const { when, yaml, stage } of rule.healthy) {
        test(`is silent when ${when}`, () => {
          const { findings, unseen } = looked(yaml, stage);
          expect(unseen.filter((it) => it.why === 'failed')).toEqual([]);
          expect(findings.map((it) => `${it.rule}: ${it.says}`)).toEqual([]);
        });
      }
    });
  }
});
