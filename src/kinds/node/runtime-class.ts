import { duplicate, type FieldError, required } from '../../api/field-error.ts';
import { runtimeclasses } from '../../api/generated/resources.ts';
import type { V1RuntimeClass } from '../../api/generated/types.ts';
import { dns1123Label } from '../../api/names.ts';
import { invalids } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { validateTolerations } from '../core/pod-validation.ts';
import { validateAmount, validateResourceName } from '../core/resource-names.ts';
import { defineKind } from '../define.ts';
import { validateLabels } from '../labels.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';

const { column } = columnsOf<V1RuntimeClass>();

export const runtimeClassKind = defineKind(runtimeclasses, {
  validate({ handler = '', overhead, scheduling }) {
    const errors: FieldError[] =
      handler === '' ? [required('handler')] : invalids('handler', handler, dns1123Label(handler));
    for (const name in overhead?.podFixed) {
      const at = `overhead.podFixed[${name}]`;
      errors.push(...validateResourceName(name, at), ...validateAmount(name, overhead.podFixed[name], at));
    }
    const tolerations = scheduling?.tolerations ?? [];
    errors.push(
      ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
      ...validateTolerations(tolerations, 'scheduling.tolerations'),
    );
    tolerations.forEach((it, i) => {
      if (tolerations.slice(0, i).some((other) => semanticEqual(other, it))) {
        errors.push(duplicate(`scheduling.tolerations[${i}]`, it));
      }
    });
    return errors;
  },
  validateUpdate: (next, old) => immutable(next.handler, old.handler, 'handler'),
  createOnUpdate: true,
  columns: [
    nameColumn,
    column(
      'Handler',
      'The underlying runtime and configuration that handles pods of this class.',
      (it) => it.handler ?? '',
    ),
    ageColumn,
  ],
});
