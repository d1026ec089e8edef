import type { Clock, Timer } from '../../base/clock.ts';
import { type Entry, LeaseNotFoundError } from '../store.ts';
import type { Backend, BackendWrite } from './backend.ts';

interface Lease {
  readonly ttlSeconds: number;
  readonly keys: Set<string>;
  timer: Timer;
}

/**
 * Leases of one store: kept in the meta table so that they outlive a restart (each then has its whole time again, as in etcd
 * after a change of leader). `expire` deletes the keys of a lease that ran out.
 */
export function leases(
  backend: Backend,
  clock: Clock,
  write: (write: BackendWrite) => Promise<void>,
  expire: (id: string, keys: readonly string[]) => void,
) {
  const all = new Map<string, Lease>();
  const rowOf = (id: string): string => `lease/${id}`;
  const arm = (id: string, ttlSeconds: number): Timer =>
    clock.after(
      ttlSeconds * 1000,
      () => {
        const lease = all.get(id);
        if (lease) expire(id, [...lease.keys]);
      },
      { background: true },
    );
  const find = (id: string): Lease => {
    const lease = all.get(id);
    if (!lease) throw new LeaseNotFoundError(`lease ${id} not found`);
    return lease;
  };
  for (const { key, value } of backend.scan('meta', 'lease/', 'lease0')) {
    const id = String(key).slice('lease/'.length);
    const ttlSeconds = Number(Buffer.from(value).toString());
    all.set(id, { ttlSeconds, keys: new Set(), timer: arm(id, ttlSeconds) });
  }
  let next = Math.max(0, ...[...all.keys()].map(Number)) + 1;
  return {
    async grant(ttlSeconds: number): Promise<string> {
      const id = String(next++);
      await write({ table: 'meta', key: rowOf(id), value: Buffer.from(String(ttlSeconds)) });
      all.set(id, { ttlSeconds, keys: new Set(), timer: arm(id, ttlSeconds) });
      return id;
    },
    keepAlive(id: string): void {
      const lease = find(id);
      lease.timer.cancel();
      lease.timer = arm(id, lease.ttlSeconds);
    },
    keysOf: (id: string): readonly string[] => [...find(id).keys],
    has: (id: string): boolean => all.has(id),
    async drop(id: string): Promise<void> {
      all.get(id)?.timer.cancel();
      all.delete(id);
      await write({ table: 'meta', key: rowOf(id), value: undefined });
    },
    /** Follows a key from one lease to another. */
    moved(key: string, from: Entry | undefined, to: string): void {
      if (from?.lease) all.get(from.lease)?.keys.delete(key);
      if (to) all.get(to)?.keys.add(key);
    },
    close(): void {
      for (const lease of all.values()) lease.timer.cancel();
      all.clear();
    },
    get size(): number {
      return all.size;
    },
  };
}
