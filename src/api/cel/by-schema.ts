/** Values of custom resources as their schemas type them for CEL (apiextensions-apiserver/pkg/apiserver/schema/cel). */
import type { CelInput } from '@bufbuild/cel';
import { isRecord } from '../draft.ts';
import { hasFormat } from '../formats.ts';
import type { StructuralSchema } from '../schema.ts';
import { fieldSchema, itemSchema } from '../schemas.ts';
import { compileProgram, toCel } from './environment.ts';

const reserved: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);
const escapes: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};

/** A field's name as expressions write it; undefined where they cannot. */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_.\-/][\w.\-/]*$/.test(name)) return undefined;
  if (reserved.has(name)) return `__${name}__`;
  return name.replace(/__|[.\-/]/g, (found) => escapes[found] ?? found);
}

const asTimestamp = compileProgram('timestamp(x)');
const asDuration = compileProgram('duration(x)');
const asBytes = (text: string): CelInput => new Uint8Array(Buffer.from(text, 'base64'));

function textOf(value: string, schema: StructuralSchema): CelInput {
  const typed = (program: typeof asTimestamp, text: string): CelInput => {
    const outcome = program.run({ x: text });
    return outcome.error === undefined ? (outcome.value as CelInput) : value;
  };
  switch (schema.format) {
    case 'date-time':
      return typed(asTimestamp, value);
    case 'date':
      return hasFormat('date', value) ? typed(asTimestamp, `${value}T00:00:00Z`) : value;
    case 'duration':
      return typed(asDuration, value);
    case 'byte':
      return asBytes(value);
    default:
      return value;
  }
}

/** A value in CEL's terms: numbers by their declared type, formats as what they are, names of fields escaped. */
export function celOf(value: unknown, schema: StructuralSchema | undefined): CelInput {
  if (value === null || value === undefined) return null;
  if (!schema) return toCel(value);
  if (typeof value === 'number') return schema.type === 'number' ? value : toCel(value);
  if (typeof value === 'string') return schema['x-kubernetes-int-or-string'] ? value : textOf(value, schema);
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    return value.map((item) => celOf(item, items));
  }
  if (!isRecord(value)) return value as CelInput;
  const map = new Map<string, CelInput>();
  for (const [field, item] of Object.entries(value)) {
    const declared = schema.properties && Object.hasOwn(schema.properties, field);
    const name = declared ? escapeName(field) : field;
    if (name !== undefined && item !== undefined && item !== null)
      map.set(name, celOf(item, fieldSchema(schema, field)));
    else if (name !== undefined && item === null && fieldSchema(schema, field)?.nullable) map.set(name, null);
  }
  return map;
}
