import { type FieldError, required } from '../../api/field-error.ts';
import { ipaddresses } from '../../api/generated/resources.ts';
import type { V1IPAddress } from '../../api/generated/types.ts';
import { ipReasons } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { immutable } from '../object-meta.ts';

function parent({ spec = {} }: Loose<V1IPAddress>): string {
  const { parentRef } = spec;
  if (!parentRef) return '<none>';
  const { group, resource = '', namespace, name = '' } = parentRef;
  const kind = (group ? `${resource}.${group}` : resource).toLowerCase();
  return [kind, ...(namespace ? [namespace] : []), name].join('/');
}

const { column } = columnsOf<V1IPAddress>();

export const ipAddressKind = defineKind(ipaddresses, {
  validateName: (name) => ipReasons(name),
  validate({ spec = {} }) {
    const { parentRef } = spec;
    if (!parentRef) return [required('spec.parentRef')];
    const errors: FieldError[] = [];
    if (!parentRef.resource) errors.push(required('spec.parentRef.resource'));
    if (!parentRef.name) errors.push(required('spec.parentRef.name'));
    return errors;
  },
  validateUpdate: (next, old) => immutable(next.spec?.parentRef, old.spec?.parentRef, 'spec.parentRef'),
  selectableFields: {
    'spec.parentRef.group': (it) => it.spec?.parentRef?.group ?? '',
    'spec.parentRef.resource': (it) => it.spec?.parentRef?.resource ?? '',
    'spec.parentRef.namespace': (it) => it.spec?.parentRef?.namespace ?? '',
    'spec.parentRef.name': (it) => it.spec?.parentRef?.name ?? '',
  },
  columns: [nameColumn, column('ParentRef', 'The resource that an IPAddress is attached to.', parent), ageColumn],
});
