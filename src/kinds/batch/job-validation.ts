import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../api/field-error.ts';
import type {
  V1Job,
  V1JobSpec,
  V1PodFailurePolicyRule,
  V1PodTemplateSpec,
  V1SuccessPolicyRule,
} from '../../api/generated/types.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../../api/names.ts';
import { mismatch } from '../apps/workload.ts';
import { invalids, nonNegative, optionalOneOf } from '../checks.ts';
import { validatePodTemplate } from '../core/pod-validation.ts';
import type { Loose } from '../draft.ts';
import { selectorMatches, validateLabelSelector } from '../labels.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';

type Job = Loose<V1Job>;
type JobSpec = Loose<V1JobSpec>;

/** Labels by which a job's pods are found, new and legacy. */
export const controllerUidLabel = 'batch.kubernetes.io/controller-uid';
export const jobNameLabel = 'batch.kubernetes.io/job-name';
export const legacyControllerUidLabel = 'controller-uid';
export const legacyJobNameLabel = 'job-name';

const quoted = (values: readonly string[]): string => `[${values.map((it) => JSON.stringify(it)).join(' ')}]`;
/** An Invalid error that names no value. */
const invalidAt = (path: string, detail: string): FieldError => invalid(path, undefined, detail);

function validateExitCodes(
  codes: NonNullable<Loose<V1PodFailurePolicyRule>['onExitCodes']>,
  path: string,
  containers: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  const { operator = '', containerName, values = [] } = codes;
  const operators = ['In', 'NotIn'];
  if (operator === '') errors.push(required(`${path}.operator`, `valid values: ${quoted(operators)}`));
  else errors.push(...optionalOneOf(`${path}.operator`, operator, operators));
  if (containerName !== undefined && !containers.includes(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${path}.containerName`, containerName, detail));
  }
  if (values.length === 0) errors.push(invalid(`${path}.values`, values, 'at least one value is required'));
  else if (values.length > 255) errors.push(tooMany(`${path}.values`, values.length, 255));
  values.forEach((value, i) => {
    const at = `${path}.values[${i}]`;
    if (operator === 'In' && value === 0) errors.push(invalid(at, value, 'must not be 0 for the In operator'));
    if (values.indexOf(value) < i) errors.push(duplicate(at, value));
  });
  if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) {
    errors.push(invalid(`${path}.values`, values, 'must be ordered'));
  }
  return errors;
}

function validateFailureRule(rule: Loose<V1PodFailurePolicyRule>, spec: JobSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { action = '', onExitCodes, onPodConditions = [] } = rule;
  const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
  if (action === '') errors.push(required(`${path}.action`, `valid values: ${quoted(actions)}`));
  else if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'));
  } else errors.push(...optionalOneOf(`${path}.action`, action, actions));
  const template = spec.template?.spec;
  const names = [...(template?.containers ?? []), ...(template?.initContainers ?? [])].map((it) => it.name ?? '');
  if (onExitCodes) errors.push(...validateExitCodes(onExitCodes, `${path}.onExitCodes`, names));
  if (onPodConditions.length > 20) errors.push(tooMany(`${path}.onPodConditions`, onPodConditions.length, 20));
  onPodConditions.forEach(({ type = '', status = '' }, i) => {
    const at = `${path}.onPodConditions[${i}]`;
    const statuses = ['False', 'True', 'Unknown'];
    errors.push(...invalids(`${at}.type`, type, qualifiedName(type)));
    if (status === '') errors.push(required(`${at}.status`, `valid values: ${quoted(statuses)}`));
    else errors.push(...optionalOneOf(`${at}.status`, status, statuses));
  });
  if (onExitCodes && onPodConditions.length > 0) {
    errors.push(invalidAt(path, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  } else if (!onExitCodes && onPodConditions.length === 0) {
    errors.push(invalidAt(path, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
  return errors;
}

/** How many indexes `1,3-5` names, or why it is malformed. */
function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let total = 0;
  let last = -1;
  for (const interval of text.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2)
      return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    const numbers = limits.map(Number);
    for (const [i, part] of limits.entries()) {
      if (!/^\d+$/.test(part)) return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
      if ((numbers[i] ?? 0) >= completions) return 'too large index: '.concat(JSON.stringify(part));
    }
    const [x = 0, y = x] = numbers;
    if (last >= x) return `non-increasing order, previous: ${last}, current: ${x}`;
    if (limits.length === 2 && x >= y) return `non-increasing order, previous: ${x}, current: ${y}`;
    total += y - x + 1;
    last = y;
  }
  return total;
}

function validateSuccessRule(rule: Loose<V1SuccessPolicyRule>, completions: number, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { succeededCount, succeededIndexes } = rule;
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  let total = 0;
  if (succeededIndexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (succeededIndexes.length > 64 * 1024) errors.push(tooLong(at, 64 * 1024));
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === 'number') total = counted;
    else errors.push(invalid(at, succeededIndexes, `error parsing succeededIndexes: ${counted}`));
  }
  if (succeededCount === undefined) return errors;
  const at = `${path}.succeededCount`;
  errors.push(...nonNegative(at, succeededCount));
  if (succeededCount > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
    errors.push(invalid(at, succeededCount, detail));
  }
  if (succeededIndexes !== undefined && succeededCount > total) {
    const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    errors.push(invalid(at, succeededCount, detail));
  }
  return errors;
}

const counts = [
  ...['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'],
  ...['backoffLimitPerIndex', 'maxFailedIndexes'],
] as readonly ('parallelism' | 'completions' | 'backoffLimitPerIndex')[];

function validateIndexed(spec: JobSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const atMost = (field: string, value: number, limit: number, when = ''): void => {
    if (value > limit) errors.push(invalid(`${path}.${field}`, value, `must be less than or equal to ${limit}${when}`));
  };
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  atMost('parallelism', parallelism, 100_000, ' when completion mode is Indexed');
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    const detail = 'must be less than or equal to completions';
    errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, detail));
  }
  if (maxFailedIndexes !== undefined) atMost('maxFailedIndexes', maxFailedIndexes, 100_000);
  if ((completions ?? 0) > 100_000 && backoffLimitPerIndex !== undefined) {
    if (maxFailedIndexes === undefined) {
      errors.push(required(`${path}.maxFailedIndexes`, 'must be specified when completions is above 100000'));
    }
    const when = ' when completions are above 100000 and used with backoff limit per index';
    atMost('parallelism', parallelism, 10_000, when);
    if (maxFailedIndexes !== undefined) atMost('maxFailedIndexes', maxFailedIndexes, 10_000, when);
  }
  return errors;
}

/** A job's spec without its selector: jobs, and templates of cron jobs. */
export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const errors = counts.flatMap((field) => nonNegative(`${path}.${field}`, spec[field]));
  const { completionMode = 'NonIndexed', podFailurePolicy, successPolicy, podReplacementPolicy, managedBy } = spec;
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (managedBy !== undefined) {
    const at = `${path}.managedBy`;
    const [domain = '', ...segments] = managedBy.split('/');
    if (managedBy === '') errors.push(required(at));
    else if (segments.length === 0 || segments.join('/') === '') {
      errors.push(invalid(at, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    } else errors.push(...invalids(at, domain, dns1123Subdomain(domain)));
    if (managedBy.length > 63) errors.push(tooLong(at, 63));
  }
  if (completionMode === 'Indexed') errors.push(...validateIndexed(spec, path));
  else if (completionMode !== 'NonIndexed') {
    errors.push(notSupported(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']));
  } else {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      const value = spec[field];
      if (value !== undefined) errors.push(invalid(`${path}.${field}`, value, 'requires indexed completion mode'));
    }
  }
  if (podFailurePolicy) {
    const rules = podFailurePolicy.rules ?? [];
    const at = `${path}.podFailurePolicy.rules`;
    if (rules.length > 20) errors.push(tooMany(at, rules.length, 20));
    rules.forEach((rule, i) => {
      errors.push(...validateFailureRule(rule, spec, `${at}[${i}]`));
    });
  }
  if (successPolicy) {
    const rules = successPolicy.rules ?? [];
    const at = `${path}.successPolicy`;
    if (completionMode !== 'Indexed') errors.push(invalid(at, successPolicy, 'requires indexed completion mode'));
    else {
      if (rules.length === 0) {
        const detail = 'at least one rules must be specified when the successPolicy is specified';
        errors.push(required(`${at}.rules`, detail));
      }
      if (rules.length > 20) errors.push(tooMany(`${at}.rules`, rules.length, 20));
      rules.forEach((rule, i) => {
        errors.push(...validateSuccessRule(rule, spec.completions ?? 0, `${at}.rules[${i}]`));
      });
    }
  }
  const replacements = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  errors.push(
    ...optionalOneOf(`${path}.podReplacementPolicy`, podReplacementPolicy, replacements),
    ...validatePodTemplate(spec.template ?? {}, `${path}.template`),
  );
  const restart = spec.template?.spec?.restartPolicy ?? '';
  const at = `${path}.template.spec.restartPolicy`;
  if (restart === '' || restart === 'Always') errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  else if (restart !== 'OnFailure' && restart !== 'Never') {
    errors.push(notSupported(at, restart, ['OnFailure', 'Never']));
  } else if (podFailurePolicy && restart !== 'Never') {
    errors.push(invalid(at, restart, 'only "Never" is supported when podFailurePolicy is specified'));
  }
  return errors;
}

function validateSelected(spec: JobSpec): FieldError[] {
  const errors = validateJobSpec(spec, 'spec');
  const labels = spec.template?.metadata?.labels;
  if (!spec.selector) errors.push(required('spec.selector'));
  else errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
  if (!selectorMatches(spec.selector, labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels ?? null, mismatch));
  }
  return errors;
}

function validateGenerated(job: Job): FieldError[] {
  const { spec = {}, metadata = {} } = job;
  if (spec.manualSelector || !spec.selector) return [];
  const errors: FieldError[] = [];
  const { uid = '', name = '' } = metadata;
  if (uid === '') errors.push(required('metadata.uid'));
  const labels = spec.template?.metadata?.labels ?? {};
  const expected = {
    [legacyControllerUidLabel]: uid,
    [legacyJobNameLabel]: name,
    [controllerUidLabel]: uid,
    [jobNameLabel]: name,
  };
  for (const [key, value] of Object.entries(expected)) {
    const actual = labels[key];
    const at = `spec.template.metadata.labels`;
    if (actual === undefined) errors.push(required(`${at}[${key}]`, `must be '${value}'`));
    else if (actual !== value) errors.push(invalid(`${at}[${key}]`, labels, `must be '${value}'`));
  }
  if (!selectorMatches(spec.selector, expected)) {
    errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  }
  return errors;
}

/** A new job (ValidateJob). */
export function validateJob(job: Job): FieldError[] {
  const errors = [...validateGenerated(job), ...validateSelected(job.spec ?? {})];
  const { completionMode, completions = 0 } = job.spec ?? {};
  const name = job.metadata?.name ?? '';
  if (completionMode === 'Indexed' && completions > 0) {
    const longest = `${name}-${completions - 1}`;
    if (dns1123Label(longest).length > 0) {
      const detail = `will not able to create pod with invalid DNS label: ${longest}`;
      errors.push(invalid('metadata.name', name, detail));
    }
  }
  return errors;
}

/** The old template with what a suspended job may change taken from the new one. */
function tolerated(old: Loose<V1PodTemplateSpec>, next: Loose<V1PodTemplateSpec>): Loose<V1PodTemplateSpec> {
  const { nodeAffinity: _old, ...others } = old.spec?.affinity ?? {};
  const nodeAffinity = next.spec?.affinity?.nodeAffinity;
  const affinity = { ...others, ...(nodeAffinity && { nodeAffinity }) };
  const has = Object.keys(affinity).length > 0;
  const { affinity: _affinity, ...rest } = old.spec ?? {};
  const sameNames = (list: 'containers' | 'initContainers'): typeof rest.containers =>
    old.spec?.[list]?.map((it, i) => {
      const now = next.spec?.[list]?.[i];
      return now && now.name === it.name && now.resources ? { ...it, resources: now.resources } : it;
    });
  const containers = sameNames('containers');
  const initContainers = sameNames('initContainers');
  const merged: Record<string, unknown> = {
    ...rest,
    ...(containers && { containers }),
    ...(initContainers && { initContainers }),
    ...(has && { affinity }),
    nodeSelector: next.spec?.nodeSelector,
    tolerations: next.spec?.tolerations,
    schedulingGates: next.spec?.schedulingGates,
  };
  const metadata: Record<string, unknown> = {
    ...old.metadata,
    labels: next.metadata?.labels,
    annotations: next.metadata?.annotations,
  };
  return { ...old, metadata, spec: merged } as Loose<V1PodTemplateSpec>;
}

const fixedFields = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const;

/** What may change of a job (ValidateJobUpdate). */
export function validateJobUpdate(next: Job, old: Job): FieldError[] {
  const spec = next.spec ?? {};
  const before = old.spec ?? {};
  const errors = validateSelected(spec);
  if (!semanticEqual(spec.completions, before.completions)) {
    // An indexed job may grow or shrink together with its parallelism.
    const elastic = spec.completionMode === 'Indexed' && before.completions !== undefined;
    if (!elastic) errors.push(...immutable(spec.completions, before.completions, 'spec.completions'));
    else if (spec.completions === undefined || spec.completions !== spec.parallelism) {
      const detail = `can only be modified in tandem with spec.parallelism`;
      errors.push(invalid('spec.completions', spec.completions ?? null, detail));
    }
  }
  errors.push(...immutable(spec.selector, before.selector, 'spec.selector'));
  const held =
    before.suspend === true &&
    (old.status?.active ?? 0) === 0 &&
    (old.status?.conditions?.some((it) => it.type === 'Suspended' && it.status === 'True') ?? false);
  const template = spec.template ?? {};
  const reference = held ? tolerated(before.template ?? {}, template) : before.template;
  errors.push(...immutable(template, reference, 'spec.template'));
  for (const field of fixedFields) errors.push(...immutable(spec[field], before[field], `spec.${field}`));
  return errors;
}

/** What may be written to a job's status. */
export function validateJobStatus(next: Job, old: Job): FieldError[] {
  const { status = {} } = next;
  const before = old.status ?? {};
  const errors = (['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((field) =>
    nonNegative(`status.${field}`, status[field]),
  );
  const isTrue = (job: Job, type: string): boolean =>
    job.status?.conditions?.some((it) => it.type === type && it.status === 'True') ?? false;
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (isTrue(old, type) && !isTrue(next, type)) {
      errors.push(invalidAt('status.conditions', `cannot disable the terminal ${type}=True condition`));
    }
  }
  if ((status.failed ?? 0) < (before.failed ?? 0)) {
    errors.push(invalid('status.failed', status.failed ?? 0, 'cannot decrease the failed counter'));
  }
  if ((status.succeeded ?? 0) < (before.succeeded ?? 0)) {
    errors.push(invalid('status.succeeded', status.succeeded ?? 0, 'cannot decrease the succeeded counter'));
  }
  return errors;
}
