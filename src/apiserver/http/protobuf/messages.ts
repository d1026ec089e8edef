import { readFileSync } from 'node:fs';

/** How a field is written on the wire and shown in JSON. */
export type Scalar =
  | 'text'
  | 'bool'
  | 'integer'
  | 'double'
  | 'bytes'
  | 'time'
  | 'micro-time'
  | 'quantity'
  | 'int-or-string'
  | 'fields'
  | 'raw'
  | 'duration'
  | 'text-list'
  /** A schema, or a list of them, a truth value, a list of names: apiextensions' JSONSchemaPropsOr… */
  | 'schema-or-list'
  | 'schema-or-bool'
  | 'schema-or-texts'
  | 'message';

export interface Field {
  readonly number: number;
  /** Its name in JSON; '' where its fields stand in the enclosing object. */
  readonly name: string;
  readonly scalar: Scalar;
  /** For messages. */
  readonly message: string;
  readonly shape: 'one' | 'list' | 'map';
  /** A pointer in Go: present means said, even when it is zero. */
  readonly optional: boolean;
}

export type Message = ReadonlyMap<number, Field>;

const scalars: Readonly<Record<string, Scalar>> = {
  s: 'text',
  b: 'bool',
  i: 'integer',
  d: 'double',
  y: 'bytes',
  T: 'time',
  M: 'micro-time',
  Q: 'quantity',
  I: 'int-or-string',
  F: 'fields',
  R: 'raw',
  D: 'duration',
  L: 'text-list',
  SA: 'schema-or-list',
  SB: 'schema-or-bool',
  SS: 'schema-or-texts',
};

let table: Readonly<Record<string, string>> | undefined;
const parsed = new Map<string, Message>();

/**
 * The message of a built-in kind: `rbac.authorization.k8s.io/v1` Role is `rbac.v1.Role`. Undefined for groups that cannot be Kubernetes' own.
 */
export function messageName(apiVersion: string, kind: string): string | undefined {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? 'core' : apiVersion.slice(0, slash);
  if (group.includes('.') && !group.endsWith('.k8s.io')) return undefined;
  return `${group.split('.', 1)[0]}.${apiVersion.slice(slash + 1)}.${kind}`;
}

const backwards = new Map<string, readonly Field[]>();

/** The fields of a message that is known, by number, the highest first. */
export function fieldsFromLast(name: string): readonly Field[] {
  let fields = backwards.get(name);
  if (!fields) {
    fields = [...(messageOf(name)?.values() ?? [])].sort((a, b) => b.number - a.number);
    backwards.set(name, fields);
  }
  return fields;
}

/**
 * A message of the built-in types, `core.v1.Pod`; undefined for one that is not known. The field numbers are those of the `protobuf` tags
 * in k8s.io/api, apimachinery, apiextensions-apiserver and kube-aggregator (scripts/generate-protobuf.mjs reads them from there), which are
 * frozen for ever; one row reads `NUMBER NAME TYPE, …`.
 */
export function messageOf(name: string): Message | undefined {
  const known = parsed.get(name);
  if (known) return known;
  table ??= JSON.parse(readFileSync(new URL('./messages.json', import.meta.url), 'utf8')) as Readonly<
    Record<string, string>
  >;
  const row = Object.hasOwn(table, name) ? table[name] : undefined;
  if (row === undefined) return undefined;
  const message = new Map(
    row
      .split(', ')
      .filter((text) => text !== '')
      .map((text) => {
        const field = fieldOf(text);
        return [field.number, field] as const;
      }),
  );
  parsed.set(name, message);
  return message;
}

function fieldOf(text: string): Field {
  const [number = '', name = '', type = ''] = text.split(' ');
  const match = /^(~?)(\*?)(\[\]|\{\})?\*?(.+)$/.exec(type);
  const [, , pointer = '', shape = '', of = ''] = match ?? [];
  const isMessage = of.startsWith('@');
  return {
    number: Number(number),
    name,
    scalar: isMessage ? 'message' : (scalars[of] ?? 'bytes'),
    message: isMessage ? of.slice(1) : '',
    shape: shape === '[]' ? 'list' : shape === '{}' ? 'map' : 'one',
    optional: pointer === '*',
  };
}
