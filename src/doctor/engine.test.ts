import { describe, expect, test } from 'vitest';
import { concerning, diagnose } from './engine.ts';
import type { Claim } from './finding.ts';
import type { Rule } from './rule.ts';
import { healthyPod, waitingPod } from './rules/example-pods.ts';
import { snapshotFromYaml } from './snapshot/from-yaml.ts';

const pod = (name: string): Claim['subject'] => ({ kind: 'Pod', namespace: 'default', name });

function rule(id: string, rank: number, ...claims: readonly Partial<Claim>[]): Rule {
  return {
    id,
    title: id,
    phase: 'run',
    codes: [],
    symptoms: [],
    severity: 'error',
    lint: 'never',
    rank,
    meaning: '',
    tell: '',
    fix: '',
    sick: [{ when: '', yaml: '' }],
    healthy: [],
    check: () =>
      claims.map((it) => ({
        subject: pod('web'),
        says: `${id} speaks.`,
        evidence: [{ text: id, source: { kind: 'computed', object: pod('web') } }],
        remedy: { says: 'Repair.', commands: [] },
        ...it,
      })),
  };
}

const three = snapshotFromYaml(
  ['web', 'api', 'db'].map((name) => waitingPod('ContainerCreating', '', { name })).join(''),
);
const found = (...rules: readonly Rule[]) => diagnose(three, rules).findings.map((it) => it.rule);

describe('the engine', () => {
  test('lets the strongest of competing claims speak and hangs the others below it', () => {
    const { findings } = diagnose(three, [rule('weak', 20, {}), rule('strong', 70, {})]);
    expect(findings.map((it) => it.rule)).toEqual(['strong']);
    expect(findings[0]?.consequences.map((it) => it.rule)).toEqual(['weak']);
  });

  test('keeps claims about different containers, and proved ones about the same', () => {
    expect(found(rule('a', 50, { container: 'x' }), rule('b', 60, { container: 'y' }))).toEqual(['b', 'a']);
    expect(found(rule('a', 90, {}), rule('b', 90, {}))).toEqual(['a', 'b']);
    expect(found(rule('a', 50, {}), rule('b', 50, {}))).toEqual(['a']);
  });

  test('makes one finding of claims with one cause', () => {
    const many = rule('a', 90, ...['web', 'api', 'db'].map((name) => ({ subject: pod(name), cause: 'registry/x' })));
    const { findings } = diagnose(three, [many]);
    expect(findings).toHaveLength(1);
    expect(findings[0]?.affected.map((it) => it.name)).toEqual(['web', 'api', 'db']);
  });

  test('puts what depends on a sick object below that object’s finding, over several steps', () => {
    const { findings } = diagnose(three, [
      rule('front', 66, { subject: pod('web'), because: [pod('api')] }),
      rule('middle', 66, { subject: pod('api'), because: [pod('db')] }),
      rule('bottom', 60, { subject: pod('db') }),
    ]);
    expect(findings.map((it) => it.rule)).toEqual(['bottom']);
    expect(findings[0]?.consequences.map((it) => it.rule).sort()).toEqual(['front', 'middle']);
  });

  test('leaves a circle of reasons as it is', () => {
    expect(
      found(
        rule('a', 60, { subject: pod('web'), because: [pod('api')] }),
        rule('b', 60, { subject: pod('api'), because: [pod('web')] }),
      ).sort(),
    ).toEqual(['a', 'b']);
  });

  test('lets a cause elsewhere explain weaker claims, not stronger ones', () => {
    const node = (rank: number) =>
      rule('node', rank, { subject: { kind: 'Node', name: 'n1' }, explains: [pod('web'), pod('api')] });
    expect(found(node(85), rule('a', 40, {}))).toEqual(['node']);
    expect(found(node(85), rule('a', 90, {})).sort()).toEqual(['a', 'node']);
  });

  test('a rule that breaks is told and silences no other', () => {
    const broken: Rule = {
      ...rule('broken', 50),
      check() {
        throw new Error('oh no');
      },
    };
    const { findings, unseen } = diagnose(three, [broken, rule('fine', 50, {})]);
    expect(findings.map((it) => it.rule)).toEqual(['fine']);
    expect(unseen[0]?.message).toContain('oh no');
  });

  test('names troubled pods that nobody explains', () => {
    expect(diagnose(three, []).unexplained.map((it) => it.name)).toEqual(['web', 'api', 'db']);
    expect(diagnose(snapshotFromYaml(healthyPod()), []).unexplained).toEqual([]);
  });

  test('narrows down to what was asked about', () => {
    const rules = [rule('a', 90, { subject: pod('web') }), rule('b', 90, { subject: pod('api') })];
    expect(concerning(diagnose(three, rules), three, pod('api')).findings.map((it) => it.rule)).toEqual(['b']);
    expect(concerning(diagnose(three, rules), three, { kind: 'Namespace', name: 'other' }).findings).toEqual([]);
    expect(concerning(diagnose(three, rules), three, { kind: 'Node', name: 'n1' }).findings).toHaveLength(2);
  });
});
