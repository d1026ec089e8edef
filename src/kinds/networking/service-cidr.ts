import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { servicecidrs } from '../../api/generated/resources.ts';
import type { V1ServiceCIDR } from '../../api/generated/types.ts';
import { isCidr } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { immutable } from '../object-meta.ts';
import { cidrDetail } from './network-policy.ts';

const { column } = columnsOf<V1ServiceCIDR>();

export const serviceCidrKind = defineKind(servicecidrs, {
  statusKeepsMeta: true,
  validate({ spec = {} }) {
    const { cidrs = [] } = spec;
    const errors: FieldError[] = [];
    if (cidrs.length === 0) errors.push(required('spec.cidrs', 'at least one CIDR required'));
    else if (cidrs.length > 2) errors.push(invalid('spec', spec, 'may only hold up to 2 values'));
    cidrs.forEach((it, i) => {
      if (!isCidr(it)) errors.push(invalid(`spec.cidrs[${i}]`, it, cidrDetail));
    });
    return errors;
  },
  validateUpdate: (next, old) => [...immutable(next.spec?.cidrs?.[0], old.spec?.cidrs?.[0], 'spec.cidrs[0]')],
  columns: [
    nameColumn,
    column(
      'CIDRs',
      'The address ranges from which Services get their addresses.',
      (it) => it.spec?.cidrs?.join(',') ?? '',
    ),
    ageColumn,
  ],
});
