import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import { persistentvolumes } from '../../api/generated/resources.ts';
import type { V1PersistentVolume } from '../../api/generated/types.ts';
import { dns1123Subdomain } from '../../api/names.ts';
import { rfc3339 } from '../../base/clock.ts';
import { invalids, noBacksteps, optionalOneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { jsonDiff } from '../json-diff.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { validateNodeSelector } from './affinity-validation.ts';
import { positiveAmount, validateAccessModes, volumeModes } from './claim-validation.ts';

type Volume = Loose<V1PersistentVolume>;
type Spec = NonNullable<Volume['spec']>;

const shortModes: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

/** `RWO,ROX` */
export const accessModesText = (modes: readonly string[] = []): string =>
  shortModes
    .filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',');

const sources = [
  ...['awsElasticBlockStore', 'azureDisk', 'azureFile', 'cephfs', 'cinder', 'csi', 'fc', 'flexVolume', 'flocker'],
  ...['gcePersistentDisk', 'glusterfs', 'hostPath', 'iscsi', 'local', 'nfs', 'photonPersistentDisk'],
  ...['portworxVolume', 'quobyte', 'rbd', 'scaleIO', 'storageos', 'vsphereVolume'],
];
const sourceOf = (spec: Spec): Record<string, unknown> =>
  Object.fromEntries(Object.entries(spec).filter(([key, value]) => sources.includes(key) && value !== undefined));

function validateSource(spec: Spec, path: string): FieldError[] {
  const names = Object.keys(sourceOf(spec));
  if (names.length === 0) return [required(path, 'must specify a volume type')];
  const errors = names.slice(1).map((it) => forbiddenField(`${path}.${it}`, 'may not specify more than 1 volume type'));
  const { hostPath, local, csi, nfs } = spec;
  if (hostPath) {
    const target = hostPath.path ?? '';
    if (target === '') errors.push(required(`${path}.hostPath.path`));
    else errors.push(...noBacksteps(`${path}.hostPath.path`, target));
    if (target.replace(/\/+$/, '') === '' && target !== '' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
      errors.push(
        forbiddenField(`${path}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'"),
      );
    }
  }
  if (local) {
    if (!local.path) errors.push(required(`${path}.local.path`));
    else errors.push(...noBacksteps(`${path}.local.path`, local.path));
    if (!spec.nodeAffinity) errors.push(required(`${path}.nodeAffinity`, 'Local volume requires node affinity'));
  }
  if (csi) {
    if (!csi.driver) errors.push(required(`${path}.csi.driver`));
    if (!csi.volumeHandle) errors.push(required(`${path}.csi.volumeHandle`));
  }
  if (nfs) {
    if (!nfs.server) errors.push(required(`${path}.nfs.server`));
    if (!nfs.path) errors.push(required(`${path}.nfs.path`));
    else if (!nfs.path.startsWith('/')) errors.push(invalid(`${path}.nfs.path`, nfs.path, 'must be an absolute path'));
  }
  return errors;
}

function validateVolume({ spec = {} }: Volume): FieldError[] {
  const errors = validateAccessModes(spec.accessModes ?? [], 'spec.accessModes');
  const capacity = spec.capacity ?? {};
  if (Object.keys(capacity).length === 0) errors.push(required('spec.capacity'));
  else if (!('storage' in capacity) || Object.keys(capacity).length > 1) {
    errors.push(notSupported('spec.capacity', capacity, ['storage']));
  }
  for (const name in capacity) errors.push(...positiveAmount(capacity[name], `spec.capacity[${name}]`));
  const policy = spec.persistentVolumeReclaimPolicy;
  errors.push(...optionalOneOf('spec.persistentVolumeReclaimPolicy', policy, ['Delete', 'Recycle', 'Retain']));
  if (spec.nodeAffinity) {
    const { required: needed } = spec.nodeAffinity;
    if (!needed) errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
    else errors.push(...validateNodeSelector(needed, 'spec.nodeAffinity.required'));
  }
  errors.push(...validateSource(spec, 'spec'));
  const { storageClassName: name } = spec;
  if (name) errors.push(...invalids('spec.storageClassName', name, dns1123Subdomain(name)));
  return [...errors, ...optionalOneOf('spec.volumeMode', spec.volumeMode, volumeModes)];
}

function validateUpdate(next: Volume, old: Volume): FieldError[] {
  const errors = validateVolume(next);
  const after = sourceOf(next.spec ?? {});
  const before = sourceOf(old.spec ?? {});
  if (!semanticEqual(after, before)) {
    const detail = `spec.persistentvolumesource is immutable after creation\n${jsonDiff(before, after)}`;
    errors.push(forbiddenField('spec.persistentvolumesource', detail));
  }
  errors.push(...immutable(next.spec?.volumeMode, old.spec?.volumeMode, 'volumeMode'));
  if (old.spec?.nodeAffinity) {
    errors.push(...immutable(next.spec?.nodeAffinity, old.spec.nodeAffinity, 'nodeAffinity'));
  }
  return errors;
}

const { column, wide } = columnsOf<V1PersistentVolume>();

export const persistentVolumeKind = defineKind(persistentvolumes, {
  defaults(volume) {
    volume.spec ??= {};
    volume.status ??= {};
    volume.status.phase ||= 'Pending';
    volume.spec.persistentVolumeReclaimPolicy ||= 'Retain';
    volume.spec.volumeMode ??= 'Filesystem';
    if (volume.spec.hostPath) volume.spec.hostPath.type ??= '';
    if (volume.spec.claimRef) {
      volume.spec.claimRef.kind ||= 'PersistentVolumeClaim';
      volume.spec.claimRef.apiVersion ||= 'v1';
    }
  },
  onCreate(volume, { clock }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: rfc3339(clock.now()) };
  },
  onStatusUpdate(next, old, { clock }) {
    next.status ??= {};
    const { status } = next;
    const moved = status.phase !== old.status?.phase;
    const kept = old.status?.lastPhaseTransitionTime;
    if (moved) {
      if (!status.lastPhaseTransitionTime || status.lastPhaseTransitionTime === kept) {
        status.lastPhaseTransitionTime = rfc3339(clock.now());
      }
    } else if (kept) status.lastPhaseTransitionTime = kept;
  },
  validate: validateVolume,
  validateUpdate,
  selectableFields: { name: (it) => it.metadata?.name ?? '' },
  columns: [
    nameColumn,
    column(
      'Capacity',
      "A description of the persistent volume's resources.",
      (it) => it.spec?.capacity?.['storage'] ?? '0',
    ),
    column('Access Modes', 'All ways the volume can be mounted.', (it) => accessModesText(it.spec?.accessModes)),
    column(
      'Reclaim Policy',
      'What happens to the volume when released from its claim.',
      (it) => it.spec?.persistentVolumeReclaimPolicy ?? '',
    ),
    column('Status', 'Whether the volume is available, bound or released.', (it) =>
      it.metadata?.deletionTimestamp ? 'Terminating' : (it.status?.phase ?? ''),
    ),
    column('Claim', 'The claim that the volume is bound to.', ({ spec = {} }) =>
      spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '',
    ),
    column(
      'StorageClass',
      'Name of StorageClass to which this persistent volume belongs.',
      ({ metadata = {}, spec = {} }) =>
        metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '',
    ),
    column(
      'VolumeAttributesClass',
      'Name of VolumeAttributesClass to which this volume belongs.',
      (it) => it.spec?.volumeAttributesClassName ?? '<unset>',
    ),
    column('Reason', 'A brief word about a failure.', (it) => it.status?.reason ?? ''),
    ageColumn,
    wide('VolumeMode', 'Whether the volume is formatted or raw.', (it) => it.spec?.volumeMode ?? '<unset>'),
  ],
});
