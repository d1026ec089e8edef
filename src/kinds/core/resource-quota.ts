import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { resourcequotas } from '../../api/generated/resources.ts';
import type { V1ResourceQuota } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { isStandardQuotaResource, validateAmount, validateQuotaResourceName } from './resource-names.ts';

type Quota = Loose<V1ResourceQuota>;
type Spec = NonNullable<Quota['spec']>;
type Amounts = Readonly<Record<string, string | undefined>> | undefined;

const bare = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];
const scopes = new Set([...bare, 'PriorityClass', 'VolumeAttributesClass']);
const computeAndPods = new Set([
  ...['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory', 'pods'],
]);

/** Whether a scope can narrow a count of this resource. */
function scopeFits(scope: string, resource: string): boolean {
  switch (scope) {
    case 'Terminating':
    case 'NotTerminating':
    case 'NotBestEffort':
    case 'PriorityClass':
    case 'CrossNamespacePodAffinity':
      return computeAndPods.has(resource);
    case 'BestEffort':
      return resource === 'pods';
    case 'VolumeAttributesClass':
      return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
    default:
      return true;
  }
}

function validateAmounts(amounts: Amounts, path: string): FieldError[] {
  return Object.keys(amounts ?? {}).flatMap((name) => [
    ...validateQuotaResourceName(name, `${path}[${name}]`),
    ...validateAmount(name, amounts?.[name], `${path}[${name}]`),
  ]);
}

function conflicts(names: ReadonlySet<string>, value: unknown, path: string): FieldError[] {
  return [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ]
    .filter((pair) => pair.every((it) => names.has(it)))
    .map(() => invalid(path, value, 'conflicting scopes'));
}

function validateScopes(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const list = spec.scopes ?? [];
  const limited = Object.keys(spec.hard ?? {}).filter(isStandardQuotaResource);
  for (const scope of list) {
    if (!scopes.has(scope)) errors.push(invalid('spec.scopes', list, 'unsupported scope'));
    for (const resource of limited) {
      if (!scopeFits(scope, resource)) {
        errors.push(invalid('spec.scopes', list, 'unsupported scope applied to resource'));
      }
    }
  }
  return [...errors, ...conflicts(new Set(list), list, 'spec.scopes')];
}

function validateScopeSelector(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const terms = spec.scopeSelector?.matchExpressions ?? [];
  const path = 'spec.scopeSelector.matchExpressions';
  const limited = Object.keys(spec.hard ?? {}).filter(isStandardQuotaResource);
  for (const { scopeName = '', operator = '', values = [] } of terms) {
    if (!scopes.has(scopeName)) errors.push(invalid(`${path}.scopeName`, scopeName, 'unsupported scope'));
    for (const resource of limited) {
      if (!scopeFits(scopeName, resource)) {
        errors.push(invalid(path, spec.scopeSelector, 'unsupported scope applied to resource'));
      }
    }
    if (bare.includes(scopeName) && operator !== 'Exists') {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalid(`${path}.operator`, operator, detail));
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
        errors.push(required(`${path}.values`, detail));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
        errors.push(invalid(`${path}.values`, values, detail));
      }
    } else errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  return [...errors, ...conflicts(new Set(terms.map((it) => it.scopeName ?? '')), spec.scopes ?? null, path)];
}

function validateQuota({ spec = {} }: Quota): FieldError[] {
  return [...validateAmounts(spec.hard, 'spec.hard'), ...validateScopes(spec), ...validateScopeSelector(spec)];
}

/** `cpu: 1/4, pods: 2/10` for one half of the resources. */
const usage =
  (ofLimits: boolean) =>
  ({ status = {} }: Quota): string =>
    Object.keys(status.hard ?? {})
      .filter((name) => name.startsWith('limits.') === ofLimits)
      .sort()
      .map((name) => `${name}: ${status.used?.[name] ?? '0'}/${status.hard?.[name] ?? '0'}`)
      .join(', ');

const { column } = columnsOf<V1ResourceQuota>();

export const resourceQuotaKind = defineKind(resourcequotas, {
  defaults(quota) {
    quota.spec ??= {};
    quota.status ??= {};
  },
  validate: validateQuota,
  validateUpdate: (next, old) => {
    const sorted = (quota: Quota): string => [...new Set(quota.spec?.scopes ?? [])].sort().join();
    const errors = validateQuota(next);
    if (sorted(next) !== sorted(old))
      errors.push(invalid('spec.scopes', next.spec?.scopes ?? null, 'field is immutable'));
    return errors;
  },
  validateStatus: ({ status = {} }) => [
    ...validateAmounts(status.hard, 'status.hard'),
    ...validateAmounts(status.used, 'status.used'),
  ],
  columns: [
    nameColumn,
    column('Request', 'Request represents a minimum amount of cpu/memory that a container may consume.', usage(false)),
    column(
      'Limit',
      'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      usage(true),
    ),
    ageColumn,
  ],
});
