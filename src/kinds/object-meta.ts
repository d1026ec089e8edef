import { type FieldError, forbiddenField, invalid, required, tooLong } from '../api/field-error.ts';
import type { V1ObjectMeta, V1OwnerReference } from '../api/generated/types.ts';
import {
  dns1123Label,
  nameIsDns1123Label,
  nameIsDns1123Subdomain,
  pathSegmentName,
  pathSegmentPrefix,
  qualifiedName,
} from '../api/names.ts';
import { parseApiVersion } from '../api/resource.ts';
import type { Loose } from './draft.ts';
import { validateLabels } from './labels.ts';
import { semanticEqual } from './semantic-equal.ts';

/** How a kind checks names: the reasons against one. `isPrefix` for generateName. */
export type NameCheck = (name: string, isPrefix: boolean) => readonly string[];

/** Most kinds: a DNS subdomain. */
export const subdomainName: NameCheck = nameIsDns1123Subdomain;
/** Namespaces and others: a DNS label. */
export const labelName: NameCheck = nameIsDns1123Label;
/** RBAC: anything that can stand in a path (apimachinery/pkg/api/validation/path). */
export const pathName: NameCheck = (name, isPrefix) => (isPrefix ? pathSegmentPrefix(name) : pathSegmentName(name));

const annotationsLimit = 256 * 1024;

/** The words for a field that an update may not change. */
export const immutableDetail = 'field is immutable';

/** An error where an update changed the value. */
export function immutable(next: unknown, old: unknown, path: string): readonly FieldError[] {
  return semanticEqual(next, old) ? [] : [invalid(path, next ?? null, immutableDetail)];
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string | undefined>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in annotations) {
    for (const reason of qualifiedName(key.toLowerCase())) errors.push(invalid(path, key, reason));
    size += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '');
  }
  if (size > annotationsLimit) errors.push(tooLong(path, annotationsLimit));
  return errors;
}

function validateOwners(owners: readonly Loose<V1OwnerReference>[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller = '';
  for (const owner of owners) {
    const { apiVersion = '', kind = '', name = '', uid = '' } = owner;
    if (parseApiVersion(apiVersion).version === '') {
      errors.push(invalid(`${path}.apiVersion`, apiVersion, 'version must not be empty'));
    }
    if (kind === '') errors.push(invalid(`${path}.kind`, kind, 'must not be empty'));
    if (name === '') errors.push(invalid(`${path}.name`, name, 'must not be empty'));
    if (uid === '') errors.push(invalid(`${path}.uid`, uid, 'must not be empty'));
    if (apiVersion === 'v1' && kind === 'Event') {
      errors.push(invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (!owner.controller) continue;
    const current = `${kind}/${name}`;
    if (controller === '') controller = current;
    else {
      errors.push(
        invalid(
          path,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`,
        ),
      );
    }
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((it) => qualifiedName(it).map((reason) => invalid(path, it, reason)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

type AnyMeta = V1ObjectMeta | Loose<V1ObjectMeta>;

function validateManagedFields(meta: Loose<V1ObjectMeta>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  meta.managedFields?.forEach((entry, i) => {
    const at = `${path}[${i}]`;
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      errors.push(invalid(`${at}.operation`, entry.operation ?? '', 'must be `Apply` or `Update`'));
    }
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') {
      errors.push(invalid(`${at}.fieldsType`, entry.fieldsType, 'must be `FieldsV1`'));
    }
    if ((entry.manager?.length ?? 0) > 128) errors.push(tooLong(`${at}.manager`, 128));
  });
  return errors;
}

/** Checks metadata as every registry does on create. Source: apimachinery/pkg/api/validation/objectmeta.go. */
export function validateObjectMeta(
  object: AnyMeta | undefined,
  namespaced: boolean,
  nameCheck: NameCheck = subdomainName,
  path = 'metadata',
): FieldError[] {
  const meta = (object ?? {}) as Loose<V1ObjectMeta>;
  const errors: FieldError[] = [];
  const { name = '', generateName = '', namespace = '' } = meta;
  if (generateName !== '') {
    for (const reason of nameCheck(generateName, true)) {
      errors.push(invalid(`${path}.generateName`, generateName, reason));
    }
  }
  if (name === '') errors.push(required(`${path}.name`, 'name or generateName is required'));
  else for (const reason of nameCheck(name, false)) errors.push(invalid(`${path}.name`, name, reason));
  if (!namespaced) {
    if (namespace !== '') errors.push(forbiddenField(`${path}.namespace`, 'not allowed on this type'));
  } else if (namespace === '') errors.push(required(`${path}.namespace`));
  else for (const reason of dns1123Label(namespace)) errors.push(invalid(`${path}.namespace`, namespace, reason));
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalid(`${path}.generation`, meta.generation, 'must be greater than or equal to 0'));
  }
  errors.push(
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwners(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`),
    ...validateManagedFields(meta, `${path}.managedFields`),
  );
  return errors;
}

const fixedFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** Checks metadata as every registry does on update. */
export function validateObjectMetaUpdate(
  nextMeta: AnyMeta | undefined,
  oldMeta: AnyMeta | undefined,
  path = 'metadata',
): FieldError[] {
  const next = (nextMeta ?? {}) as Loose<V1ObjectMeta>;
  const old = (oldMeta ?? {}) as Loose<V1ObjectMeta>;
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const extra = (next.finalizers ?? []).filter((it) => !old.finalizers?.includes(it)).sort();
    if (extra.length > 0) {
      const list = extra.map((it) => JSON.stringify(it)).join(', ');
      errors.push(
        forbiddenField(
          `${path}.finalizers`,
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
        ),
      );
    }
  }
  if (!next.resourceVersion) {
    errors.push(invalid(`${path}.resourceVersion`, '', 'must be specified for an update'));
  }
  if ((next.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(`${path}.generation`, next.generation ?? 0, 'must not be decremented'));
  }
  for (const field of fixedFields) errors.push(...immutable(next[field], old[field], `${path}.${field}`));
  errors.push(
    ...validateLabels(next.labels, `${path}.labels`),
    ...validateAnnotations(next.annotations, `${path}.annotations`),
    ...validateOwners(next.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateManagedFields(next, `${path}.managedFields`),
  );
  return errors;
}
