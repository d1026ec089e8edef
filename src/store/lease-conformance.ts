import { describe, expect, it } from 'vitest';
import { virtualClock } from '../base/virtual-clock.ts';
import type { StoreDriver } from './conformance.ts';
import { LeaseNotFoundError, prefixRange } from './store.ts';

/** Leases, for drivers whose time is the injected clock's. */
export function leaseConformance(driver: StoreDriver): void {
  const value = Buffer.from('x');
  describe(`leases of store driver ${driver.name}`, () => {
    it('drops the keys of a lease that is not kept alive, and only these', async () => {
      const clock = virtualClock();
      const store = await driver.open(clock);
      const lease = await store.grantLease(10);
      await store.commit({
        compares: [],
        operations: [
          { type: 'put', key: '/a', value, lease },
          { type: 'put', key: '/b', value },
        ],
      });
      await clock.advance(8_000);
      await store.keepAlive(lease);
      await clock.advance(8_000);
      expect((await store.get('/a')).entry?.lease).toBe(lease);
      const gone = new Promise<string>((resolve) => {
        store.watch(prefixRange('/'), 0, {
          events: ([event]) => resolve(`${event?.type} ${event?.key}`),
          closed: (error) => resolve(error.message),
        });
      });
      await clock.advance(3_000);
      expect(await gone).toBe('delete /a');
      expect((await store.get('/a')).entry).toBeUndefined();
      expect((await store.get('/b')).entry).toBeDefined();
      await store.close();
    });

    it('drops keys at once when revoked and refuses unknown leases', async () => {
      const store = await driver.open(virtualClock());
      const lease = await store.grantLease(10);
      await store.commit({ compares: [], operations: [{ type: 'put', key: '/a', value, lease }] });
      await store.revokeLease(lease);
      expect((await store.get('/a')).entry).toBeUndefined();
      await expect(store.keepAlive(lease)).rejects.toBeInstanceOf(LeaseNotFoundError);
      await expect(
        store.commit({ compares: [], operations: [{ type: 'put', key: '/a', value, lease }] }),
      ).rejects.toBeInstanceOf(LeaseNotFoundError);
      await store.close();
    });
  });
}
