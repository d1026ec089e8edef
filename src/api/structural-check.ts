/**
 * Whether a schema of a CustomResourceDefinition is structural, and otherwise sound: upstream's complaints, by path. After
 * apiextensions-apiserver/pkg/apiserver/schema/validation.go and pkg/apis/apiextensions/validation.
 */

import { dropNulls } from './default-fill.ts';
import { copyJson, equalJson, isRecord } from './draft.ts';
import { type FieldError, forbiddenField, invalid, notSupported, required } from './field-error.ts';
import { goRegExp } from './go-regexp.ts';
import { prune } from './prune.ts';
import type { StructuralSchema } from './schema.ts';
import { validateListTypes, validateSchema } from './validate-schema.ts';

type Level = 'root' | 'item' | 'field';
type Loose = StructuralSchema & Readonly<Record<string, unknown>>;

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const intOrString = [{ type: 'integer' }, { type: 'string' }];
const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);
const truthy = (value: unknown): boolean => value !== undefined && value !== false && value !== null;

/** Fields that the server refuses at any depth. */
const unsupported: Readonly<Record<string, string>> = {
  id: 'id is not supported',
  additionalItems: 'additionalItems is not supported',
  patternProperties: 'patternProperties is not supported',
  definitions: 'definitions is not supported',
  dependencies: 'dependencies is not supported',
  $ref: '$ref is not supported',
};

function checkNested(schema: StructuralSchema, path: string, skipAnyOf: boolean): readonly FieldError[] {
  const errors: FieldError[] = [...checkValues(schema, path, skipAnyOf, false)];
  const forbid = (field: string, detail: string): void => {
    errors.push(forbiddenField(`${path}.${field}`, detail));
  };
  if (schema.items) errors.push(...checkNested(schema.items, `${path}.items`, false));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...checkNested(property, `${path}.properties[${name}]`, false));
  }
  if (schema.type) forbid('type', 'must be empty to be structural');
  if (truthy(schema.additionalProperties)) forbid('additionalProperties', 'must be undefined to be structural');
  if (schema.default !== undefined) forbid('default', 'must be undefined to be structural');
  if (schema.title) forbid('title', 'must be empty to be structural');
  if (schema.description) forbid('description', 'must be empty to be structural');
  if (schema.nullable) forbid('nullable', 'must be false to be structural');
  for (const extension of [
    'x-kubernetes-preserve-unknown-fields',
    'x-kubernetes-embedded-resource',
    'x-kubernetes-int-or-string',
  ] as const) {
    if (schema[extension]) forbid(extension, 'must be false to be structural');
  }
  if (schema['x-kubernetes-list-map-keys']?.length)
    forbid('x-kubernetes-list-map-keys', 'must be empty to be structural');
  if (schema['x-kubernetes-list-type']) forbid('x-kubernetes-list-type', 'must be undefined to be structural');
  if (schema['x-kubernetes-map-type']) forbid('x-kubernetes-map-type', 'must be undefined to be structural');
  if (schema['x-kubernetes-validations']?.length) forbid('x-kubernetes-validations', 'must be empty to be structural');
  if (schema.properties && Object.hasOwn(schema.properties, 'metadata')) {
    forbid('properties[metadata]', 'must not be specified in a nested context');
  }
  return errors;
}

function checkValues(
  schema: StructuralSchema,
  path: string,
  skipAnyOf: boolean,
  skipFirstAllOf: boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const each = (field: 'anyOf' | 'allOf' | 'oneOf', skip: (index: number) => boolean): void => {
    schema[field]?.forEach((option, index) => {
      errors.push(...checkNested(option, `${path}.${field}[${index}]`, skip(index)));
    });
  };
  if (!skipAnyOf) each('anyOf', () => false);
  each('allOf', (index) => skipFirstAllOf && index === 0);
  each('oneOf', () => false);
  if (schema.not) errors.push(...checkNested(schema.not, `${path}.not`, false));
  if (schema.pattern && !goRegExp(schema.pattern)) {
    errors.push(
      invalid(
        `${path}.pattern`,
        schema.pattern,
        `must be a valid regular expression, but isn't: error parsing regexp: \`${schema.pattern}\``,
      ),
    );
  }
  return errors;
}

function checkMetadata(schema: StructuralSchema, isRoot: boolean, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.type !== 'object') errors.push(invalid(`${path}.type`, schema.type ?? '', 'must be object'));
  if (!isRoot) return errors;
  const { type: _type, default: _default, properties = {}, description: _description, ...rest } = schema;
  const names = Object.keys(properties);
  if (Object.keys(rest).length > 0 || names.some((name) => name !== 'name' && name !== 'generateName')) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbiddenField(path, detail));
  }
  return errors;
}

function missingType(level: Level): string {
  switch (level) {
    case 'root':
      return 'must not be empty at the root';
    case 'item':
      return 'must not be empty for specified array items';
    case 'field':
      return 'must not be empty for specified object fields';
  }
}

function checkTypeOf(schema: StructuralSchema, level: Level, path: string): readonly FieldError[] {
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const must = 'must be object if x-kubernetes-embedded-resource is true';
  if (embedded && schema.type !== 'object') {
    return schema.type ? [invalid(`${path}.type`, schema.type, must)] : [required(`${path}.type`, must)];
  }
  if (!schema.type && !schema['x-kubernetes-int-or-string'] && !schema['x-kubernetes-preserve-unknown-fields']) {
    return [required(`${path}.type`, missingType(level))];
  }
  return level === 'root' && schema.type && schema.type !== 'object'
    ? [invalid(`${path}.type`, schema.type, 'must be object at the root')]
    : [];
}

function checkInvariants(schema: StructuralSchema, level: Level, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { properties = {}, additionalProperties, items } = schema;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  if (schema.type === 'array' && !items) errors.push(required(`${path}.items`, 'must be specified'));
  if (items && !Array.isArray(items)) errors.push(...checkInvariants(items, 'item', `${path}.items`));
  for (const [name, property] of Object.entries(properties)) {
    errors.push(...checkInvariants(property, 'field', `${path}.properties[${name}]`));
  }
  if (truthy(additionalProperties)) {
    const at = `${path}.additionalProperties`;
    if (level === 'root') errors.push(forbiddenField(at, 'must not be used at the root'));
    if (isRecord(additionalProperties)) errors.push(...checkInvariants(additionalProperties, 'field', at));
    if (embedded) errors.push(forbiddenField(at, 'must not be used if x-kubernetes-embedded-resource is set'));
  }
  if (schema['x-kubernetes-int-or-string']) {
    for (const other of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
      if (schema[other])
        errors.push(invalid(`${path}.${other}`, true, 'must be false if x-kubernetes-int-or-string is true'));
    }
  }
  const skipAnyOf = equalJson(schema.anyOf, intOrString);
  errors.push(...checkValues(schema, path, skipAnyOf, equalJson(schema.allOf?.[0]?.anyOf, intOrString)));
  errors.push(...checkTypeOf(schema, level, path));
  if (level === 'root' || embedded) {
    for (const name of ['kind', 'apiVersion']) {
      const property = properties[name];
      if (property && property.type !== 'string') {
        errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? '', 'must be string'));
      }
    }
    const metadata = properties['metadata'];
    if (metadata) errors.push(...checkMetadata(metadata, level === 'root', `${path}.properties[metadata]`));
  }
  if (embedded && !schema['x-kubernetes-preserve-unknown-fields'] && Object.keys(properties).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, detail));
  }
  return errors;
}

function checkLists(schema: StructuralSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const listType = schema['x-kubernetes-list-type'];
  const mapType = schema['x-kubernetes-map-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const mustBe = (type: string, extension: string): FieldError => {
    const detail = `must be ${type} if ${extension} is specified`;
    return schema.type ? invalid(`${path}.type`, schema.type, detail) : required(`${path}.type`, detail);
  };
  if (mapType && schema.type !== 'object') errors.push(mustBe('object', 'x-kubernetes-map-type'));
  if (mapType && mapType !== 'atomic' && mapType !== 'granular') {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  }
  if (listType && schema.type !== 'array') errors.push(mustBe('array', 'x-kubernetes-list-type'));
  else if (listType === 'set' && schema.items) {
    const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    const inner = schema.items['x-kubernetes-list-type'];
    if (schema.items.type === 'array' && inner && inner !== 'atomic') {
      errors.push(invalid(`${path}.items.x-kubernetes-list-type`, inner, detail));
    }
    if (schema.items.type === 'object' && schema.items['x-kubernetes-map-type'] !== 'atomic') {
      errors.push(
        invalid(`${path}.items.x-kubernetes-map-type`, schema.items['x-kubernetes-map-type'] ?? null, detail),
      );
    }
  }
  if (listType && !['atomic', 'set', 'map'].includes(listType)) {
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(
      listType
        ? invalid(`${path}.x-kubernetes-list-type`, listType, detail)
        : required(`${path}.x-kubernetes-list-type`, detail),
    );
  }
  if (listType === 'map') errors.push(...checkMapKeys(schema, keys, path));
  return errors;
}

function checkMapKeys(schema: StructuralSchema, keys: readonly string[], path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const at = `${path}.x-kubernetes-list-map-keys`;
  const { items } = schema;
  if (keys.length === 0) errors.push(required(at, 'must not be empty if x-kubernetes-list-type is map'));
  if (!items) return [...errors, required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')];
  if (items.type !== 'object') {
    errors.push(
      invalid(`${path}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"),
    );
    return errors;
  }
  keys.forEach((key, index) => {
    const property = items.properties && Object.hasOwn(items.properties, key) ? items.properties[key] : undefined;
    if (!property) errors.push(invalid(at, keys, 'entries must all be names of item properties'));
    else if (property.type === 'array' || property.type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.properties[${key}].type`, items.type, detail));
    }
    if (keys.indexOf(key) !== index) errors.push(invalid(at, keys, 'must not contain duplicate entries'));
    if (property && property.default === undefined && !items.required?.includes(key)) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(required(`${path}.items.properties[${key}].default`, detail));
    }
  });
  return errors;
}

function checkRules(schema: StructuralSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
  schema['x-kubernetes-validations']?.forEach((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    if (!rule.rule?.trim()) errors.push(required(`${at}.rule`, 'rule is not specified'));
    else if (rule.message && !rule.message.trim()) {
      errors.push(invalid(`${at}.message`, rule.message, 'must be non-empty if specified'));
    } else if (/[\r\n]/.test(rule.message?.trim() ?? '')) {
      errors.push(invalid(`${at}.message`, rule.message, 'must not contain line breaks'));
    } else if (/[\r\n]/.test(rule.rule.trim()) && !rule.message?.trim()) {
      errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
    }
    if (rule.messageExpression && !rule.messageExpression.trim()) {
      errors.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
    }
    if (rule.reason !== undefined && !reasons.includes(rule.reason)) {
      errors.push(notSupported(`${at}.reason`, rule.reason, reasons));
    }
  });
  return errors;
}

function checkSound(schema: Loose, path: string, inMeta: boolean, isRoot: boolean): readonly FieldError[] {
  const errors: FieldError[] = [];
  const type: string | undefined = schema.type;
  if (type && !types.includes(type)) errors.push(notSupported(`${path}.type`, type, types));
  for (const [field, detail] of Object.entries(unsupported)) {
    if (Object.hasOwn(schema, field) && truthy(schema[field])) errors.push(forbiddenField(`${path}.${field}`, detail));
  }
  if (type === 'null') {
    errors.push(forbiddenField(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (inMeta && schema['x-kubernetes-embedded-resource']) {
    errors.push(forbiddenField(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'));
  }
  if (schema.uniqueItems) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbiddenField(`${path}.uniqueItems`, detail));
  }
  const { properties = {}, additionalProperties, items } = schema;
  if (Object.keys(properties).length > 0 && additionalProperties !== undefined && additionalProperties !== true) {
    errors.push(
      forbiddenField(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    );
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  errors.push(...checkLists(schema, path), ...checkRules(schema, path));
  const down = (inner: StructuralSchema, at: string, meta = inMeta): void => {
    errors.push(...checkSound(inner as Loose, at, meta, false));
  };
  const hasMeta = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const [name, property] of Object.entries(properties)) {
    const at = `${path}.properties[${name}]`;
    if (isRoot && metaFields.has(name) && property.default !== undefined) {
      errors.push(forbiddenField(`${at}.default`, `must not be set in top-level ${name}`));
    }
    down(property, at, inMeta || (hasMeta && metaFields.has(name)));
  }
  if (isRecord(additionalProperties)) down(additionalProperties, `${path}.additionalProperties`);
  if (items && !Array.isArray(items)) down(items, `${path}.items`);
  if (schema.not) down(schema.not, `${path}.not`);
  for (const field of ['allOf', 'anyOf', 'oneOf'] as const) {
    schema[field]?.forEach((option, index) => {
      down(option, `${path}.${field}[${index}]`);
    });
  }
  return errors;
}

/** Defaults must be valid by their own schema and hold nothing that would be pruned. */
function checkDefaults(schema: StructuralSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.default !== undefined) {
    const at = `${path}.default`;
    const value = copyJson(schema.default);
    dropNulls(value, schema);
    const removed = prune(value, schema);
    if (removed.length > 0) errors.push(invalid(at, schema.default, 'must not have unknown fields'));
    else errors.push(...validateSchema(value, schema, { path: at }), ...validateListTypes(value, schema, at));
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...checkDefaults(property, `${path}.properties[${name}]`));
  }
  if (schema.items) errors.push(...checkDefaults(schema.items, `${path}.items`));
  if (isRecord(schema.additionalProperties)) {
    errors.push(...checkDefaults(schema.additionalProperties, `${path}.additionalProperties`));
  }
  return errors;
}

/** Everything against using this as a version's schema; `path` is where it stands in the definition. */
export function checkStructural(schema: StructuralSchema, path: string): readonly FieldError[] {
  const sound = checkSound(schema as Loose, path, false, true);
  if (schema.nullable) return [forbiddenField(`${path}.nullable`, 'nullable cannot be true at the root'), ...sound];
  if (sound.some((error) => error.field.endsWith('.items') && error.type === 'FieldValueForbidden')) return sound;
  const invariants = checkInvariants(schema, 'root', path);
  if (invariants.length > 0) return [...invariants, ...sound];
  return [...checkDefaults(schema, path), ...sound];
}
