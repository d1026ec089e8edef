import { BlockList, isIP } from 'node:net';

export const isIpv4 = (ip: string): boolean => isIP(ip) === 4;

/** A range of addresses. */
export interface Net {
  contains(ip: string): boolean;
  /** The `index`-th address of an IPv4 range, undefined past its end. */
  at(index: number): string | undefined;
  readonly size: number;
}

const toNumber = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** Reads `10.244.0.0/16`. */
export function netOf(cidr: string): Net {
  const [ip = '0.0.0.0', bits = '32'] = cidr.split('/');
  const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(ip, Number(bits), family);
  const size = family === 'ipv4' ? 2 ** (32 - Number(bits)) : Number.MAX_SAFE_INTEGER;
  const base = family === 'ipv4' ? Math.floor(toNumber(ip) / size) * size : 0;
  return {
    contains: (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'),
    at: (index) => (index < size && family === 'ipv4' ? toText(base + index) : undefined),
    size,
  };
}

/** Hands out addresses of a range: the first is the network's, the second the gateway's, the last the broadcast's. */
export interface AddressPool {
  take(): string | undefined;
  give(ip: string): void;
}

/** Takes addresses in turn, like host-local IPAM, so that one given back is not reused at once. */
export function addressPool(cidr: string): AddressPool {
  const net = netOf(cidr);
  const used = new Set<string>();
  let last = 1;
  return {
    take() {
      const usable = net.size - 3;
      for (let tries = 0; tries < usable; tries++) {
        last = last + 1 > net.size - 2 ? 2 : last + 1;
        const ip = net.at(last);
        if (ip && !used.has(ip)) {
          used.add(ip);
          return ip;
        }
      }
      return undefined;
    },
    give: (ip) => void used.delete(ip),
  };
}
