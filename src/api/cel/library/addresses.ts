/** IP addresses and networks. */
import { isIP, isIPv4 } from 'node:net';
import { type CelFunc, type CelMap, CelScalar, celFunc, celMethod, mapType } from '@bufbuild/cel';
import { isOpaque, opaque, part } from '../opaque.ts';

const { DYN, BOOL, INT, STRING } = CelScalar;

function bitsOf(text: string): bigint {
  if (isIPv4(text)) return text.split('.').reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
  const [head = '', tail] = text.split('::');
  const groups = (half: string): bigint[] =>
    half === ''
      ? []
      : half.split(':').flatMap((group) => {
          if (!group.includes('.')) return [BigInt(`0x${group}`)];
          const bits = bitsOf(group);
          return [bits >> 16n, bits & 0xffffn];
        });
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...Array<bigint>(Math.max(0, 8 - left.length - right.length)).fill(0n), ...right];
  return all.reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** RFC 5952: lower case, the longest run of zeros as `::`. */
function showBits(bits: bigint, family: bigint): string {
  if (family === 4n) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - index * 16)) & 0xffffn).toString(16));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

const isPlain = (text: string): boolean => isIP(text) !== 0 && !text.includes('%') && !/^::ffff:/i.test(text);

function ip(text: string): CelMap {
  if (isIP(text) === 0)
    throw new Error(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    );
  if (text.includes('%')) throw new Error(`IP address ${JSON.stringify(text)} with zone value is not allowed`);
  if (/^::ffff:/i.test(text)) throw new Error(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
  return opaque('ip', { family: isIPv4(text) ? 4n : 6n, bits: bitsOf(text) });
}

const widthOf = (family: bigint): bigint => (family === 4n ? 32n : 128n);

function cidr(text: string): CelMap {
  const [address = '', length = ''] = text.split('/');
  const family = isIPv4(address) ? 4n : 6n;
  const valid = isPlain(address) && /^(?:0|[1-9]\d{0,2})$/.test(length) && BigInt(length) <= widthOf(family);
  if (!valid || text.split('/').length !== 2) {
    throw new Error(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): no '/'`,
    );
  }
  return opaque('cidr', { family, bits: bitsOf(address), length: BigInt(length) });
}

const isCidr = (text: string): boolean => {
  const [address = '', length = '', ...more] = text.split('/');
  return (
    more.length === 0 &&
    isPlain(address) &&
    /^(?:0|[1-9]\d{0,2})$/.test(length) &&
    BigInt(length) <= (isIPv4(address) ? 32n : 128n)
  );
};

const bigint = (value: unknown, type: 'ip' | 'cidr', name: string): bigint => part(value, type, name) as bigint;
const network = (bits: bigint, length: bigint, family: bigint): bigint => {
  const host = widthOf(family) - length;
  return (bits >> host) << host;
};

function covers(outer: unknown, family: bigint, bits: bigint, length: bigint): boolean {
  const ownLength = bigint(outer, 'cidr', 'length');
  if (bigint(outer, 'cidr', 'family') !== family || length < ownLength) return false;
  return network(bits, ownLength, family) === network(bigint(outer, 'cidr', 'bits'), ownLength, family);
}

const check = (name: string, holds: (bits: bigint, family: bigint) => boolean): CelFunc =>
  celMethod(name, DYN, [], BOOL, function () {
    return holds(bigint(this, 'ip', 'bits'), bigint(this, 'ip', 'family'));
  });
const isLoopback = (bits: bigint, family: bigint): boolean => (family === 4n ? bits >> 24n === 127n : bits === 1n);
const isMulticast = (bits: bigint, family: bigint): boolean =>
  family === 4n ? bits >> 28n === 14n : bits >> 120n === 0xffn;
const isLinkLocalUnicast = (bits: bigint, family: bigint): boolean =>
  family === 4n ? bits >> 16n === 0xa9fen : bits >> 118n === 0x3fan;

export const addressFunctions: readonly CelFunc[] = [
  celFunc('ip', [STRING], DYN, ip),
  celFunc('isIP', [STRING], BOOL, isPlain),
  celFunc('ip.isCanonical', [STRING], BOOL, (text) => {
    const value = ip(text);
    return showBits(bigint(value, 'ip', 'bits'), bigint(value, 'ip', 'family')) === text;
  }),
  celMethod('family', DYN, [], INT, function () {
    return bigint(this, 'ip', 'family');
  }),
  check('isUnspecified', (bits) => bits === 0n),
  check('isLoopback', isLoopback),
  check('isLinkLocalUnicast', isLinkLocalUnicast),
  check('isLinkLocalMulticast', (bits, family) =>
    family === 4n ? bits >> 8n === 0xe00000n : bits >> 112n === 0xff02n,
  ),
  check(
    'isGlobalUnicast',
    (bits, family) =>
      bits !== 0n &&
      !isLoopback(bits, family) &&
      !isMulticast(bits, family) &&
      !isLinkLocalUnicast(bits, family) &&
      !(family === 4n && bits === 0xffffffffn),
  ),
  celFunc('cidr', [STRING], DYN, cidr),
  celFunc('isCIDR', [STRING], BOOL, isCidr),
  celMethod('containsIP', DYN, [DYN], BOOL, function (address) {
    const inner = typeof address === 'string' ? ip(address) : address;
    const family = bigint(inner, 'ip', 'family');
    return covers(this, family, bigint(inner, 'ip', 'bits'), widthOf(family));
  }),
  celMethod('containsCIDR', DYN, [DYN], BOOL, function (other) {
    const inner = typeof other === 'string' ? cidr(other) : other;
    return covers(
      this,
      bigint(inner, 'cidr', 'family'),
      bigint(inner, 'cidr', 'bits'),
      bigint(inner, 'cidr', 'length'),
    );
  }),
  celMethod('ip', DYN, [], DYN, function () {
    return opaque('ip', { family: bigint(this, 'cidr', 'family'), bits: bigint(this, 'cidr', 'bits') });
  }),
  celMethod('prefixLength', DYN, [], INT, function () {
    return bigint(this, 'cidr', 'length');
  }),
  celMethod('masked', DYN, [], DYN, function () {
    const [family, length] = [bigint(this, 'cidr', 'family'), bigint(this, 'cidr', 'length')];
    return opaque('cidr', { family, length, bits: network(bigint(this, 'cidr', 'bits'), length, family) });
  }),
  celFunc('string', [mapType(CelScalar.STRING, DYN)], STRING, showAddress),
];

function showAddress(value: unknown): string {
  if (isOpaque(value, 'ip')) return showBits(bigint(value, 'ip', 'bits'), bigint(value, 'ip', 'family'));
  if (isOpaque(value, 'cidr')) {
    const address = showBits(bigint(value, 'cidr', 'bits'), bigint(value, 'cidr', 'family'));
    return `${address}/${bigint(value, 'cidr', 'length')}`;
  }
  throw new Error('no such overload');
}
