import { type FieldError, forbiddenField } from '../../api/field-error.ts';
import { priorityclasses } from '../../api/generated/resources.ts';
import type { V1PriorityClass } from '../../api/generated/types.ts';
import { oneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { immutable } from '../object-meta.ts';

/** The classes that the system makes for itself. */
export const systemPriorities: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};
/** The highest value that users may give. */
export const highestUserPriority = 1_000_000_000;

function systemReason(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = systemPriorities[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known !== value) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

const { column, wide } = columnsOf<V1PriorityClass>();

export const priorityClassKind = defineKind(priorityclasses, {
  defaults(it) {
    it.preemptionPolicy ??= 'PreemptLowerPriority';
    it.value ??= 0;
  },
  hasGeneration: true,
  validate({ metadata = {}, value = 0, globalDefault = false, preemptionPolicy }) {
    const errors: FieldError[] = [];
    const { name = '' } = metadata;
    if (name.startsWith('system-')) {
      const reason = systemReason(name, value, globalDefault);
      if (reason) {
        const detail = `priority class names with 'system-' prefix are reserved for system use only. error: ${reason}`;
        errors.push(forbiddenField('metadata.name', detail));
      }
    } else if (value > highestUserPriority) {
      const detail = `maximum allowed value of a user defined priority is ${highestUserPriority}`;
      errors.push(forbiddenField('value', detail));
    }
    if (preemptionPolicy !== undefined) {
      errors.push(...oneOf('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']));
    }
    return errors;
  },
  validateUpdate: (next, old) => [
    ...((next.value ?? 0) === (old.value ?? 0) ? [] : [forbiddenField('value', 'may not be changed in an update.')]),
    ...immutable(next.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy'),
  ],
  columns: [
    nameColumn,
    column('Value', 'The integer value of this priority class.', (it) => it.value ?? 0, 'integer'),
    column(
      'Global-Default',
      'Whether this is the default priority of pods without a class.',
      (it) => it.globalDefault ?? false,
      'boolean',
    ),
    ageColumn,
    wide('PreemptionPolicy', 'Whether pods of this class preempt others.', (it) => it.preemptionPolicy ?? ''),
  ],
});
