import { X509Certificate } from 'node:crypto';
import type { V1ObjectMeta, V1Secret } from '../../api/generated/types.ts';

/** What may be known of one key's value without knowing the value. */
export interface SecretKey {
  readonly name: string;
  readonly bytes: number;
  /** The value ends in a line break, which `echo` adds and no password has. */
  readonly endsInNewline: boolean;
  /** The value is itself base64 of readable text: encoded twice. */
  readonly encodedTwice: boolean;
  /** Of a PEM certificate: until when it is valid, milliseconds. */
  readonly certificateUntil?: number;
}

/** A Secret without its values. */
export interface SecretShape {
  readonly kind: 'Secret';
  readonly metadata: V1ObjectMeta;
  readonly type: string;
  readonly keys: readonly SecretKey[];
  /** Of a pull secret: the registries it has credentials for; undefined where its JSON cannot be read. */
  readonly registries?: readonly string[];
}

const dockerTypes: Readonly<Record<string, string>> = {
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
  'kubernetes.io/dockercfg': '.dockercfg',
};

/** Reduces a Secret to its shape; the values are not kept. */
export function secretShape(secret: V1Secret): SecretShape {
  const values = new Map<string, Buffer>();
  for (const [name, value] of Object.entries(secret.data ?? {})) values.set(name, Buffer.from(value, 'base64'));
  for (const [name, value] of Object.entries(secret.stringData ?? {})) values.set(name, Buffer.from(value, 'utf8'));
  const type = secret.type ?? 'Opaque';
  const { managedFields: _dropped, annotations: _values, ...metadata } = secret.metadata ?? {};
  const registries = registriesOf(type, values);
  return {
    kind: 'Secret',
    metadata,
    type,
    keys: [...values].map(([name, value]) => keyShape(name, value)),
    ...(registries && { registries }),
  };
}

function keyShape(name: string, value: Buffer): SecretKey {
  const until = certificateUntil(value);
  return {
    name,
    bytes: value.length,
    endsInNewline: value.at(-1) === 10 && !value.subarray(0, -1).includes(10),
    encodedTwice: isBase64OfText(value),
    ...(until !== undefined && { certificateUntil: until }),
  };
}

function isBase64OfText(value: Buffer): boolean {
  const text = value.toString('latin1').trim();
  if (text.length < 8 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return false;
  const inner = Buffer.from(text, 'base64');
  // Most random passwords of the right length decode to something, but not to printable text.
  return /^[\x20-\x7e\r\n]+$/.test(inner.toString('latin1')) && inner.toString('base64') === text;
}

function certificateUntil(value: Buffer): number | undefined {
  if (!value.subarray(0, 64).toString('latin1').includes('-----BEGIN CERTIFICATE-----')) return undefined;
  try {
    return Date.parse(new X509Certificate(value).validTo);
  } catch {
    // Not a certificate after all: nothing is known of its time.
    return undefined;
  }
}

function registriesOf(type: string, values: ReadonlyMap<string, Buffer>): readonly string[] | undefined {
  const key = dockerTypes[type];
  const value = key === undefined ? undefined : values.get(key);
  if (!value) return undefined;
  try {
    const json = JSON.parse(value.toString('utf8')) as { auths?: object };
    return Object.keys(type.endsWith('json') ? (json.auths ?? {}) : json);
  } catch {
    // Unreadable JSON is itself a finding: image/pull-secret-unusable looks for the absence.
    return undefined;
  }
}
