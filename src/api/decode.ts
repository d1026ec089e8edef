/**
 * Reads a sent JSON value as a built-in kind, the way Go's decoder fills a struct: unknown fields fall away (and are named), null is
 * absence, quantities and times become canonical, and a value of the wrong type is refused with Go's own words.
 */
import { copyJson, type Draft, isRecord, setOwn } from './draft.ts';
import { goJsonKind } from './go-format.ts';
import { parseQuantity, QuantityError } from './quantity.ts';
import type { StructuralSchema } from './schema.ts';
import { resolveRef } from './schemas.ts';
import { badRequest } from './status.ts';

/** How many unknown fields are named at most, as in upstream's strict decoder. */
const mostUnknown = 100;

interface Context {
  /** Field names and indices from the root to the value in hand. */
  readonly path: (string | number)[];
  readonly unknown: string[];
  /** The Go struct whose field is in hand. */
  struct: string;
}

/** What is wrong, before the kind is put in front. */
class DecodeError extends Error {}

type Decoder = (value: unknown, context: Context) => unknown;
interface Compiled {
  readonly decode: Decoder;
  /** What Go calls the type. */
  readonly goType: string;
  /** What null becomes inside lists and maps. */
  readonly zero: () => unknown;
  /** An empty one is left out where its field is optional: upstream's lists and maps are `omitempty`. */
  readonly collection: boolean;
}

function showPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${part}`;
  return text;
}

function mismatch(value: unknown, goType: string, context: Context): never {
  const fields = context.path.filter((part) => typeof part === 'string').join('.');
  const kind = typeof value === 'number' && /^u?int/.test(goType) ? `number ${value}` : goJsonKind(value);
  const where = context.struct === '' ? 'Go value' : `Go struct field ${context.struct}.${fields}`;
  throw new DecodeError(`json: cannot unmarshal ${kind} into ${where} of type ${goType}`);
}

const plainMismatch = (value: unknown, goType: string): never => {
  const kind = typeof value === 'number' && goType === 'int32' ? `number ${value}` : goJsonKind(value);
  throw new DecodeError(`json: cannot unmarshal ${kind} into Go value of type ${goType}`);
};

const leaf = (goType: string, zero: unknown, decode: Decoder): Compiled => ({
  decode,
  goType,
  zero: () => zero,
  collection: false,
});

const text = leaf('string', '', (value, context) =>
  typeof value === 'string' ? value : mismatch(value, 'string', context),
);
const bool = leaf('bool', false, (value, context) =>
  typeof value === 'boolean' ? value : mismatch(value, 'bool', context),
);
const float = leaf('float64', 0, (value, context) =>
  typeof value === 'number' ? value : mismatch(value, 'float64', context),
);
const integer = (goType: string, limit: number): Compiled =>
  leaf(goType, 0, (value, context) =>
    typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit
      ? value
      : mismatch(value, goType, context),
  );
const int32 = integer('int32', 2 ** 31);
const int64 = integer('int64', 2 ** 63);

const quantity = leaf('resource.Quantity', '0', (value) => {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new DecodeError(new QuantityError(quantityFormat).message);
  }
  try {
    return parseQuantity(typeof value === 'string' ? value.trim() : value).text;
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeError(error.message);
    throw error;
  }
});
const quantityFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const intOrString = leaf('intstr.IntOrString', 0, (value) => {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > 2 ** 31 - 1) {
    return plainMismatch(value, 'int32');
  }
  return value;
});

/** Go's base64.StdEncoding: padded, line breaks skipped; the error names the first offending byte. */
function base64Fault(value: string): number | undefined {
  const clean = value.replace(/[\r\n]/g, '');
  if (clean.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(clean)) return undefined;
  const bad = /[^A-Za-z0-9+/]/.exec(value);
  return bad ? bad.index : value.length - (clean.length % 4);
}

const bytes = leaf('[]uint8', '', (value, context) => {
  if (typeof value !== 'string') return mismatch(value, '[]uint8', context);
  const fault = base64Fault(value);
  if (fault !== undefined) throw new DecodeError(`illegal base64 data at input byte ${fault}`);
  return /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value;
});

const instant = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** Why Go's time.Parse refuses a text, as precisely as the parts allow. */
function timeFault(value: string, layout: string): string {
  const head = `parsing time ${JSON.stringify(value)}`;
  const parts: readonly (readonly [RegExp, string])[] = [
    [/^\d{4}/, '2006'],
    [/^-/, '-'],
    [/^\d{2}/, '01'],
    [/^-/, '-'],
    [/^\d{2}/, '02'],
    [/^T/, 'T'],
    [/^\d{2}/, '15'],
    [/^:/, ':'],
    [/^\d{2}/, '04'],
    [/^:/, ':'],
    [/^\d{2}(?:[.,]\d+)?/, '05'],
    [/^(?:Z|[+-]\d{2}:\d{2})/, 'Z07:00'],
  ];
  let rest = value;
  for (const [pattern, element] of parts) {
    const match = pattern.exec(rest);
    if (!match) return `${head} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${element}"`;
    rest = rest.slice(match[0].length);
  }
  if (rest !== '') return `${head}: extra text: ${JSON.stringify(rest)}`;
  const [, , month = '', day = '', hour = '', minute = ''] = instant.exec(value) ?? [];
  if (Number(month) < 1 || Number(month) > 12) return `${head}: month out of range`;
  if (Number(day) < 1 || Number(day) > 31) return `${head}: day out of range`;
  if (Number(hour) > 23) return `${head}: hour out of range`;
  return `${head}: ${Number(minute) > 59 ? 'minute' : 'second'} out of range`;
}

const time = (layout: string, decimals: 0 | 6): Compiled => {
  const canonical =
    decimals === 6 ? /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/ : /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
  return leaf('time.Time', null, (value) => {
    if (typeof value !== 'string') return plainMismatch(value, 'string');
    const match = instant.exec(value);
    const ms = match ? Date.parse(value.replace(/[.,]\d+/, '')) : Number.NaN;
    if (!match || Number.isNaN(ms)) throw new DecodeError(timeFault(value, layout));
    if (canonical.test(value)) return value;
    const seconds = new Date(ms).toISOString().slice(0, 19);
    return decimals === 0 ? `${seconds}Z` : `${seconds}.${(match[7] ?? '').padEnd(6, '0').slice(0, 6)}Z`;
  });
};
const seconds = time('2006-01-02T15:04:05Z07:00', 0);
const micros = time('2006-01-02T15:04:05.000000Z07:00', 6);
/** The fields of type MicroTime, which the description does not tell from Time. */
const microTimes: ReadonlySet<string> = new Set([
  'LeaseSpec.acquireTime',
  'LeaseSpec.renewTime',
  'Event.eventTime',
  'EventSeries.lastObservedTime',
]);

const anything: Compiled = {
  decode: (value) => copyJson(value),
  goType: 'runtime.RawExtension',
  zero: () => null,
  collection: false,
};

function list(item: Compiled): Compiled {
  const goType = `[]${item.goType}`;
  return {
    goType,
    collection: true,
    zero: () => [],
    decode(value, context) {
      if (!Array.isArray(value)) return mismatch(value, goType, context);
      const struct = context.struct;
      return value.map((entry, index) => {
        if (entry === null) return item.zero();
        context.path.push(index);
        context.struct = struct;
        const decoded = item.decode(entry, context);
        context.path.pop();
        return decoded;
      });
    },
  };
}

function map(item: Compiled): Compiled {
  const goType = `map[string]${item.goType}`;
  return {
    goType,
    collection: true,
    zero: () => ({}),
    decode(value, context) {
      if (!isRecord(value)) return mismatch(value, goType, context);
      const out: Draft = {};
      const struct = context.struct;
      for (const key of Object.keys(value)) {
        const entry = value[key];
        if (entry === null || entry === undefined) {
          setOwn(out, key, item.zero());
          continue;
        }
        context.path.push(key);
        context.struct = struct;
        setOwn(out, key, item.decode(entry, context));
        context.path.pop();
      }
      return out;
    },
  };
}

function struct(schema: StructuralSchema, name: string, version: string): Compiled {
  const goType = `${version}.${name}`;
  const required = new Set(schema.required);
  const fields = new Map<string, Compiled>();
  /** Compiled field by field on first use: definitions refer to themselves. */
  const fieldOf = (key: string): Compiled | undefined => {
    const known = fields.get(key);
    if (known) return known;
    const found = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    if (!found) return undefined;
    const made = microTimes.has(`${name}.${key}`) ? micros : compile(found);
    fields.set(key, made);
    return made;
  };
  return {
    goType,
    collection: false,
    zero: () => ({}),
    decode(value, context) {
      if (!isRecord(value)) return mismatch(value, goType, context);
      const out: Draft = {};
      for (const key of Object.keys(value)) {
        const entry = value[key];
        const field = fieldOf(key);
        if (!field) {
          if (context.unknown.length < mostUnknown)
            context.unknown.push(`unknown field "${showPath([...context.path, key])}"`);
          continue;
        }
        if (entry === null || entry === undefined) continue;
        context.path.push(key);
        context.struct = name;
        const decoded = field.decode(entry, context);
        context.path.pop();
        // An empty managedFields is a wish of its own: to forget every owner.
        if (field.collection && !required.has(key) && key !== 'managedFields' && isEmpty(decoded)) continue;
        out[key] = decoded;
      }
      return out;
    },
  };
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value as Draft) return false;
  return true;
}

function compileShape(schema: StructuralSchema, name: string, version: string): Compiled {
  if (schema['x-coracle-quantity']) return quantity;
  if (schema['x-kubernetes-int-or-string']) return intOrString;
  switch (schema.type) {
    case 'string':
      if (schema.format === 'byte') return bytes;
      return schema.format === 'date-time' ? seconds : text;
    case 'boolean':
      return bool;
    case 'number':
      return float;
    case 'integer':
      return schema.format === 'int64' ? int64 : int32;
    case 'array':
      return list(schema.items ? compile(schema.items) : anything);
    case 'object':
      if (schema.properties) return struct(schema, name, version);
      return typeof schema.additionalProperties === 'object' ? map(compile(schema.additionalProperties)) : anything;
    case undefined:
      return schema.properties ? struct(schema, name, version) : anything;
  }
}

const byReference = new Map<string, Compiled>();
const bySchema = new WeakMap<StructuralSchema, Compiled>();

function compile(schema: StructuralSchema): Compiled {
  const { $ref } = schema;
  if ($ref === undefined) {
    const known = bySchema.get(schema);
    if (known) return known;
    const gvk = schema['x-kubernetes-group-version-kind']?.[0];
    const made = compileShape(schema, gvk?.kind ?? '', gvk?.version ?? 'v1');
    bySchema.set(schema, made);
    return made;
  }
  const known = byReference.get($ref);
  if (known) return known;
  const [version = 'v1', name = ''] = $ref.split('.').slice(-2);
  const made = compileShape(resolveRef({ $ref }), name, version);
  byReference.set($ref, made);
  return made;
}

export interface Decoded {
  /** A new object, free to be changed. */
  readonly object: Draft;
  /** `unknown field "spec.x"`, in the order met, at most 100. */
  readonly unknown: readonly string[];
}

/**
 * Decodes a sent object of a built-in kind. Throws `StatusError` 400 with
 * `Deployment in version "v1" cannot be handled as a Deployment: …` where a value does not fit.
 */
export function decodeInto(
  schema: StructuralSchema,
  raw: unknown,
  as: { readonly kind: string; readonly version: string },
): Decoded {
  const context: Context = { path: [], unknown: [], struct: '' };
  try {
    const object = compile(schema).decode(raw, context) as Draft;
    return { object, unknown: context.unknown };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw badRequest(`${as.kind} in version "${as.version}" cannot be handled as a ${as.kind}: ${error.message}`);
  }
}
