import { type FieldError, forbiddenField, invalid, required } from '../../api/field-error.ts';
import { persistentvolumeclaims } from '../../api/generated/resources.ts';
import type { V1PersistentVolumeClaim } from '../../api/generated/types.ts';
import { compareQuantity, tryParseQuantity } from '../../api/quantity.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { jsonDiff } from '../json-diff.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { defaultClaimSpec } from './claim-defaults.ts';
import { validateClaimSpec } from './claim-validation.ts';
import { accessModesText } from './persistent-volume.ts';

type Claim = Loose<V1PersistentVolumeClaim>;

const betaClass = 'volume.beta.kubernetes.io/storage-class';

/** The claim's storage class, from the annotation that came before the field. */
export const claimClass = ({ metadata = {}, spec = {} }: Claim): string =>
  metadata.annotations?.[betaClass] ?? spec.storageClassName ?? '';

function validateUpdate(next: Claim, old: Claim): FieldError[] {
  const spec = next.spec ?? {};
  const before = old.spec ?? {};
  const errors = validateClaimSpec(spec, 'spec');
  const reference: Record<string, unknown> = { ...before };
  const compared: Record<string, unknown> = { ...spec };
  if (!before.volumeName) reference['volumeName'] = spec.volumeName;
  const oldAnnotation = old.metadata?.annotations?.[betaClass];
  const annotation = next.metadata?.annotations?.[betaClass];
  const named = spec.storageClassName;
  const fromNil = named !== undefined && before.storageClassName === undefined;
  const movesToField = fromNil && oldAnnotation === named && (annotation === undefined || annotation === oldAnnotation);
  if (!movesToField && annotation !== oldAnnotation) {
    errors.push(invalid(`metadata.annotations.${betaClass}`, annotation ?? '', 'field is immutable'));
  }
  if (fromNil && (oldAnnotation === undefined || oldAnnotation === named)) delete compared['storageClassName'];
  if (old.status?.phase === 'Bound') {
    const requests = { ...spec.resources?.requests, storage: before.resources?.requests?.['storage'] };
    compared['resources'] = { ...spec.resources, requests };
    compared['volumeAttributesClassName'] = before.volumeAttributesClassName;
  }
  if (!semanticEqual(compared, reference)) {
    errors.push(
      forbiddenField(
        'spec',
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${jsonDiff(reference, compared)}`,
      ),
    );
  }
  const size = tryParseQuantity(spec.resources?.requests?.['storage']);
  const oldSize = tryParseQuantity(before.resources?.requests?.['storage']);
  const actual = tryParseQuantity(old.status?.capacity?.['storage'] ?? '0');
  if (size && oldSize && actual && compareQuantity(size, oldSize) < 0 && compareQuantity(size, actual) <= 0) {
    errors.push(forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  return [...errors, ...immutable(spec.volumeMode, before.volumeMode, 'volumeMode')];
}

const { column, wide } = columnsOf<V1PersistentVolumeClaim>();

export const persistentVolumeClaimKind = defineKind(persistentvolumeclaims, {
  defaults(claim) {
    claim.spec ??= {};
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
    defaultClaimSpec(claim.spec);
  },
  onCreate(claim) {
    claim.status = { phase: 'Pending' };
  },
  validate: (claim) => validateClaimSpec(claim.spec ?? {}, 'spec'),
  validateUpdate,
  validateStatus: ({ spec = {} }) => (spec.accessModes?.length ? [] : [required('Spec.accessModes')]),
  selectableFields: { name: (it) => it.metadata?.name ?? '' },
  columns: [
    nameColumn,
    column('Status', 'The current phase of the claim.', (it) =>
      it.metadata?.deletionTimestamp ? 'Terminating' : (it.status?.phase ?? ''),
    ),
    column('Volume', 'The volume that the claim is bound to.', (it) => it.spec?.volumeName ?? ''),
    column('Capacity', 'The actual resources of the volume.', (it) =>
      it.spec?.volumeName ? (it.status?.capacity?.['storage'] ?? '0') : '',
    ),
    column('Access Modes', 'The actual access modes of the volume.', (it) =>
      it.spec?.volumeName ? accessModesText(it.status?.accessModes) : '',
    ),
    column('StorageClass', 'The StorageClass required by the claim.', claimClass),
    column(
      'VolumeAttributesClass',
      'The VolumeAttributesClass used by the claim.',
      (it) => it.spec?.volumeAttributesClassName ?? '<unset>',
    ),
    ageColumn,
    wide('VolumeMode', 'What type of volume is required.', (it) => it.spec?.volumeMode ?? '<unset>'),
  ],
});
