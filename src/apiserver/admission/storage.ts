import { storageclasses } from '../../api/generated/resources.ts';
import type { V1PersistentVolumeClaim } from '../../api/generated/types.ts';
import { compareQuantity, parseQuantity } from '../../api/quantity.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import type { AdmissionPlugin, ServerContext } from '../contracts.ts';
import { draftOf, isFor, refuse } from './request.ts';

const betaClass = 'volume.beta.kubernetes.io/storage-class';
const defaultMarks = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** The newest object first, and by name among those of one moment: how several defaults are told apart. */
const newestFirst = (a: Live<KubeObject>, b: Live<KubeObject>): number =>
  Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

/** Claims without a class get the default one (plugin/pkg/admission/storage/storageclass/setdefault). */
export function defaultStorageClass(context: ServerContext): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    resources: ['persistentvolumeclaims'],
    admit(request) {
      if (request.operation !== 'CREATE' || !isFor(request, '', 'persistentvolumeclaims')) return;
      const claim = draftOf<V1PersistentVolumeClaim>(request);
      claim.spec ??= {};
      if (claim.metadata?.annotations?.[betaClass] !== undefined || claim.spec.storageClassName !== undefined) return;
      const [chosen] = context.reader
        .list(storageclasses)
        .filter((known) => defaultMarks.some((mark) => known.metadata.annotations?.[mark] === 'true'))
        .sort(newestFirst);
      if (chosen) claim.spec.storageClassName = chosen.metadata.name;
    },
  };
}

const finalizers: Readonly<Record<string, string>> = {
  'persistentvolumes.': 'kubernetes.io/pv-protection',
  'persistentvolumeclaims.': 'kubernetes.io/pvc-protection',
  'volumeattributesclasses.storage.k8s.io': 'kubernetes.io/vac-protection',
};

/** Volumes and claims cannot vanish while they are used (plugin/pkg/admission/storage/storageobjectinuseprotection). */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(request) {
    if (request.operation !== 'CREATE' || request.subresource) return;
    const finalizer = finalizers[`${request.resource.plural}.${request.resource.group}`];
    if (finalizer === undefined) return;
    const object = draftOf<V1PersistentVolumeClaim>(request);
    object.metadata ??= {};
    if (object.metadata.finalizers?.includes(finalizer)) return;
    object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  },
};

/** Claims grow only where their class allows it (plugin/pkg/admission/storage/persistentvolume/resize). */
export function persistentVolumeClaimResize(context: ServerContext): AdmissionPlugin {
  const classOf = (
    claim: Live<V1PersistentVolumeClaim> | ReturnType<typeof draftOf<V1PersistentVolumeClaim>>,
  ): string => claim.metadata?.annotations?.[betaClass] ?? claim.spec?.storageClassName ?? '';
  return {
    name: 'PersistentVolumeClaimResize',
    resources: ['persistentvolumeclaims'],
    validate(request) {
      if (request.operation !== 'UPDATE' || !isFor(request, '', 'persistentvolumeclaims')) return;
      const claim = draftOf<V1PersistentVolumeClaim>(request);
      const old: Live<V1PersistentVolumeClaim> | undefined = request.old;
      if (!old) return;
      const size = parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0');
      if (compareQuantity(size, parseQuantity(old.spec?.resources?.requests?.['storage'] ?? '0')) <= 0) return;
      if (old.status?.phase !== 'Bound') throw refuse(request, 'Only bound persistent volume claims can be expanded');
      const name = classOf(claim);
      const known =
        name !== '' && name === classOf(old) ? context.reader.get(storageclasses, undefined, name) : undefined;
      if (!known?.allowVolumeExpansion) {
        throw refuse(
          request,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        );
      }
    },
  };
}

export { newestFirst };
