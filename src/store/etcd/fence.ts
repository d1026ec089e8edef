import type { EtcdChannel } from './channel.ts';
import type { WireHeader } from './wire.ts';

/**
 * A key of this client that all its transactions compare. When the outcome of one is unknown the key is written anew: what has not
 * been applied by then never will be, so looking at the history settles the matter for good.
 */
export interface Fence {
  readonly key: Buffer;
  /** The key's modification revision that transactions have to compare. */
  readonly revision: number;
  /** The lease it hangs on, for other keys of this client. */
  readonly lease: string;
  /** Shuts out every transaction that compared `seen`. Resolves with the revision from which on this holds. */
  raise(seen: number): Promise<number>;
}

/** The key vanishes by itself when its client is gone, and is made again by one that is not. */
const ttlSeconds = 3600;

export async function makeFence(channel: EtcdChannel, id: string): Promise<Fence> {
  const key = Buffer.from(`coracle/fence/${id}`);
  let revision = 0;
  let lease = '';
  let raising: Promise<number> | undefined;
  const write = async (): Promise<number> => {
    const { ID } = await channel.call<{ ID: string }>('Lease.LeaseGrant', { TTL: ttlSeconds, ID: 0 });
    const { header } = await channel.call<{ header: WireHeader }>('KV.Put', { key, value: key, lease: ID });
    revision = Number(header.revision);
    lease = ID;
    return revision;
  };
  await write();
  return {
    key,
    get revision() {
      return revision;
    },
    get lease() {
      return lease;
    },
    async raise(seen) {
      if (seen !== revision && !raising) return revision;
      raising ??= write().finally(() => {
        raising = undefined;
      });
      return raising;
    },
  };
}
