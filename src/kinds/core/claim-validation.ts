import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type { V1PersistentVolumeClaimSpec } from '../../api/generated/types.ts';
import { dns1123Label, dns1123Subdomain } from '../../api/names.ts';
import { tryParseQuantity } from '../../api/quantity.ts';
import { invalids, optionalOneOf } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { validateLabelSelector } from '../labels.ts';
import { semanticEqual } from '../semantic-equal.ts';

type ClaimSpec = Loose<V1PersistentVolumeClaimSpec>;

export const accessModes: readonly string[] = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes: readonly string[] = ['Block', 'Filesystem'];

/** Access modes of claims and volumes; `owner` is in the message. */
export function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (modes.length === 0) errors.push(required(path, 'at least 1 access mode is required'));
  for (const mode of modes) if (!accessModes.includes(mode)) errors.push(notSupported(path, mode, accessModes));
  const known = modes.filter((it) => accessModes.includes(it));
  if (known.includes('ReadWriteOncePod') && known.some((it) => it !== 'ReadWriteOncePod')) {
    errors.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

/** A quantity above zero. */
export function positiveAmount(amount: string | undefined, path: string): FieldError[] {
  const quantity = tryParseQuantity(amount);
  return quantity && quantity.nano <= 0n ? [invalid(path, quantity.text, 'must be greater than zero')] : [];
}

function validateSource(
  source: { apiGroup?: string; kind?: string; name?: string; namespace?: string } | undefined,
  path: string,
): FieldError[] {
  if (!source) return [];
  const { apiGroup = '', kind = '', name = '', namespace = '' } = source;
  return [
    ...(name === '' ? [required(`${path}.name`)] : []),
    ...(kind === '' ? [required(`${path}.kind`)] : []),
    ...(apiGroup === '' && kind !== 'PersistentVolumeClaim'
      ? [invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]
      : []),
    ...(apiGroup === '' ? [] : invalids(`${path}.apiGroup`, apiGroup, dns1123Subdomain(apiGroup))),
    ...(namespace === '' ? [] : invalids(`${path}.namespace`, namespace, dns1123Label(namespace))),
  ];
}

/** The spec of a volume claim, also in templates (ValidatePersistentVolumeClaimSpec). */
export function validateClaimSpec(spec: ClaimSpec, path: string): FieldError[] {
  const errors = [
    ...validateAccessModes(spec.accessModes ?? [], `${path}.accessModes`),
    ...validateLabelSelector(spec.selector, `${path}.selector`),
  ];
  const storage = spec.resources?.requests?.['storage'];
  const storagePath = `${path}.resources[storage]`;
  if (storage === undefined) errors.push(required(storagePath));
  else errors.push(...positiveAmount(storage, storagePath));
  const { storageClassName, volumeMode, dataSource, dataSourceRef, volumeAttributesClassName } = spec;
  if (storageClassName) {
    errors.push(...invalids(`${path}.storageClassName`, storageClassName, dns1123Subdomain(storageClassName)));
  }
  errors.push(
    ...optionalOneOf(`${path}.volumeMode`, volumeMode, volumeModes),
    ...validateSource(dataSource, `${path}.dataSource`),
    ...validateSource(dataSourceRef, `${path}.dataSourceRef`),
  );
  if (dataSource && dataSourceRef) {
    const { namespace, ...rest } = dataSourceRef;
    if (namespace) {
      const detail = 'may not be specified when dataSourceRef.namespace is specified';
      errors.push(invalid(path, `${path}.dataSource`, detail));
    } else if (!semanticEqual(dataSource, rest)) {
      errors.push(invalid(path, `${path}.dataSource`, 'must match dataSourceRef'));
    }
  }
  if (volumeAttributesClassName) {
    const at = `${path}.volumeAttributesClassName`;
    errors.push(...invalids(at, volumeAttributesClassName, dns1123Subdomain(volumeAttributesClassName)));
  }
  return errors;
}
