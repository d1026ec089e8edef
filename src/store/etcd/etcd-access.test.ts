import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type EtcdCluster, hasEtcd, startEtcd } from '../../../testing/etcd-process.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { createAuthority, createLeaf } from '../../pki/certificate.ts';
import { prefixRange, type Store, StoreUnavailableError } from '../store.ts';
import { etcdStore } from './etcd-store.ts';

const dir = mkdtempSync(join(tmpdir(), 'coracle-etcd-access-'));
const started: EtcdCluster[] = [];
afterAll(async () => {
  for (const etcd of started) await etcd.stop();
  rmSync(dir, { recursive: true, force: true });
});
const impatient = () => {
  let now = 0;
  return { ...systemClock, monotonic: () => (now += 5000) };
};

async function worksFully(store: Store): Promise<void> {
  const watched = new Promise<string>((resolve) => {
    store.watch(prefixRange('/registry/'), 0, {
      events: ([event]) => resolve(event?.key ?? ''),
      closed: (error) => resolve(error.message),
    });
  });
  const result = await store.commit({
    compares: [{ key: '/registry/a', modRevision: 0 }],
    operations: [{ type: 'put', key: '/registry/a', value: Buffer.from('x') }],
  });
  expect(result.succeeded).toBe(true);
  expect(await watched).toBe('/registry/a');
  await store.keepAlive(await store.grantLease(30));
  await store.close();
}

describe.skipIf(!hasEtcd())('the way into etcd (needs Debian etcd-server)', () => {
  it('is TLS with a client certificate where etcd wants one', async () => {
    const now = systemClock.now();
    const random = systemRandom();
    const ca = createAuthority('etcd-ca', now, random);
    const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
    const usages = ['server auth', 'client auth'] as const;
    const server = createLeaf({ subject: { commonName: 'etcd' }, names, usages }, ca, now, random);
    const client = createLeaf({ subject: { commonName: 'apiserver' }, usages: ['client auth'] }, ca, now, random);
    const file = (name: string, text: string): string => {
      const path = join(dir, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const etcd = await startEtcd({
      scheme: 'https',
      flags: [
        ...['--cert-file', file('server.crt', server.certificate), '--key-file', file('server.key', server.key)],
        ...['--trusted-ca-file', file('ca.crt', ca.certificate), '--client-cert-auth'],
      ],
    });
    started.push(etcd);
    const { endpoints } = etcd;
    await worksFully(
      await etcdStore({ endpoints, ca: ca.certificate, certificate: client.certificate, key: client.key }),
    );
    await expect(etcdStore({ endpoints, ca: ca.certificate }, impatient())).rejects.toBeInstanceOf(
      StoreUnavailableError,
    );
    await expect(etcdStore({ endpoints }, impatient())).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  it('is a user and a password where etcd wants them', async () => {
    const etcd = await startEtcd();
    started.push(etcd);
    const { endpoints } = etcd;
    const etcdctl = (...args: readonly string[]): void => {
      const env = { ...process.env, ETCDCTL_API: '3' };
      execFileSync('etcdctl', ['--endpoints', endpoints.join(','), ...args], { env, stdio: 'ignore' });
    };
    etcdctl('user', 'add', 'root:secret');
    etcdctl('user', 'grant-role', 'root', 'root');
    etcdctl('auth', 'enable');
    await worksFully(await etcdStore({ endpoints, user: 'root', password: 'secret' }));
    await expect(etcdStore({ endpoints, user: 'root', password: 'wrong' })).rejects.toThrow(/authentication failed/);
    await expect(etcdStore({ endpoints })).rejects.toThrow(/user name is empty/);
  });
});
