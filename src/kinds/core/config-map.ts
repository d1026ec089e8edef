import { type FieldError, forbiddenField, invalid, tooLong } from '../../api/field-error.ts';
import { configmaps } from '../../api/generated/resources.ts';
import type { V1ConfigMap } from '../../api/generated/types.ts';
import { configMapKey } from '../../api/names.ts';
import { invalids } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { semanticEqual } from '../semantic-equal.ts';

type ConfigMap = Loose<V1ConfigMap>;

export const dataLimit = 1024 * 1024;
/** Bytes that base64 text stands for. */
export const decodedLength = (text: string): number => Buffer.byteLength(text, 'base64');

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in data) {
    errors.push(...invalids(`data[${key}]`, key, configMapKey(key)));
    if (binaryData[key] !== undefined)
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    size += Buffer.byteLength(data[key] ?? '');
  }
  for (const key in binaryData) {
    errors.push(...invalids(`binaryData[${key}]`, key, configMapKey(key)));
    size += decodedLength(binaryData[key] ?? '');
  }
  if (size > dataLimit) errors.push(tooLong('', dataLimit));
  return errors;
}

function validateUpdate(next: ConfigMap, old: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  if (old.immutable) {
    if (!next.immutable) errors.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'));
    for (const field of ['data', 'binaryData'] as const) {
      if (!semanticEqual(next[field] ?? {}, old[field] ?? {})) {
        errors.push(forbiddenField(field, 'field is immutable when `immutable` is set'));
      }
    }
  }
  return [...errors, ...validateConfigMap(next)];
}

const { column } = columnsOf<V1ConfigMap>();

export const configMapKind = defineKind(configmaps, {
  validate: validateConfigMap,
  validateUpdate,
  columns: [
    nameColumn,
    column(
      'Data',
      'Data contains the configuration data.',
      (it) => Object.keys(it.data ?? {}).length + Object.keys(it.binaryData ?? {}).length,
    ),
    ageColumn,
  ],
});
