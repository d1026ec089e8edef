import { type FieldError, forbiddenField, invalid } from '../../api/field-error.ts';
import { leases } from '../../api/generated/resources.ts';
import type { V1Lease } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';

const { column } = columnsOf<V1Lease>();

export const leaseKind = defineKind(leases, {
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    const { leaseDurationSeconds: duration, leaseTransitions: transitions, strategy, preferredHolder } = spec;
    if (duration !== undefined && duration <= 0) {
      errors.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
    }
    if (transitions !== undefined && transitions < 0) {
      errors.push(invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
    }
    if (preferredHolder && !strategy) {
      errors.push(forbiddenField('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
    }
    return errors;
  },
  createOnUpdate: true,
  columns: [
    nameColumn,
    column('Holder', 'The identity of the holder of a current lease.', (it) => it.spec?.holderIdentity ?? ''),
    ageColumn,
  ],
});
