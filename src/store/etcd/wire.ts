import type { Entry, KeyRange } from '../store.ts';

/** Messages as they come off the wire: 64-bit numbers are text. */
export interface WireHeader {
  readonly revision: string;
}
export interface WireKeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly createRevision: string;
  readonly modRevision: string;
  readonly version: string;
  readonly lease: string;
}
export interface WireRange {
  readonly header: WireHeader;
  readonly kvs: readonly WireKeyValue[];
  readonly more: boolean;
  readonly count: string;
}
export interface WireTxn {
  readonly header: WireHeader;
  readonly succeeded: boolean;
  readonly responses: readonly { readonly responseRange?: WireRange }[];
}
export interface WireWatch {
  readonly header: WireHeader;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: string;
  readonly cancelReason: string;
  readonly events: readonly { readonly type: 'PUT' | 'DELETE'; readonly kv: WireKeyValue }[];
}

/** Where keys lie in etcd. */
export interface KeyMap {
  out(key: string): Buffer;
  in(key: Buffer): string;
  range(range: KeyRange): { readonly key: Buffer; readonly rangeEnd: Buffer };
}

export const kubernetesPrefix = '/registry';

/** Keys below `/registry` go below `prefix` (kube-apiserver's --etcd-prefix); all others are left alone unless the prefix is another. */
export function keyMap(prefix: string): KeyMap {
  if (prefix === kubernetesPrefix) {
    return {
      out: (key) => Buffer.from(key),
      in: (key) => key.toString(),
      range: ({ start, end }) => ({ key: Buffer.from(start), rangeEnd: Buffer.from(end) }),
    };
  }
  const others = `${prefix}.d`;
  const map = (key: string): string =>
    key.startsWith(kubernetesPrefix) ? prefix + key.slice(kubernetesPrefix.length) : others + key;
  return {
    out: (key) => Buffer.from(map(key)),
    in(key) {
      const text = key.toString();
      return text.startsWith(others) ? text.slice(others.length) : kubernetesPrefix + text.slice(prefix.length);
    },
    range: ({ start, end }) => ({ key: Buffer.from(map(start)), rangeEnd: Buffer.from(map(end)) }),
  };
}

export function entryOf(kv: WireKeyValue, keys: KeyMap): Entry {
  return {
    key: keys.in(kv.key),
    value: kv.value,
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
    lease: kv.lease === '0' ? '' : kv.lease,
  };
}
