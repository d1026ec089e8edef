import { type FieldError, forbiddenField, invalid, notSupported, required } from '../api/field-error.ts';

/** One Invalid error for each reason against the value. */
export const invalids = (path: string, value: unknown, reasons: readonly string[]): FieldError[] =>
  reasons.map((reason) => invalid(path, value, reason));

/** An enumeration: Required where empty, Unsupported where unknown. `valid` as the message lists it. */
export function oneOf(path: string, value: string | undefined, valid: readonly string[]): FieldError[] {
  if (!value) return [required(path)];
  return valid.includes(value) ? [] : [notSupported(path, value, valid)];
}

/** An enumeration that may be absent. */
export function optionalOneOf(path: string, value: string | undefined, valid: readonly string[]): FieldError[] {
  return value === undefined || valid.includes(value) ? [] : [notSupported(path, value, valid)];
}

export const nonNegative = (path: string, value: number | undefined): FieldError[] =>
  value !== undefined && value < 0 ? [invalid(path, value, 'must be greater than or equal to 0')] : [];

export const positive = (path: string, value: number | undefined): FieldError[] =>
  (value ?? 0) <= 0 ? [invalid(path, value ?? 0, 'must be greater than zero')] : [];

export const fileMode = (path: string, mode: number | undefined): FieldError[] =>
  mode !== undefined && (mode > 0o777 || mode < 0)
    ? [invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : [];

export const noBacksteps = (path: string, target: string): FieldError[] =>
  target.split('/').includes('..') ? [invalid(path, target, "must not contain '..'")] : [];

/** A relative path without `..`. */
export function descendingPath(path: string, target: string): FieldError[] {
  return [
    ...(target.startsWith('/') ? [invalid(path, target, 'must be a relative path')] : []),
    ...noBacksteps(path, target),
  ];
}

/** The same, and not one of the names that atomic volume updates keep for themselves. */
export function unreservedPath(path: string, target: string): FieldError[] {
  const errors = descendingPath(path, target);
  if (target.startsWith('..') && !target.startsWith('../')) {
    errors.push(invalid(path, target, "must not start with '..'"));
  }
  return errors;
}

/** Forbidden for each of these fields that is set. */
export function onlyFields(object: object, allowed: readonly string[], path: string, detail: string): FieldError[] {
  return Object.entries(object)
    .filter(([key, value]) => !allowed.includes(key) && !isZero(value))
    .map(([key]) => forbiddenField(`${path}.${key}`, detail));
}

const isZero = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** Whether the value is an IP address as older fields take it: IPv4 with leading zeros included. */
export function ipReasons(value: string): readonly string[] {
  return isIpAddress(value) ? [] : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
}

export function isIpAddress(value: string): boolean {
  if (isIpv4(value)) return true;
  return isIpv6(value);
}

export function isIpv4(value: string): boolean {
  const parts = value.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

export function isIpv6(value: string): boolean {
  if (!/^[0-9a-fA-F:.]+$/.test(value) || !value.includes(':')) return false;
  const halves = value.split('::');
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [h, half] of halves.entries()) {
    if (half === '') continue;
    const parts = half.split(':');
    for (const [i, part] of parts.entries()) {
      const last = h === halves.length - 1 && i === parts.length - 1;
      if (last && part.includes('.')) {
        if (!isIpv4(part)) return false;
        groups += 2;
      } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups++;
      else return false;
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

/** `10.0.0.0/8`, `fd00::/8`. */
export function isCidr(value: string): boolean {
  const slash = value.indexOf('/');
  if (slash < 0) return false;
  const address = value.slice(0, slash);
  const bits = value.slice(slash + 1);
  if (!/^\d{1,3}$/.test(bits)) return false;
  return isIpv4(address) ? Number(bits) <= 32 : isIpv6(address) && Number(bits) <= 128;
}

/** An address as an integer and its width in bits. */
function addressBits(address: string): { readonly value: bigint; readonly width: number } {
  if (!address.includes(':')) {
    return { value: address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n), width: 32 };
  }
  const expand = (half: string): bigint[] =>
    half === ''
      ? []
      : half.split(':').flatMap((part) => {
          if (!part.includes('.')) return [BigInt(`0x${part}`)];
          const { value } = addressBits(part);
          return [value >> 16n, value & 0xffffn];
        });
  const [head = '', tail] = address.split('::');
  const left = expand(head);
  const right = tail === undefined ? [] : expand(tail);
  const gap = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => 0n);
  return { value: [...left, ...gap, ...right].reduce((sum, group) => (sum << 16n) + group, 0n), width: 128 };
}

/** Whether `inner` lies strictly inside `outer`; both are valid CIDRs. */
export function cidrContains(outer: string, inner: string): boolean {
  const [outerAddress = '', outerBits = '0'] = outer.split('/');
  const [innerAddress = '', innerBits = '0'] = inner.split('/');
  const a = addressBits(outerAddress);
  const b = addressBits(innerAddress);
  if (a.width !== b.width || Number(innerBits) <= Number(outerBits)) return false;
  const shift = BigInt(a.width - Number(outerBits));
  return a.value >> shift === b.value >> shift;
}
