/** An IPv4 or IPv6 address as a number. */
function toNumber(ip: string): bigint {
  if (!ip.includes(':')) return ip.split('.').reduce((sum, part) => sum * 256n + BigInt(Number(part) || 0), 0n);
  const [head = '', tail] = ip.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...middle, ...right].reduce((sum, part) => sum * 65_536n + BigInt(`0x${part || '0'}`), 0n);
}

/** True when `ip` lies in `cidr`; never across families. */
export function inCidr(ip: string, cidr: string): boolean {
  const [base = '', length = ''] = cidr.split('/');
  if (ip.includes(':') !== base.includes(':')) return false;
  const bits = ip.includes(':') ? 128 : 32;
  const shift = BigInt(bits - (length === '' ? bits : Number(length)));
  return toNumber(ip) >> shift === toNumber(base) >> shift;
}

const lengthOf = (cidr: string): number => Number(cidr.split('/')[1] ?? (cidr.includes(':') ? 128 : 32));

/** CIDRs without those that lie in another: the kernel's sets refuse overlapping intervals. */
export function disjointCidrs(cidrs: readonly string[]): readonly string[] {
  const unique = [...new Set(cidrs)];
  const covers = (outer: string, inner: string): boolean =>
    lengthOf(outer) <= lengthOf(inner) && inCidr(inner.split('/')[0] ?? '', outer);
  return unique.filter((it, i) =>
    unique.every((other, j) => i === j || !covers(other, it) || (covers(it, other) && i < j)),
  );
}
