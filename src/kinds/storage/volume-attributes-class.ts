import { required } from '../../api/field-error.ts';
import { volumeattributesclasses } from '../../api/generated/resources.ts';
import type { V1VolumeAttributesClass } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { immutable } from '../object-meta.ts';

const { column } = columnsOf<V1VolumeAttributesClass>();

export const volumeAttributesClassKind = defineKind(volumeattributesclasses, {
  validate: (it) => [
    ...(it.driverName ? [] : [required('driverName')]),
    ...(Object.keys(it.parameters ?? {}).length > 0
      ? []
      : [required('parameters', 'must contain at least one key/value pair')]),
  ],
  validateUpdate: (next, old) => [
    ...immutable(next.driverName, old.driverName, 'driverName'),
    ...immutable(next.parameters, old.parameters, 'parameters'),
  ],
  columns: [nameColumn, column('DriverName', 'Name of the CSI driver.', (it) => it.driverName ?? ''), ageColumn],
});
