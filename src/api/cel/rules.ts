/** x-kubernetes-validations: rules in CEL that values and changes of custom resources must meet. */
import type { CelInput } from '@bufbuild/cel';
import { equalJson, isRecord } from '../draft.ts';
import { type FieldError, invalid, omittedValue } from '../field-error.ts';
import type { StructuralSchema } from '../schema.ts';
import { fieldSchema, itemSchema, resolveRef } from '../schemas.ts';
import { celOf } from './by-schema.ts';
import { compileProgram, costExceeded, none, type Program, some } from './environment.ts';

type Rule = NonNullable<StructuralSchema['x-kubernetes-validations']>[number];

/** Turns of loops for all rules of one object together (celconfig.RuntimeCELCostBudget). */
const budgetPerObject = 10_000_000;

interface Run {
  readonly errors: FieldError[];
  left: number;
}

const ruleText = (rule: Rule): string => (rule.message || rule.rule).trim();
const messageOf = (rule: Rule): string => (rule.message ? rule.message.trim() : `failed rule: ${ruleText(rule)}`);

function failure(path: string, value: unknown, detail: string, reason: string | undefined): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return { type: 'FieldValueForbidden', field: path, detail };
    case 'FieldValueRequired':
      return { type: 'FieldValueRequired', field: path, detail };
    case 'FieldValueDuplicate':
      return { type: 'FieldValueDuplicate', field: path, badValue: value, detail: '' };
    default:
      return invalid(path, value, detail);
  }
}

interface Place {
  readonly value: unknown;
  readonly old: unknown;
  readonly path: string;
  readonly schema: StructuralSchema;
}

const pathOf = (path: string): string => (path === '' ? '<nil>' : path);

function messageFrom(rule: Rule, variables: Readonly<Record<string, CelInput>>, run: Run): string {
  if (!rule.messageExpression) return messageOf(rule);
  try {
    const program = compileProgram(rule.messageExpression);
    const outcome = program.run(variables);
    run.left -= program.lastSteps();
    const text = outcome.value;
    // An expression that fails, or gives nothing that fits on a line, leaves the plain message.
    if (typeof text === 'string' && text.trim() !== '' && !/[\r\n]/.test(text) && text.length <= 5120)
      return text.trim();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  return messageOf(rule);
}

function checkRule(rule: Rule, place: Place, self: CelInput, run: Run): void {
  const { old, schema } = place;
  const path = pathOf(place.path);
  const type = schema.type ?? '';
  const fail = (detail: string): void => void run.errors.push(invalid(path, type, detail));
  let program: Program;
  try {
    program = compileProgram(rule.rule);
  } catch (error) {
    fail(`rule compile error: compilation failed: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  const usesOld = program.mentions('oldSelf');
  if (usesOld && old === undefined && !rule.optionalOldSelf) return;
  if (run.left <= 0) return;
  const before = old === undefined ? undefined : celOf(old, schema);
  const oldSelf = rule.optionalOldSelf ? (before === undefined ? none : some(before)) : (before ?? null);
  const variables = { self, ...(usesOld && { oldSelf: oldSelf as CelInput }) };
  const outcome = program.run(variables);
  run.left -= program.lastSteps();
  if (run.left <= 0) {
    fail('validation failed due to running out of cost budget, no further validation rules will be run');
    return;
  }
  if (outcome.error !== undefined) {
    if (outcome.error.startsWith('no such overload')) {
      fail(
        `'${outcome.error}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`,
      );
    } else if (outcome.error === costExceeded) {
      run.left = 0;
      fail(
        `'${outcome.error}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`,
      );
    } else fail(`${outcome.error} evaluating rule: ${ruleText(rule)}`);
    return;
  }
  if (outcome.value === true) return;
  if (!usesOld && old !== undefined && equalJson(place.value, old)) return;
  const detail = messageFrom(rule, variables, run);
  const at = rule.fieldPath
    ? `${place.path}${rule.fieldPath.startsWith('.') && place.path === '' ? rule.fieldPath.slice(1) : rule.fieldPath}`
    : path;
  const shown = type === 'object' || type === 'array' ? omittedValue : place.value;
  run.errors.push(failure(at, shown, detail, rule.reason));
}

/** Of the metadata of a whole resource rules may see the name only. */
function visible(value: unknown, isRoot: boolean): unknown {
  if (!isRoot || !isRecord(value)) return value;
  const metadata = isRecord(value['metadata']) ? value['metadata'] : {};
  const seen: Record<string, unknown> = {};
  for (const field of ['name', 'generateName']) if (metadata[field] !== undefined) seen[field] = metadata[field];
  return { ...value, metadata: seen };
}

function oldItem(item: unknown, old: unknown, schema: StructuralSchema): unknown {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old) || !isRecord(item)) return undefined;
  return old.find((other) => isRecord(other) && keys.every((key) => equalJson(other[key], item[key])));
}

const cached = new WeakMap<StructuralSchema, boolean>();

/** Whether there are rules at or below a schema. Answers are kept: every write asks. */
function rulesWithin(schema: StructuralSchema | undefined): boolean {
  if (!schema || schema.$ref !== undefined) return false;
  const known = cached.get(schema);
  if (known !== undefined) return known;
  const found =
    (schema['x-kubernetes-validations']?.length ?? 0) > 0 ||
    rulesWithin(schema.items) ||
    (typeof schema.additionalProperties === 'object' && rulesWithin(schema.additionalProperties)) ||
    Object.values(schema.properties ?? {}).some(rulesWithin) ||
    (schema.allOf ?? []).some(rulesWithin);
  cached.set(schema, found);
  return found;
}

function walk(place: Place, run: Run, isRoot: boolean): void {
  const { value, old, path, schema } = place;
  if (value === null || value === undefined || run.left <= 0 || !rulesWithin(schema)) return;
  const rules = [
    ...(schema['x-kubernetes-validations'] ?? []),
    ...(schema.allOf ?? []).flatMap((part) => part['x-kubernetes-validations'] ?? []),
  ];
  if (rules.length > 0) {
    const seen = visible(value, isRoot);
    const self = celOf(seen, schema);
    const before = old === undefined || old === null ? undefined : visible(old, isRoot);
    for (const rule of rules) checkRule(rule, { ...place, value: seen, old: before }, self, run);
  }
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    if (!items) return;
    value.forEach((item, index) => {
      walk({ value: item, old: oldItem(item, old, schema), path: `${path}[${index}]`, schema: items }, run, false);
    });
  } else if (isRecord(value)) {
    const atomic = schema['x-kubernetes-map-type'] === 'atomic';
    for (const field of Object.keys(value)) {
      const inner = fieldSchema(schema, field);
      if (!inner) continue;
      const declared = schema.properties && Object.hasOwn(schema.properties, field);
      const at = declared ? (path === '' ? field : `${path}.${field}`) : `${path}[${field}]`;
      const before = !atomic && isRecord(old) && Object.hasOwn(old, field) ? old[field] : undefined;
      walk({ value: value[field], old: before, path: at, schema: inner }, run, false);
    }
  }
}

/** Checks every rule of a custom resource's schema; `old` is the object before an update. */
export function checkRules(schema: StructuralSchema, value: unknown, old: unknown): readonly FieldError[] {
  const run: Run = { errors: [], left: budgetPerObject };
  walk({ value, old, path: '', schema: resolveRef(schema) }, run, true);
  return run.errors;
}
