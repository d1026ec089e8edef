/**
 * Values of Kubernetes' own CEL types (quantity, url, ip, cidr, optional …). The library has no room for foreign types, so they are maps with a
 * mark; methods check the mark.
 */
import { type CelInput, type CelMap, type CelValue, celMap, isCelMap } from '@bufbuild/cel';

const mark = '@type';

export type OpaqueType = 'quantity' | 'url' | 'ip' | 'cidr' | 'semver' | 'optional' | 'format';

/** A marked value with these parts. */
export const opaque = (type: OpaqueType, parts: Readonly<Record<string, CelInput>>): CelMap =>
  celMap(new Map<string, CelInput>([[mark, type], ...Object.entries(parts)]));

export const isOpaque = (value: unknown, type: OpaqueType): value is CelMap =>
  isCelMap(value) && value.get(mark) === type;

/** A part of a marked value, or cel-go's complaint where the value is of another type. */
export function part(value: unknown, type: OpaqueType, name: string): CelValue {
  if (!isOpaque(value, type)) throw new Error('no such overload');
  const found = value.get(name);
  if (found === undefined) throw new Error('no such overload');
  return found;
}

export const none = opaque('optional', { has: false });
export const some = (value: CelInput): CelMap => opaque('optional', { has: true, value });
