import type { KubeObject, Live } from '../../api/resource.ts';
import { deepFreeze } from '../../base/freeze.ts';

/**
 * What is made of an object once and shared by every reader: its JSON bytes and its other versions. It hangs on the
 * object under a symbol that is not enumerable, so copies do not inherit it and nothing prints it. A WeakMap would do
 * the same, but costs the garbage collector a table of every object in the cluster.
 */
interface Wire {
  /** The object's JSON; as it is stored, without resourceVersion, where `at` is above 0. Undefined until somebody asks. */
  bytes: Uint8Array | undefined;
  /** Where resourceVersion goes into the bytes; 0 where they are complete. */
  readonly at: number;
  versions: Map<string, Live> | undefined;
  /** Its protobuf message, once a client has asked for it. */
  protobuf: Buffer | undefined;
}

const wire = Symbol('wire');
type Carrier = { [wire]?: Wire };

/** Where `"metadata":{` ends in JSON that begins with kind and apiVersion. */
export function metadataOffset(kind: string, apiVersion: string): number {
  return `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":{`.length;
}

/** Makes an object ready to be shared: attaches the place for its bytes and freezes it deeply. */
export function share<T extends KubeObject>(object: T, stored?: Uint8Array, at = 0): Live<T> {
  const holder: Wire = { bytes: stored, at: stored ? at : 0, versions: undefined, protobuf: undefined };
  Object.defineProperty(object, wire, { value: holder, enumerable: false });
  return deepFreeze(object) as Live<T>;
}

const versionPart = (object: KubeObject): string => `"resourceVersion":"${object.metadata?.resourceVersion ?? ''}",`;

/** The bytes kept of an object, made where there are none, and where its resourceVersion goes into them. */
function kept(object: KubeObject): { readonly bytes: Uint8Array; readonly at: number } {
  const holder = (object as Carrier)[wire];
  if (!holder) return { bytes: Buffer.from(JSON.stringify(object)), at: 0 };
  holder.bytes ??= Buffer.from(JSON.stringify(object));
  return holder as { readonly bytes: Uint8Array; readonly at: number };
}

/** The object's JSON, ready to be copied out: the stored bytes are shared, and the revision is put in on the way. */
export interface WireJson {
  readonly size: number;
  /** Copies what begins at byte `from` (not behind the metadata) into `out` at `to`; gives the place after it. */
  copy(out: Buffer, to: number, from: number): number;
}

/** The object's JSON in the form to copy from. */
export function wireJson(object: KubeObject): WireJson {
  const { bytes, at } = kept(object);
  if (at === 0) {
    return {
      size: bytes.length,
      copy(out, to, from) {
        out.set(from === 0 ? bytes : bytes.subarray(from), to);
        return to + bytes.length - from;
      },
    };
  }
  const version = versionPart(object);
  return {
    size: bytes.length + version.length,
    copy(out, to, from) {
      out.set(bytes.subarray(from, at), to);
      const middle = to + at - from;
      out.write(version, middle, 'latin1');
      out.set(bytes.subarray(at), middle + version.length);
      return middle + version.length + bytes.length - at;
    },
  };
}

/** How many bytes the object's JSON has. */
export function wireSize(object: KubeObject): number {
  const { bytes, at } = kept(object);
  return at === 0 ? bytes.length : bytes.length + versionPart(object).length;
}

/** True where the object's JSON has `text` at this byte (not behind the metadata's beginning). */
export function wireHas(object: KubeObject, text: Buffer, at: number): boolean {
  const { bytes } = kept(object);
  return text.compare(bytes, at, at + text.length) === 0;
}

/** The object's JSON as UTF-8. */
export function wireBytes(object: KubeObject): Buffer {
  const json = wireJson(object);
  const out = Buffer.allocUnsafe(json.size);
  json.copy(out, 0, 0);
  return out;
}

/** The object's protobuf message, made once for a shared object. */
export function wireProtobuf(object: KubeObject, make: () => Buffer): Buffer {
  const holder = (object as Carrier)[wire];
  if (!holder) return make();
  holder.protobuf ??= make();
  return holder.protobuf;
}

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
