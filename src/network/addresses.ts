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
