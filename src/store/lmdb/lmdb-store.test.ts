import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type StoreDriver, storeConformance } from '../conformance.ts';
import { leaseConformance } from '../lease-conformance.ts';
import type { Store } from '../store.ts';
import { lmdbStore } from './lmdb-store.ts';

const dirs = new Map<Store, string>();
const made: string[] = [];
const driver: StoreDriver = {
  name: 'lmdb',
  async open(clock) {
    const dir = mkdtempSync(join(tmpdir(), 'coracle-store-'));
    made.push(dir);
    const store = await lmdbStore(dir, clock);
    dirs.set(store, dir);
    return store;
  },
  async reopen(store, clock) {
    await store.close();
    return lmdbStore(dirs.get(store)!, clock);
  },
};

storeConformance(driver);
leaseConformance(driver);
afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});
