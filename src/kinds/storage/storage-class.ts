import { type FieldError, notSupported, required } from '../../api/field-error.ts';
import { storageclasses } from '../../api/generated/resources.ts';
import type { V1StorageClass } from '../../api/generated/types.ts';
import { qualifiedName } from '../../api/names.ts';
import { invalids, optionalOneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { immutable } from '../object-meta.ts';

type StorageClass = Loose<V1StorageClass>;

/** Whether claims without a class get this one. */
export const isDefaultClass = ({ metadata }: StorageClass | V1StorageClass): boolean =>
  ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some(
    (key) => metadata?.annotations?.[key] === 'true',
  );

function validateClass(it: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  const { provisioner = '', parameters = {}, volumeBindingMode } = it;
  if (provisioner === '') errors.push(required('provisioner'));
  else errors.push(...invalids('provisioner', provisioner, qualifiedName(provisioner.toLowerCase())));
  for (const key in parameters) {
    if (key === '') errors.push(required('parameters', 'field can not be empty.'));
  }
  errors.push(...optionalOneOf('reclaimPolicy', it.reclaimPolicy, ['Delete', 'Retain']));
  if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'));
  else if (volumeBindingMode !== 'Immediate' && volumeBindingMode !== 'WaitForFirstConsumer') {
    errors.push(notSupported('volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']));
  }
  return errors;
}

const { column } = columnsOf<V1StorageClass>();

export const storageClassKind = defineKind(storageclasses, {
  defaults(it) {
    it.reclaimPolicy ??= 'Delete';
    it.volumeBindingMode ??= 'Immediate';
  },
  validate: validateClass,
  validateUpdate: (next, old) => [
    ...validateClass(next),
    ...(['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const).flatMap((field) =>
      immutable(next[field], old[field], field),
    ),
  ],
  columns: [
    {
      ...nameColumn,
      cell: (object) => `${object.metadata?.name ?? ''}${isDefaultClass(object as V1StorageClass) ? ' (default)' : ''}`,
    },
    column('Provisioner', 'The type of the provisioner.', (it) => it.provisioner ?? ''),
    column('ReclaimPolicy', 'The reclaim policy of volumes of this class.', (it) => it.reclaimPolicy ?? 'Delete'),
    column('VolumeBindingMode', 'How claims are provisioned and bound.', (it) => it.volumeBindingMode ?? 'Immediate'),
    column('AllowVolumeExpansion', 'Whether volumes may grow.', (it) => it.allowVolumeExpansion ?? false),
    ageColumn,
  ],
});
