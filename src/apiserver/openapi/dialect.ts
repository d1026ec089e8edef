/** The two ways of writing a schema: OpenAPI v3 wraps references to set something beside them, v2 writes it next to them. */
import { copyJson, type Draft, isRecord } from '../../api/draft.ts';
import type { StructuralSchema } from '../../api/schema.ts';

export type Dialect = 'v2' | 'v3';

export const refTo = (dialect: Dialect, name: string): string =>
  dialect === 'v3' ? `#/components/schemas/${name}` : `#/definitions/${name}`;

export const quantityName = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
export const intOrStringName = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
export const timeName = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
export const patchName = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';

/** Types that the generated schemas write out where they stand. */
export const namedScalars = (dialect: Dialect): Readonly<Record<string, Draft>> => ({
  [quantityName]: {
    description:
      'Quantity is a fixed-point representation of a number. It provides convenient marshaling/unmarshaling in JSON and YAML, in addition to String() and AsInt64() accessors.',
    ...(dialect === 'v3' ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' }),
  },
  [intOrStringName]: {
    description:
      'IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it produces or consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number.',
    format: 'int-or-string',
    ...(dialect === 'v3' ? { oneOf: [{ type: 'integer' }, { type: 'string' }] } : { type: 'string' }),
  },
  [timeName]: {
    description:
      'Time is a wrapper around time.Time which supports correct marshaling to YAML and JSON.  Wrappers are provided for many of the factory methods that the time package offers.',
    format: 'date-time',
    type: 'string',
  },
  [patchName]: {
    description: 'Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.',
    type: 'object',
  },
});

/** A reference with what stands beside it. */
export function reference(dialect: Dialect, name: string, beside: Draft = {}): Draft {
  const $ref = refTo(dialect, name);
  if (dialect === 'v2' || Object.keys(beside).length === 0) return { $ref, ...beside };
  return { allOf: [{ $ref }], ...beside };
}

/** The name of the type that a built-in schema writes out, where it has one. */
const scalarName = (schema: StructuralSchema): string | undefined => {
  if (schema['x-coracle-quantity']) return quantityName;
  if (schema['x-kubernetes-int-or-string']) return intOrStringName;
  return schema.type === 'string' && schema.format === 'date-time' ? timeName : undefined;
};

/** A built-in schema in the dialect. `uses` hears of every definition referred to. */
export function builtinSchemaIn(
  dialect: Dialect,
  schema: StructuralSchema,
  description: string | undefined,
  describe: (field: string) => string | undefined,
  uses: (name: string) => void,
): Draft {
  const { $ref, type, format, properties, additionalProperties, items, required, ...extensions } = schema;
  const beside: Draft = { ...(description !== undefined && { description }) };
  for (const [key, value] of Object.entries(extensions)) {
    const inlined = key === 'x-coracle-quantity' || key === 'x-kubernetes-int-or-string';
    if (!inlined && key !== 'x-kubernetes-unions') beside[key] = value;
  }
  const name = $ref ?? scalarName(schema);
  if (name !== undefined) {
    uses(name);
    return reference(dialect, name, beside);
  }
  const inner = (it: StructuralSchema): Draft => builtinSchemaIn(dialect, it, undefined, () => undefined, uses);
  if (extensions['x-kubernetes-preserve-unknown-fields']) {
    const { 'x-kubernetes-preserve-unknown-fields': _preserve, ...rest } = beside;
    return { ...rest, ...(type && { type }) };
  }
  return {
    ...beside,
    ...(type && { type }),
    ...(format && { format }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([field, property]) => [
          field,
          builtinSchemaIn(dialect, property, describe(field), () => undefined, uses),
        ]),
      ),
    }),
    ...(isRecord(additionalProperties) && { additionalProperties: inner(additionalProperties) }),
    ...(items && { items: inner(items) }),
    ...(required && { required }),
  };
}

/** What OpenAPI v2 has no words for. */
const onlyV3 = ['anyOf', 'oneOf', 'not', 'nullable', 'allOf'] as const;

function withoutV3(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutV3);
  if (!isRecord(value)) return value;
  const out: Draft = {};
  for (const [key, item] of Object.entries(value)) {
    if ((onlyV3 as readonly string[]).includes(key)) continue;
    out[key] = key === 'default' || key === 'enum' || key === 'example' ? item : withoutV3(item);
  }
  if (value['x-kubernetes-preserve-unknown-fields'] === true) delete out['properties'];
  return out;
}

/** A custom resource's own schema in the dialect. One that keeps what it does not know says nothing in v2 but that it is an object. */
export function customSchemaIn(dialect: Dialect, schema: StructuralSchema): Draft {
  if (dialect === 'v3') return copyJson(schema) as Draft;
  return schema['x-kubernetes-preserve-unknown-fields'] === true ? { type: 'object' } : (withoutV3(schema) as Draft);
}
