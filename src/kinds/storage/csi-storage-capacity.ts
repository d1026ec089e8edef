import { required } from '../../api/field-error.ts';
import { csistoragecapacities } from '../../api/generated/resources.ts';
import type { V1CSIStorageCapacity } from '../../api/generated/types.ts';
import { columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { validateLabelSelector } from '../labels.ts';
import { immutable } from '../object-meta.ts';

const { column } = columnsOf<V1CSIStorageCapacity>();

export const csiStorageCapacityKind = defineKind(csistoragecapacities, {
  validate: (it) => [
    ...validateLabelSelector(it.nodeTopology, 'nodeTopology'),
    ...(it.storageClassName ? [] : [required('storageClassName')]),
  ],
  validateUpdate: (next, old) => [
    ...immutable(next.nodeTopology, old.nodeTopology, 'nodeTopology'),
    ...immutable(next.storageClassName, old.storageClassName, 'storageClassName'),
  ],
  columns: [
    nameColumn,
    column('StorageClassName', 'The storage class.', (it) => it.storageClassName ?? ''),
    column('Capacity', 'What is available.', (it) => it.capacity ?? '<unset>'),
  ],
});
