import { readFileSync } from 'node:fs';
import { assert } from '../base/assert.ts';
import type { StructuralSchema } from './schema.ts';

let loaded: Readonly<Record<string, StructuralSchema>> | undefined;

/** Every generated schema by definition name, read from disk once, on first use. */
export function builtinSchemas(): Readonly<Record<string, StructuralSchema>> {
  loaded ??= JSON.parse(readFileSync(new URL('./generated/schemas.json', import.meta.url), 'utf8')) as Record<
    string,
    StructuralSchema
  >;
  return loaded;
}

/** The schema of a definition, `io.k8s.api.core.v1.Pod`; its references are resolved by `resolveRef` as one walks down. */
export function builtinSchema(definition: string): StructuralSchema {
  const schema = builtinSchemas()[definition];
  assert(schema, `no schema for ${definition}`);
  return schema;
}

const merged = new WeakMap<StructuralSchema, StructuralSchema>();

/** Follows a `$ref`; what stands beside the reference (default, merge key, map type) wins over the target's own. */
export function resolveRef(schema: StructuralSchema): StructuralSchema {
  if (schema.$ref === undefined) return schema;
  const known = merged.get(schema);
  if (known) return known;
  const { $ref, ...beside } = schema;
  const target = resolveRef(builtinSchema($ref));
  const result = Object.keys(beside).length === 0 ? target : { ...target, ...beside };
  merged.set(schema, result);
  return result;
}

/** The schema of one field of an object's schema; undefined where the schema knows no such field. */
export function fieldSchema(schema: StructuralSchema, field: string): StructuralSchema | undefined {
  const { properties, additionalProperties } = schema;
  if (properties && Object.hasOwn(properties, field)) {
    const found = properties[field];
    return found && resolveRef(found);
  }
  if (typeof additionalProperties === 'object') return resolveRef(additionalProperties);
  return undefined;
}

/** The schema of an array's items; undefined where it has none. */
export const itemSchema = (schema: StructuralSchema): StructuralSchema | undefined =>
  schema.items && resolveRef(schema.items);
