import { duplicate, type FieldError, forbiddenField, invalid, required } from '../../api/field-error.ts';
import type {
  V1DownwardAPIVolumeFile,
  V1KeyToPath,
  V1ObjectMeta,
  V1ProjectedVolumeSource,
  V1Volume,
} from '../../api/generated/types.ts';
import { dns1123Label } from '../../api/names.ts';
import { tryParseQuantity } from '../../api/quantity.ts';
import { fileMode, invalids, noBacksteps, oneOf, onlyFields, optionalOneOf, unreservedPath } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { validateLabels } from '../labels.ts';
import { validateAnnotations } from '../object-meta.ts';
import { validateClaimSpec } from './claim-validation.ts';
import { validateFieldRef, validateResourceFieldRef, volumeFieldPaths } from './env-validation.ts';
import type { VolumesByName } from './mount-validation.ts';

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const need = (value: unknown, path: string): FieldError[] => (value ? [] : [required(path)]);

function validateItems(items: readonly Loose<V1KeyToPath>[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap(({ key, path: target = '', mode }, i) => {
    const at = `${path}.items[${i}]`;
    return [
      ...need(key, `${at}.key`),
      ...need(target, `${at}.path`),
      ...unreservedPath(`${at}.path`, target),
      ...fileMode(`${at}.mode`, mode),
    ];
  });
}

function validateDownwardFile(file: Loose<V1DownwardAPIVolumeFile>, path: string): FieldError[] {
  const { path: target = '', fieldRef, resourceFieldRef, mode } = file;
  const errors = [...need(target, `${path}.path`), ...unreservedPath(`${path}.path`, target)];
  if (fieldRef) {
    errors.push(...validateFieldRef(fieldRef, volumeFieldPaths, `${path}.fieldRef`));
    if (resourceFieldRef) {
      errors.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    }
  } else if (resourceFieldRef) {
    errors.push(...validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, true));
  } else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
  return [...errors, ...fileMode(`${path}.mode`, mode)];
}

function validateProjected(projected: Loose<V1ProjectedVolumeSource>, path: string): FieldError[] {
  const errors = fileMode(`${path}.defaultMode`, projected.defaultMode);
  const taken = new Set<string>();
  const take = (target: string | undefined, subject: string): void => {
    if (!target) return;
    if (taken.has(target)) errors.push(invalid(path, subject, 'conflicting duplicate paths'));
    taken.add(target);
  };
  projected.sources?.forEach((source, i) => {
    const at = `${path}.sources[${i}]`;
    const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle } = source;
    for (const [name, keyed] of [
      ['secret', secret],
      ['configMap', configMap],
    ] as const) {
      if (!keyed) continue;
      errors.push(...need(keyed.name, `${at}.${name}.name`), ...validateItems(keyed.items, `${at}.${name}`));
      for (const item of keyed.items ?? []) take(item.path, keyed.name ?? '');
    }
    for (const file of downwardAPI?.items ?? []) {
      errors.push(...validateDownwardFile(file, `${at}.downwardAPI`));
      take(file.path, file.path ?? '');
    }
    if (serviceAccountToken) {
      const { expirationSeconds = 0, path: target = '' } = serviceAccountToken;
      const where = `${at}.serviceAccountToken.expirationSeconds`;
      if (expirationSeconds < 600) {
        errors.push(invalid(where, expirationSeconds, 'may not specify a duration less than 10 minutes'));
      }
      if (expirationSeconds > 2 ** 32) {
        errors.push(invalid(where, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
      }
      errors.push(...need(target, `${path}.path`), ...unreservedPath(`${path}.path`, target));
    }
    if (clusterTrustBundle) {
      const where = `${at}.clusterTrustBundle`;
      const { name, signerName, path: target = '' } = clusterTrustBundle;
      if (name !== undefined && signerName !== undefined) {
        errors.push(invalid(where, clusterTrustBundle, 'only one of name and signerName may be used'));
      } else if (name === undefined && signerName === undefined) {
        errors.push(required(where, 'either name or signerName must be specified'));
      }
      errors.push(...need(target, `${where}.path`), ...unreservedPath(`${where}.path`, target));
      take(target, target);
    }
    if (Object.values(source).filter(Boolean).length > 1) {
      errors.push(forbiddenField(at, 'may not specify more than 1 volume type per source'));
    }
  });
  return errors;
}

type Source = Exclude<keyof V1Volume, 'name'>;
type Checks = { readonly [Key in Source]?: (source: NonNullable<Loose<V1Volume>[Key]>, path: string) => FieldError[] };

const checks: Checks = {
  emptyDir: ({ sizeLimit }, path) =>
    sizeLimit !== undefined && (tryParseQuantity(sizeLimit)?.nano ?? 0n) < 0n
      ? [forbiddenField(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: ({ path: target = '', type }, path) =>
    target === ''
      ? [required(`${path}.path`)]
      : [...noBacksteps(`${path}.path`, target), ...optionalOneOf(`${path}.type`, type, hostPathTypes)],
  gitRepo: ({ repository }, path) => need(repository, `${path}.repository`),
  secret: ({ secretName, defaultMode, items }, path) => [
    ...need(secretName, `${path}.secretName`),
    ...fileMode(`${path}.defaultMode`, defaultMode),
    ...validateItems(items, path),
  ],
  configMap: ({ name, defaultMode, items }, path) => [
    ...need(name, `${path}.name`),
    ...fileMode(`${path}.defaultMode`, defaultMode),
    ...validateItems(items, path),
  ],
  nfs: ({ server, path: target = '' }, path) => [
    ...need(server, `${path}.server`),
    ...need(target, `${path}.path`),
    ...(target.startsWith('/') ? [] : [invalid(`${path}.path`, target, 'must be an absolute path')]),
  ],
  persistentVolumeClaim: ({ claimName }, path) => need(claimName, `${path}.claimName`),
  downwardAPI: ({ defaultMode, items }, path) => [
    ...fileMode(`${path}.defaultMode`, defaultMode),
    ...(items ?? []).flatMap((file) => validateDownwardFile(file, path)),
  ],
  projected: validateProjected,
  csi: ({ driver, nodePublishSecretRef }, path) => [
    ...need(driver, `${path}.driver`),
    ...(nodePublishSecretRef ? need(nodePublishSecretRef.name, `${path}.nodePublishSecretRef.name`) : []),
  ],
  ephemeral: ({ volumeClaimTemplate }, path) => {
    const at = `${path}.volumeClaimTemplate`;
    if (!volumeClaimTemplate) return [required(at)];
    return [
      ...validateTemplateMeta(volumeClaimTemplate.metadata, `${at}.metadata`),
      ...validateClaimSpec(volumeClaimTemplate.spec ?? {}, `${at}.spec`),
    ];
  },
  image: ({ pullPolicy }, path) => oneOf(`${path}.pullPolicy`, pullPolicy, ['Always', 'IfNotPresent', 'Never']),
  iscsi: ({ targetPortal, iqn }, path) => [...need(targetPortal, `${path}.targetPortal`), ...need(iqn, `${path}.iqn`)],
  fc: ({ targetWWNs, wwids }, path) =>
    targetWWNs?.length || wwids?.length
      ? []
      : [required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both')],
  gcePersistentDisk: ({ pdName }, path) => need(pdName, `${path}.pdName`),
  awsElasticBlockStore: ({ volumeID }, path) => need(volumeID, `${path}.volumeID`),
  azureFile: ({ secretName, shareName }, path) => [
    ...need(secretName, `${path}.secretName`),
    ...need(shareName, `${path}.shareName`),
  ],
  flexVolume: ({ driver }, path) => need(driver, `${path}.driver`),
};

/** Metadata of a template inside another object: labels and annotations alone. */
export function validateTemplateMeta(meta: Loose<V1ObjectMeta> | undefined, path: string): FieldError[] {
  return [
    ...validateAnnotations(meta?.annotations, `${path}.annotations`),
    ...validateLabels(meta?.labels, `${path}.labels`),
    ...onlyFields(meta ?? {}, ['annotations', 'labels'], path, 'cannot be set'),
  ];
}

/** The volumes of a pod, and those of them without fault by name (ValidateVolumes). */
export function validateVolumes(
  volumes: readonly Loose<V1Volume>[],
  podName: string,
  path: string,
): { readonly errors: FieldError[]; readonly byName: VolumesByName } {
  const errors: FieldError[] = [];
  const byName = new Map<string, Loose<V1Volume>>();
  const created = new Set(
    podName === '' ? [] : volumes.filter((it) => it.ephemeral).map((it) => `${podName}-${it.name}`),
  );
  volumes.forEach((volume, i) => {
    const at = `${path}[${i}]`;
    const { name = '' } = volume;
    const own: FieldError[] = [];
    let sources = 0;
    for (const key of Object.keys(volume) as (keyof V1Volume)[]) {
      if (key === 'name' || !volume[key]) continue;
      if (sources++ > 0) own.push(forbiddenField(`${at}.${key}`, 'may not specify more than 1 volume type'));
      else {
        const check = checks[key] as ((source: unknown, path: string) => FieldError[]) | undefined;
        own.push(...(check?.(volume[key], `${at}.${key}`) ?? []));
      }
    }
    if (sources === 0) own.push(required(at, 'must specify a volume type'));
    if (name === '') own.push(required(`${at}.name`));
    else own.push(...invalids(`${at}.name`, name, dns1123Label(name)));
    if (byName.has(name)) own.push(duplicate(`${at}.name`, name));
    if (own.length === 0) byName.set(name, volume);
    errors.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim && created.has(claim)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume';
      errors.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, detail));
    }
  });
  return { errors, byName };
}
