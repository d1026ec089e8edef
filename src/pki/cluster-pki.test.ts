import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import { ensureClusterPki } from './cluster-pki.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pki-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));
const names = { hostnames: ['localhost', 'kubernetes.default.svc'], ips: ['127.0.0.1', '10.96.0.1', '::1'] };

describe('a cluster’s certificates', () => {
  it('are made, kept private, and read back unchanged', async () => {
    const first = await ensureClusterPki({ dir, clock: systemClock, ...names });
    for (const file of await readdir(dir)) {
      if (file.endsWith('.key')) expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600);
    }
    const second = await ensureClusterPki({ dir, clock: systemClock, ...names });
    expect(second.authority).toEqual(first.authority);
    expect(second.serving).toEqual(first.serving);
    expect(second.admin).toEqual(first.admin);
    expect(second.serviceAccountKey).toBe(first.serviceAccountKey);
    expect(createPublicKey(await readFile(join(dir, 'sa.pub'), 'utf8')).asymmetricKeyType).toBe('ec');
    const serving = new X509Certificate(first.serving.certificate);
    expect(serving.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
    expect(serving.checkIP('10.96.0.1')).toBe('10.96.0.1');
    expect(serving.checkIP('::1')).toBeDefined();
    expect(new X509Certificate(first.authority.certificate).ca).toBe(true);
  });

  it('are renewed near their end, with other names, and when damaged', async () => {
    const clock = virtualClock();
    const first = await ensureClusterPki({ dir, clock, ...names });
    const moved = await ensureClusterPki({ dir, clock, hostnames: ['other'], ips: names.ips });
    expect(moved.serving.certificate).not.toBe(first.serving.certificate);
    expect(moved.authority).toEqual(first.authority);
    await writeFile(join(dir, 'admin.crt'), 'no certificate');
    const repaired = await ensureClusterPki({ dir, clock, hostnames: ['other'], ips: names.ips });
    expect(new X509Certificate(repaired.admin.certificate).subject).toBe('O=system:masters\nCN=kubernetes-admin');
    await clock.advance(340 * 24 * 3600 * 1000);
    const renewed = await ensureClusterPki({ dir, clock, hostnames: ['other'], ips: names.ips });
    expect(renewed.scheduler.certificate).not.toBe(first.scheduler.certificate);
    expect(renewed.authority).toEqual(first.authority);
  });

  it('a lost authority key replaces everything it signed', async () => {
    const first = await ensureClusterPki({ dir, clock: systemClock, ...names });
    await rm(join(dir, 'ca.key'));
    const second = await ensureClusterPki({ dir, clock: systemClock, ...names });
    expect(second.authority.certificate).not.toBe(first.authority.certificate);
    expect(
      new X509Certificate(second.admin.certificate).verify(new X509Certificate(second.authority.certificate).publicKey),
    ).toBe(true);
  });

  it('are trusted by TLS on both sides', async () => {
    const pki = await ensureClusterPki({ dir, clock: systemClock, ...names });
    const kubelet = await pki.kubelet('node-1');
    const server = createServer(
      {
        cert: pki.serving.certificate,
        key: pki.serving.key,
        ca: pki.authority.certificate,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => socket.end(JSON.stringify(socket.getPeerCertificate().subject)),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        cert: kubelet.certificate,
        key: kubelet.key,
        ca: pki.authority.certificate,
      });
      let got = '';
      socket.on('data', (chunk) => {
        got += chunk;
      });
      socket.on('end', () => resolve(got));
      socket.on('error', reject);
    });
    server.close();
    expect(JSON.parse(text)).toEqual({ CN: 'system:node:node-1', O: 'system:nodes' });
  });
});
