import { servicecidrs, services } from '../../../api/generated/resources.ts';
import type { V1Service } from '../../../api/generated/types.ts';
import type { Live } from '../../../api/resource.ts';
import { randomInt } from '../../../base/random.ts';
import type { ServerContext } from '../../contracts.ts';
import { addressNumber, addressText, type Cidr, contains, parseCidr, staticBand, usable } from './addresses.ts';

export type Family = 'IPv4' | 'IPv6';

/** Who takes: `namespace/name` of the Service, or its draft while it has no name. */
export type Owner = string | object;

/** Why something cannot be had, in upstream's words. */
export interface Refused {
  readonly refused: string;
}

/**
 * Cluster addresses and node ports. What stored Services hold is read from them, so it can never go astray; what a write under way has taken is
 * kept until that write is seen stored, given back, or forgotten.
 */
export interface Allocator {
  readonly families: readonly Family[];
  /** Takes this address for `owner`; undefined when it did. */
  takeAddress(owner: Owner, address: string): Refused | undefined;
  nextAddress(owner: Owner, family: Family): string | Refused;
  takePort(owner: Owner, port: number): Refused | undefined;
  nextPort(owner: Owner): number | Refused;
  /** Gives back all that `owner` took and no stored Service holds. */
  release(owner: Owner): void;
}

export interface AllocatorOptions {
  /** The cluster's own ranges; the first one's family is the default. More come from ServiceCIDR objects. */
  readonly serviceCidrs: readonly string[];
  readonly nodePorts: { readonly first: number; readonly last: number };
}

/** A write that has not been seen after this many milliseconds has failed. */
const forgetAfterMs = 60_000;
const tries = 64;

interface Ledger<K> {
  /** True where another has it; what `owner` itself took before (a write tried again) does not count. */
  used(key: K, owner: Owner): boolean;
  take(key: K, owner: Owner): void;
  releaseAll(owner: Owner): void;
  stored(keys: readonly K[], step: 1 | -1): void;
}

/** Counts what stored objects hold and remembers what writes under way have taken. */
function ledger<K>(now: () => number): Ledger<K> {
  const held = new Map<K, number>();
  const pending = new Map<K, { readonly owner: Owner; readonly until: number }>();
  return {
    used(key, owner) {
      if (held.has(key)) return true;
      const taken = pending.get(key);
      if (!taken || taken.owner === owner) return false;
      if (taken.until > now()) return true;
      pending.delete(key);
      return false;
    },
    take: (key, owner) => void pending.set(key, { owner, until: now() + forgetAfterMs }),
    releaseAll(owner) {
      for (const [key, taken] of pending) if (taken.owner === owner) pending.delete(key);
    },
    stored(keys, step) {
      for (const key of keys) {
        const count = (held.get(key) ?? 0) + step;
        if (count > 0) held.set(key, count);
        else held.delete(key);
        if (step > 0) pending.delete(key);
      }
    },
  };
}

const addressesOf = (service: Live<V1Service>): readonly string[] =>
  (service.spec?.clusterIPs ?? (service.spec?.clusterIP ? [service.spec.clusterIP] : [])).filter(
    (address) => address !== '' && address !== 'None',
  );

const portsOf = (service: Live<V1Service>): readonly number[] => {
  const ports = (service.spec?.ports ?? []).map((port) => port.nodePort ?? 0);
  // One number may serve TCP and UDP of the same Service.
  return [...new Set([...ports, service.spec?.healthCheckNodePort ?? 0])].filter((port) => port !== 0);
};

export function createAllocator(context: ServerContext, options: AllocatorOptions): Allocator {
  const { reader, random } = context;
  const now = (): number => context.clock.monotonic();
  const addresses = ledger<bigint>(now);
  const ports = ledger<number>(now);
  const own = options.serviceCidrs.map(parseCidr).filter((cidr) => cidr !== undefined);
  const families = [...new Set(own.map((cidr) => cidr.family))];
  const follow = (service: Live<V1Service>, step: 1 | -1): void => {
    addresses.stored(addressesOf(service).map(addressNumber), step);
    ports.stored(portsOf(service), step);
  };
  let loaded = false;
  reader.subscribe(services, ({ type, object, old }) => {
    if (!loaded) return;
    if (type !== 'DELETED') follow(object, 1);
    else if (!old) follow(object, -1);
    if (old) follow(old, -1);
  });
  const load = (): void => {
    if (loaded) return;
    loaded = true;
    for (const service of reader.list(services)) follow(service, 1);
  };
  const ranges = (): readonly Cidr[] => {
    const more = reader
      .list(servicecidrs)
      .filter((known) => known.metadata.deletionTimestamp === undefined)
      .flatMap((known) => known.spec?.cidrs ?? [])
      .map(parseCidr)
      .filter((cidr) => cidr !== undefined && !own.some((known) => known.text === cidr.text));
    return [...own, ...more.filter((cidr) => cidr !== undefined)];
  };
  /** A free offset in [from, to): a few guesses, then a search from a chance start. */
  const draw = (from: bigint, to: bigint, free: (offset: bigint) => boolean): bigint | undefined => {
    const span = to - from;
    if (span <= 0n) return undefined;
    const guess = (): bigint => from + BigInt(Math.floor(random.next() * Number(span)));
    for (let i = 0; i < tries; i++) {
      const offset = guess();
      if (free(offset)) return offset;
    }
    const limit = span > 65_536n ? 65_536n : span;
    const start = guess() - from;
    for (let step = 0n; step < limit; step++) {
      const offset = from + ((start + step) % span);
      if (free(offset)) return offset;
    }
    return undefined;
  };
  const { first, last } = options.nodePorts;
  const count = last - first + 1;
  const band = count < 16 ? 0 : Math.min(Math.max(16, Math.floor(count / 32)), 128);

  return {
    families,
    takeAddress(owner, address) {
      load();
      const value = addressNumber(address);
      const known = ranges();
      if (!known.some((cidr) => contains(cidr, value))) {
        const valid = known.map((cidr) => cidr.text).join(',');
        return {
          refused: `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${valid}`,
        };
      }
      if (addresses.used(value, owner)) return { refused: 'provided IP is already allocated' };
      addresses.take(value, owner);
      return undefined;
    },
    nextAddress(owner, family) {
      load();
      for (const cidr of ranges().filter((range) => range.family === family)) {
        const free = (offset: bigint): boolean => !addresses.used(cidr.base + offset, owner);
        const lower = staticBand(cidr);
        const start = lower > 1n ? lower : 1n;
        const offset = draw(start, usable(cidr), free) ?? draw(1n, start, free);
        if (offset === undefined) continue;
        addresses.take(cidr.base + offset, owner);
        return addressText(cidr.base + offset, family);
      }
      return { refused: 'range is full' };
    },
    takePort(owner, port) {
      load();
      if (port < first || port > last) {
        return { refused: `provided port is not in the valid range. The range of valid ports is ${first}-${last}` };
      }
      if (ports.used(port, owner)) return { refused: 'provided port is already allocated' };
      ports.take(port, owner);
      return undefined;
    },
    nextPort(owner) {
      load();
      const search = (from: number, to: number): number | undefined => {
        if (to <= from) return undefined;
        const start = randomInt(random, to - from);
        for (let step = 0; step < to - from; step++) {
          const port = from + ((start + step) % (to - from));
          if (!ports.used(port, owner)) return port;
        }
        return undefined;
      };
      const port = search(first + band, last + 1) ?? search(first, first + band);
      if (port === undefined) return { refused: 'range is full' };
      ports.take(port, owner);
      return port;
    },
    release(owner) {
      addresses.releaseAll(owner);
      ports.releaseAll(owner);
    },
  };
}
