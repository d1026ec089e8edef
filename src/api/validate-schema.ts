/**
 * Validation of a value against a structural schema, with the messages of custom resources' validation
 * (kube-openapi/pkg/validation/validate, apiextensions-apiserver/pkg/apiserver/validation).
 */
import { equalJson, isRecord } from './draft.ts';
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from './field-error.ts';
import { hasFormat, isKnownFormat } from './formats.ts';
import { goRegExp } from './go-regexp.ts';
import type { StructuralSchema } from './schema.ts';
import { resolveRef } from './schemas.ts';

interface Outcome {
  readonly errors: FieldError[];
  /** How many checks were made: of several failing alternatives the most thorough one is reported. */
  matched: number;
}

type JsonType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

function typeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number';
    default:
      return 'object';
  }
}

const under = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`);
const inBody = (path: string, rest: string): string => `${path} in body ${rest}`;

function checkType(value: unknown, schema: StructuralSchema, path: string, out: Outcome): void {
  const types: readonly string[] = schema['x-kubernetes-int-or-string']
    ? ['integer', 'string']
    : schema.type === undefined
      ? []
      : [schema.type];
  out.matched++;
  if (types.length === 0) return;
  const actual = typeOf(value);
  if (types.includes(actual) || (actual === 'integer' && types.includes('number'))) return;
  const detail = inBody(path, `must be of type ${types.join(',')}: ${JSON.stringify(actual)}`);
  out.errors.push(typeInvalid(path, actual, detail));
}

function checkString(value: string, schema: StructuralSchema, path: string, out: Outcome): void {
  const { maxLength, minLength, pattern, format } = schema;
  out.matched++;
  const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
  if (maxLength !== undefined && length > maxLength) out.errors.push(tooLong(path, maxLength));
  if (minLength !== undefined && length < minLength) {
    out.errors.push(invalid(path, value, inBody(path, `should be at least ${minLength} chars long`)));
  }
  if (pattern !== undefined && goRegExp(pattern)?.test(value) === false) {
    out.errors.push(invalid(path, value, inBody(path, `should match '${pattern}'`)));
  }
  if (format !== undefined && isKnownFormat(format) && !hasFormat(format, value)) {
    out.errors.push(typeInvalid(path, value, inBody(path, `must be of type ${format}: ${JSON.stringify(value)}`)));
  }
}

function checkNumber(value: number, schema: StructuralSchema, path: string, out: Outcome): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  out.matched++;
  if (multipleOf !== undefined && !Number.isInteger(Number((value / multipleOf).toPrecision(12)))) {
    out.errors.push(invalid(path, value, inBody(path, `should be a multiple of ${multipleOf}`)));
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    const relation = exclusiveMaximum ? 'less than' : 'less than or equal to';
    out.errors.push(invalid(path, value, inBody(path, `should be ${relation} ${maximum}`)));
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    const relation = exclusiveMinimum ? 'greater than' : 'greater than or equal to';
    out.errors.push(invalid(path, value, inBody(path, `should be ${relation} ${minimum}`)));
  }
}

/** The old item that a new one continues: by its keys in a list of type map; other lists have no continuity. */
function oldItem(item: unknown, old: unknown, schema: StructuralSchema): unknown {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old) || !isRecord(item)) return undefined;
  return old.find((other) => isRecord(other) && keys.every((key) => equalJson(other[key], item[key])));
}

function checkArray(
  value: readonly unknown[],
  schema: StructuralSchema,
  path: string,
  old: unknown,
  out: Outcome,
): void {
  const { minItems, maxItems, uniqueItems } = schema;
  out.matched++;
  const items = schema.items && resolveRef(schema.items);
  if (items) {
    value.forEach((item, index) => {
      check(item, items, `${path}[${index}]`, oldItem(item, old, schema), out);
    });
  }
  if (minItems !== undefined && value.length < minItems) {
    out.errors.push(invalid(path, value.length, inBody(path, `should have at least ${minItems} items`)));
  }
  if (maxItems !== undefined && value.length > maxItems) out.errors.push(tooMany(path, value.length, maxItems));
  if (uniqueItems && value.some((item, index) => value.slice(0, index).some((other) => equalJson(item, other)))) {
    out.errors.push(invalid(path, '', inBody(path, "shouldn't contain duplicates")));
  }
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  schema: StructuralSchema,
  path: string,
  old: unknown,
  out: Outcome,
): void {
  const { minProperties, maxProperties, properties, additionalProperties } = schema;
  out.matched++;
  const fields = Object.keys(value);
  const oldFields = isRecord(old) ? old : undefined;
  const before = (field: string): unknown =>
    oldFields && Object.hasOwn(oldFields, field) ? oldFields[field] : undefined;
  if (minProperties !== undefined && fields.length < minProperties) {
    out.errors.push(invalid(path, fields.length, inBody(path, `should have at least ${minProperties} properties`)));
  }
  if (maxProperties !== undefined && fields.length > maxProperties) {
    out.errors.push(tooMany(path, fields.length, maxProperties));
  }
  for (const field of fields) {
    const property = properties && Object.hasOwn(properties, field) ? properties[field] : undefined;
    if (property) check(value[field], resolveRef(property), under(path, field), before(field), out);
    else if (typeof additionalProperties === 'object') {
      check(value[field], resolveRef(additionalProperties), under(path, field), before(field), out);
    } else if (additionalProperties === false) {
      out.errors.push(invalid(under(path, field), '', inBody(under(path, field), 'is a forbidden property')));
    }
  }
  for (const field of schema.required ?? []) {
    if (!Object.hasOwn(value, field)) out.errors.push(required(under(path, field)));
  }
}

const attempt = (value: unknown, schema: StructuralSchema, path: string, old: unknown): Outcome => {
  const outcome: Outcome = { errors: [], matched: 0 };
  check(value, resolveRef(schema), path, old, outcome);
  return outcome;
};

/** An error of no field in particular, as upstream shows one. */
const general = (message: string): FieldError => invalid('<nil>', '', message);

function bestFailure(outcomes: readonly Outcome[]): readonly FieldError[] {
  let best: Outcome | undefined;
  for (const outcome of outcomes) if (!best || outcome.matched > best.matched) best = outcome;
  return best?.errors ?? [];
}

function checkCombinations(value: unknown, schema: StructuralSchema, path: string, old: unknown, out: Outcome): void {
  const name = JSON.stringify(path);
  if (schema.anyOf) {
    const outcomes = schema.anyOf.map((option) => attempt(value, option, path, old));
    if (!outcomes.some((outcome) => outcome.errors.length === 0)) {
      out.errors.push(general(`${name} must validate at least one schema (anyOf)`), ...bestFailure(outcomes));
    }
  }
  if (schema.oneOf) {
    const outcomes = schema.oneOf.map((option) => attempt(value, option, path, old));
    const valid = outcomes.filter((outcome) => outcome.errors.length === 0).length;
    if (valid !== 1) {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
      out.errors.push(general(`${name} must validate one and only one schema (oneOf). ${found}`));
      if (valid === 0) out.errors.push(...bestFailure(outcomes));
    }
  }
  if (schema.allOf) {
    const outcomes = schema.allOf.map((option) => attempt(value, option, path, old));
    const valid = outcomes.filter((outcome) => outcome.errors.length === 0).length;
    for (const outcome of outcomes) out.errors.push(...outcome.errors);
    if (valid !== outcomes.length) {
      out.errors.push(general(`${name} must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`));
    }
  }
  if (schema.not && attempt(value, schema.not, path, old).errors.length === 0) {
    out.errors.push(general(`${name} must not validate the schema (not)`));
  }
}

function check(value: unknown, schema: StructuralSchema, path: string, old: unknown, out: Outcome): void {
  // What an update leaves as it was is not held against it (validation ratcheting, stable since 1.33).
  if (old !== undefined && equalJson(value, old)) return;
  if (value === null || value === undefined) {
    if (schema.nullable !== true) checkType(value, schema, path, out);
    return;
  }
  checkType(value, schema, path, out);
  checkCombinations(value, schema, path, old, out);
  if (typeof value === 'string') checkString(value, schema, path, out);
  else if (typeof value === 'number') checkNumber(value, schema, path, out);
  else if (Array.isArray(value)) checkArray(value, schema, path, old, out);
  if (schema.enum && !schema.enum.some((allowed) => equalJson(allowed, value))) {
    const shown = schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed)));
    out.errors.push(notSupported(path, value, shown));
  }
  if (isRecord(value)) checkObject(value, schema, path, old, out);
}

/**
 * Everything wrong with a custom object, by its schema. With `old`, parts that did not change are not looked at again. Rules in CEL
 * are checked elsewhere.
 */
export function validateSchema(
  value: unknown,
  schema: StructuralSchema,
  options: { readonly path?: string; readonly old?: unknown } = {},
): readonly FieldError[] {
  const outcome: Outcome = { errors: [], matched: 0 };
  check(value, resolveRef(schema), options.path ?? '', options.old, outcome);
  return outcome.errors;
}

function repeated(values: readonly unknown[]): readonly number[] {
  const seen = new Map<string, number>();
  const found: number[] = [];
  values.forEach((value, index) => {
    const key = JSON.stringify(value) ?? 'undefined';
    const times = seen.get(key) ?? 0;
    if (times === 1) found.push(index);
    seen.set(key, times + 1);
  });
  return found;
}

function checkListMap(values: readonly unknown[], schema: StructuralSchema, path: string): readonly FieldError[] {
  const wrong = values.findIndex((value) => value !== null && !isRecord(value));
  if (wrong >= 0) {
    return [invalid(`${path}[${wrong}]`, values[wrong], 'must be an object for an array of list-type map')];
  }
  const keys = values.map((value) =>
    Object.fromEntries(
      (schema['x-kubernetes-list-map-keys'] ?? [])
        .filter((key) => isRecord(value) && Object.hasOwn(value, key))
        .map((key) => [key, isRecord(value) ? value[key] : undefined]),
    ),
  );
  return repeated(keys).map((index) => duplicate(`${path}[${index}]`, keys[index]));
}

/** Repetitions in lists of type set and map (schema/listtype/validation.go). */
export function validateListTypes(
  value: unknown,
  schema: StructuralSchema | undefined,
  path = '',
): readonly FieldError[] {
  if (!schema) return [];
  const errors: FieldError[] = [];
  if (Array.isArray(value)) {
    const type = schema['x-kubernetes-list-type'];
    if (type === 'set') {
      for (const index of repeated(value)) errors.push(duplicate(`${path}[${index}]`, value[index]));
    } else if (type === 'map') errors.push(...checkListMap(value, schema, path));
    const items = schema.items && resolveRef(schema.items);
    value.forEach((item, index) => {
      errors.push(...validateListTypes(item, items, `${path}[${index}]`));
    });
  } else if (isRecord(value)) {
    const { properties, additionalProperties } = schema;
    for (const field of Object.keys(value)) {
      const property = properties && Object.hasOwn(properties, field) ? properties[field] : undefined;
      if (property) errors.push(...validateListTypes(value[field], resolveRef(property), under(path, field)));
      else if (typeof additionalProperties === 'object') {
        errors.push(...validateListTypes(value[field], resolveRef(additionalProperties), `${path}[${field}]`));
      }
    }
  }
  return errors;
}
