import { isIP } from 'node:net';
import { ipBytes } from '../../../pki/names.ts';

/** A range of addresses: `10.96.0.0/12`. */
export interface Cidr {
  readonly text: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly base: bigint;
  /** How many addresses it holds. */
  readonly size: bigint;
}

export const familyOf = (address: string): 'IPv4' | 'IPv6' | undefined => {
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? 'IPv4' : 'IPv6';
};

/** The number an address stands for. Throws for text that is none. */
export const addressNumber = (address: string): bigint => BigInt(`0x${ipBytes(address).toString('hex')}`);

/** The text of an address in its shortest form. */
export function addressText(value: bigint, family: 'IPv4' | 'IPv6'): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

/** Parses `address/bits`; undefined where it is none. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', bits = ''] = text.split('/');
  const family = familyOf(address);
  if (!family || !/^\d+$/.test(bits)) return undefined;
  const width = family === 'IPv4' ? 32 : 128;
  const length = Number(bits);
  if (length > width) return undefined;
  const size = 1n << BigInt(width - length);
  const value = addressNumber(address);
  return { text, family, base: value - (value % size), size };
}

export const contains = (cidr: Cidr, value: bigint): boolean => value > cidr.base && value < lastOf(cidr);
/** The end of what may be handed out: an IPv4 range keeps its broadcast address. */
const lastOf = (cidr: Cidr): bigint => cidr.base + cidr.size - (cidr.family === 'IPv4' ? 1n : 0n);

/** How many addresses at the start are left to those who ask for one by name (ipallocator's static band). */
export function staticBand(cidr: Cidr): bigint {
  if (cidr.size < 16n) return 0n;
  const band = cidr.size / 16n;
  return band < 16n ? 16n : band > 256n ? 256n : band;
}

/** Usable addresses: from the first after the base up to, not including, this offset. */
export const usable = (cidr: Cidr): bigint => lastOf(cidr) - cidr.base;
