import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EtcdCluster, hasEtcd, startEtcd } from '../../../testing/etcd-process.ts';
import { systemClock } from '../../base/clock.ts';
import { storeConformance } from '../conformance.ts';
import { LeaseNotFoundError, prefixRange, type Store, StoreUnavailableError } from '../store.ts';
import { etcdStore } from './etcd-store.ts';

describe.skipIf(!hasEtcd())('etcd (needs Debian etcd-server)', () => {
  let etcd: EtcdCluster;
  let number = 0;
  const prefixes = new Map<Store, string>();
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(async () => etcd?.stop());

  const open = async (prefix: string): Promise<Store> => {
    const store = await etcdStore({ endpoints: etcd.endpoints, prefix });
    prefixes.set(store, prefix);
    return store;
  };
  storeConformance({
    name: 'etcd',
    open: () => open(`/t${number++}`),
    async reopen(store) {
      await store.close();
      return open(prefixes.get(store) ?? '');
    },
  });

  it('lies in etcd as Kubernetes lays it out', async () => {
    const store = await etcdStore({ endpoints: etcd.endpoints });
    const value = Buffer.from('{"kind":"ConfigMap"}');
    await store.commit({
      compares: [{ key: '/registry/configmaps/default/a', modRevision: 0 }],
      operations: [{ type: 'put', key: '/registry/configmaps/default/a', value }],
    });
    const seen = execFileSync('etcdctl', ['get', '--prefix', '/registry', '--endpoints', etcd.endpoints.join(',')], {
      env: { ...process.env, ETCDCTL_API: '3' },
    }).toString();
    expect(seen).toBe('/registry/configmaps/default/a\n{"kind":"ConfigMap"}\n');
    expect(await store.stats()).toMatchObject({ keys: 1 });
    await store.close();
  });

  it('drops the keys of a lease that ends, and refuses unknown leases', async () => {
    const store = await open(`/t${number++}`);
    const lease = await store.grantLease(60);
    const put = (key: string, hung: string) =>
      store.commit({ compares: [], operations: [{ type: 'put', key, value: Buffer.from('x'), lease: hung }] });
    await put('/a', lease);
    await store.keepAlive(lease);
    expect((await store.get('/a')).entry?.lease).toBe(lease);
    await store.revokeLease(lease);
    expect((await store.get('/a')).entry).toBeUndefined();
    await expect(store.keepAlive(lease)).rejects.toBeInstanceOf(LeaseNotFoundError);
    await expect(put('/a', lease)).rejects.toBeInstanceOf(LeaseNotFoundError);
    await store.close();
  });

  it('goes on after etcd was killed and started again, watchers too', async () => {
    const alone = await startEtcd();
    const store = await etcdStore({ endpoints: alone.endpoints });
    const keys: string[] = [];
    let wake = (): void => undefined;
    store.watch(prefixRange('/p/'), 0, {
      events(batch) {
        keys.push(...batch.map(({ key }) => key));
        wake();
      },
      closed: () => undefined,
    });
    const put = (key: string) =>
      store.commit({
        compares: [{ key, modRevision: 0 }],
        operations: [{ type: 'put', key, value: Buffer.from(key) }],
      });
    await put('/p/0');
    const writing = (async () => {
      for (let i = 1; i < 200; i++) expect((await put(`/p/${i}`)).succeeded).toBe(true);
    })();
    await alone.signal(0, 'SIGKILL');
    await alone.start(0);
    await writing;
    while (keys.length < 200) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    expect(keys).toEqual(Array.from({ length: 200 }, (_, i) => `/p/${i}`));
    await store.close();
    await alone.stop();
  });

  it('says so when no member serves', async () => {
    await expect(
      etcdStore({ endpoints: ['http://127.0.0.1:1'] }, { ...systemClock, monotonic: fast() }),
    ).rejects.toBeInstanceOf(StoreUnavailableError);
  });
});

/** A clock whose every look is five seconds later. */
function fast(): () => number {
  let now = 0;
  return () => {
    now += 5000;
    return now;
  };
}
