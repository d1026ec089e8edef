import { copyJson, type Draft, isRecord, setOwn } from './draft.ts';
import type { StructuralSchema } from './schema.ts';
import { resolveRef } from './schemas.ts';

/** The part of a schema that fits a field: its own property, else what additional properties must be. */
const forField = (schema: StructuralSchema, field: string): StructuralSchema | undefined => {
  const own = schema.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined;
  if (own) return resolveRef(own);
  return typeof schema.additionalProperties === 'object' ? resolveRef(schema.additionalProperties) : undefined;
};

const wantsDefault = (value: unknown, schema: StructuralSchema): boolean =>
  schema.default !== undefined && (value === undefined || (value === null && schema.nullable !== true));

/** Fills in a structural schema's defaults, in place (apiextensions-apiserver, schema/defaulting/algorithm.go). */
export function fillDefaults(value: unknown, schema: StructuralSchema | undefined): void {
  if (!schema) return;
  if (Array.isArray(value)) {
    const items = schema.items && resolveRef(schema.items);
    if (!items) return;
    value.forEach((item, index) => {
      if (item === null && wantsDefault(item, items)) value[index] = copyJson(items.default);
      fillDefaults(value[index], items);
    });
    return;
  }
  if (!isRecord(value)) return;
  for (const [field, property] of Object.entries(schema.properties ?? {})) {
    const resolved = resolveRef(property);
    if (wantsDefault(Object.hasOwn(value, field) ? value[field] : undefined, resolved)) {
      setOwn(value, field, copyJson(resolved.default));
    }
  }
  for (const field of Object.keys(value)) {
    const inner = forField(schema, field);
    if (!inner) continue;
    if (value[field] === null && wantsDefault(null, inner)) setOwn(value, field, copyJson(inner.default));
    fillDefaults(value[field], inner);
  }
}

/** Drops nulls that the schema neither allows nor replaces by a default, in place (prunenulls.go). */
export function dropNulls(value: unknown, schema: StructuralSchema | undefined): void {
  if (Array.isArray(value)) {
    const items = schema?.items && resolveRef(schema.items);
    for (const item of value) dropNulls(item, items);
    return;
  }
  if (!isRecord(value)) return;
  for (const field of Object.keys(value as Draft)) {
    const inner = schema && forField(schema, field);
    if (value[field] !== null) dropNulls(value[field], inner);
    else if (inner && inner.nullable !== true && inner.default === undefined) delete value[field];
  }
}
