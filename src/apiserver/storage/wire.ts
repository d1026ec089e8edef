import type { KubeObject, Live } from '../../api/resource.ts';
import { deepFreeze } from '../../base/freeze.ts';

/**
 * What is made of an object once and shared by every reader: its JSON bytes and its other versions. It hangs on the
 * object under a symbol that is not enumerable, so copies do not inherit it and nothing prints it. A WeakMap would do
 * the same, but costs the garbage collector a table of every object in the cluster.
 */
interface Wire {
  bytes: Buffer | undefined;
  /** The stored bytes, which lack resourceVersion, and where it goes; until `bytes` is made. */
  stored: Uint8Array | undefined;
  at: number;
  versions: Map<string, Live> | undefined;
}

const wire = Symbol('wire');
type Carrier = { [wire]?: Wire };

/** Where `"metadata":{` ends in JSON that begins with kind and apiVersion. */
export function metadataOffset(kind: string, apiVersion: string): number {
  return `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":{`.length;
}

/** Makes an object ready to be shared: attaches the place for its bytes and freezes it deeply. */
export function share<T extends KubeObject>(object: T, stored?: Uint8Array, at = 0): Live<T> {
  const holder: Wire = { bytes: undefined, stored, at, versions: undefined };
  Object.defineProperty(object, wire, { value: holder, enumerable: false });
  return deepFreeze(object) as Live<T>;
}

/** The object's JSON as UTF-8, made once for a shared object. */
export function wireBytes(object: KubeObject): Buffer {
  const holder = (object as Carrier)[wire];
  if (!holder) return Buffer.from(JSON.stringify(object));
  if (!holder.bytes) {
    holder.bytes = holder.stored ? splice(holder.stored, holder.at, object) : Buffer.from(JSON.stringify(object));
    holder.stored = undefined;
  }
  return holder.bytes;
}

const splice = (stored: Uint8Array, at: number, object: KubeObject): Buffer => {
  const version = `"resourceVersion":"${object.metadata?.resourceVersion ?? ''}",`;
  const out = Buffer.allocUnsafeSlow(stored.length + version.length);
  out.set(stored.subarray(0, at), 0);
  out.write(version, at, 'latin1');
  out.set(stored.subarray(at), at + version.length);
  return out;
};

/** The object in another version, converted once for a shared object. */
export function versionOf(object: Live, version: string, convert: (object: Live) => Live): Live {
  const holder = (object as Carrier)[wire];
  if (!holder) return convert(object);
  holder.versions ??= new Map();
  let converted = holder.versions.get(version);
  if (!converted) {
    converted = convert(object);
    holder.versions.set(version, converted);
  }
  return converted;
}
