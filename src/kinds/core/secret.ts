import { type FieldError, forbiddenField, invalid, required, tooLong } from '../../api/field-error.ts';
import { secrets } from '../../api/generated/resources.ts';
import type { V1Secret } from '../../api/generated/types.ts';
import { configMapKey } from '../../api/names.ts';
import { invalids } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { dataLimit, decodedLength } from './config-map.ts';

type Secret = Loose<V1Secret>;

function defaultSecret(secret: Secret): void {
  secret.type ||= 'Opaque';
  const { stringData } = secret;
  if (!stringData) return;
  secret.data ??= {};
  for (const key in stringData) secret.data[key] = Buffer.from(stringData[key] ?? '').toString('base64');
  delete secret.stringData;
}

function validateJson(data: Readonly<Record<string, string | undefined>>, key: string): FieldError[] {
  const path = `data[${key}]`;
  const text = data[key];
  if (text === undefined) return [required(path)];
  try {
    JSON.parse(Buffer.from(text, 'base64').toString());
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [invalid(path, '<secret contents redacted>', error.message)];
  }
}

function validateType(secret: Secret): FieldError[] {
  const data: Readonly<Record<string, string | undefined>> = secret.data ?? {};
  const need = (key: string): FieldError[] => (data[key] === undefined ? [required(`data[${key}]`)] : []);
  switch (secret.type) {
    case 'kubernetes.io/service-account-token':
      return secret.metadata?.annotations?.['kubernetes.io/service-account.name']
        ? []
        : [required('metadata.annotations[kubernetes.io/service-account.name]')];
    case 'kubernetes.io/dockercfg':
      return validateJson(data, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return validateJson(data, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth':
      return data['username'] === undefined && data['password'] === undefined
        ? [required('data[username]'), required('data[password]')]
        : [];
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')];
    case 'kubernetes.io/tls':
      return [...need('tls.crt'), ...need('tls.key')];
    default:
      return [];
  }
}

function validateSecret(secret: Secret): FieldError[] {
  const errors: FieldError[] = [];
  const { data = {} } = secret;
  let size = 0;
  for (const key in data) {
    errors.push(...invalids(`data[${key}]`, key, configMapKey(key)));
    size += decodedLength(data[key] ?? '');
  }
  if (size > dataLimit) errors.push(tooLong('data', dataLimit));
  return [...errors, ...validateType(secret)];
}

function validateUpdate(next: Secret, old: Secret): FieldError[] {
  const errors = [...immutable(next.type, old.type, 'type')];
  if (old.immutable) {
    const detail = 'field is immutable when `immutable` is set';
    if (!next.immutable) errors.push(forbiddenField('immutable', detail));
    if (!semanticEqual(next.data ?? {}, old.data ?? {})) errors.push(forbiddenField('data', detail));
  }
  return [...errors, ...validateSecret(next)];
}

const { column } = columnsOf<V1Secret>();

export const secretKind = defineKind(secrets, {
  defaults: defaultSecret,
  onUpdate(next, old) {
    // The type cannot change, so leaving it out means the old one.
    if (!next.type && old.type) next.type = old.type;
  },
  validate: validateSecret,
  validateUpdate,
  selectableFields: { type: (it) => it.type ?? '' },
  columns: [
    nameColumn,
    column('Type', 'Used to facilitate programmatic handling of secret data.', (it) => it.type ?? ''),
    column('Data', 'Data contains the secret data.', (it) => Object.keys(it.data ?? {}).length),
    ageColumn,
  ],
});
