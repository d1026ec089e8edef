import { type FieldError, invalid } from '../../../api/field-error.ts';
import { type CheckedPod, checks, type Violation } from './checks.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** A level at a version: `restricted:latest`. */
export interface Policy {
  readonly level: Level;
  readonly version: string;
}

export const modes = ['enforce', 'audit', 'warn'] as const;
export type Mode = (typeof modes)[number];

const domain = 'pod-security.kubernetes.io/';
const levels: ReadonlySet<string> = new Set(['privileged', 'baseline', 'restricted']);
const versionPattern = /^(?:latest|v1\.(?:0|[1-9][0-9]*))$/;
const isLevel = (text: string): text is Level => levels.has(text);

export const showPolicy = (policy: Policy): string => `${policy.level}:${policy.version}`;

/** The policy of one mode, from a namespace's labels. What is not valid counts as restricted, as upstream fails closed. */
export function policyOf(labels: Readonly<Record<string, string | undefined>> | undefined, mode: Mode): Policy {
  const level = labels?.[`${domain}${mode}`] ?? 'privileged';
  const version = labels?.[`${domain}${mode}-version`] ?? 'latest';
  return {
    level: isLevel(level) ? level : 'restricted',
    version: versionPattern.test(version) ? version : 'latest',
  };
}

/** The errors in a namespace's labels. */
export function labelErrors(labels: Readonly<Record<string, string | undefined>> | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const mode of modes) {
    const level = labels?.[`${domain}${mode}`];
    const version = labels?.[`${domain}${mode}-version`];
    const field = (suffix: string): string => `metadata.labels[${domain}${mode}${suffix}]`;
    if (level !== undefined && !isLevel(level)) {
      errors.push(invalid(field(''), level, 'must be one of privileged, baseline, restricted'));
    }
    if (version !== undefined && !versionPattern.test(version)) {
      errors.push(invalid(field('-version'), version, 'must be "latest" or "v1.x"'));
    }
  }
  return errors;
}

/** All that a level finds wrong with a pod: baseline's checks, then those of restricted, which replace some. */
export function evaluate(level: Level, pod: CheckedPod): readonly Violation[] {
  if (level === 'privileged') return [];
  const replaced = new Set(level === 'restricted' ? checks.map((check) => check.replaces) : []);
  return checks
    .filter((check) => (check.level === 'baseline' ? !replaced.has(check.id) : level === 'restricted'))
    .map((check) => check.run(pod))
    .filter((violation) => violation !== undefined);
}

/** `privileged (container "c" must not …), hostPort (…)`. */
export const describe = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
