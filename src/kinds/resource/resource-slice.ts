import { required } from '../../api/field-error.ts';
import { resourceslices } from '../../api/generated/resources.ts';
import type { V1ResourceSlice } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { immutable } from '../object-meta.ts';

const { column } = columnsOf<V1ResourceSlice>();

export const resourceSliceKind = defineKind(resourceslices, {
  hasGeneration: true,
  validate: ({ spec = {} }) => [
    ...(spec.driver ? [] : [required('spec.driver')]),
    ...(spec.pool?.name ? [] : [required('spec.pool.name')]),
  ],
  validateUpdate: (next, old) => [
    ...immutable(next.spec?.pool?.name, old.spec?.pool?.name, 'spec.pool.name'),
    ...immutable(next.spec?.driver, old.spec?.driver, 'spec.driver'),
    ...immutable(next.spec?.nodeName, old.spec?.nodeName, 'spec.nodeName'),
  ],
  selectableFields: {
    'spec.nodeName': (it) => it.spec?.nodeName ?? '',
    'spec.driver': (it) => it.spec?.driver ?? '',
  },
  columns: [
    nameColumn,
    column('Node', 'The node that provides the devices.', (it) => it.spec?.nodeName ?? ''),
    column('Driver', 'The driver that publishes the slice.', (it) => it.spec?.driver ?? ''),
    column('Pool', 'The pool that the slice belongs to.', (it) => it.spec?.pool?.name ?? ''),
    ageColumn,
  ],
});
