import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startLifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import { detachedSignature, signingToken } from '../../controllers/bootstrap-signer.ts';
import { createAuthority, createLeaf, type KeyedCertificate } from '../../pki/certificate.ts';
import { keepCertificate, renewalTime, storeCertificate, storedCertificate } from './certificates.ts';
import { authorityHash, parseToken, readClusterInfo } from './discovery.ts';

const random = seededRandom(1);
const start = Date.parse('2026-01-01T00:00:00Z');
const authority = createAuthority('kubernetes', start, random);
const nodeCertificate = (name: string, now: number): KeyedCertificate =>
  createLeaf(
    { subject: { commonName: `system:node:${name}`, organizations: ['system:nodes'] }, usages: ['client auth'] },
    authority,
    now,
    random,
  );
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => log,
};
const dir = mkdtempSync(join(tmpdir(), 'coracle-join-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('discovery', () => {
  it('reads tokens, cluster-info and pins', () => {
    expect(parseToken('abcdef.0123456789abcdef')).toEqual({ id: 'abcdef', secret: '0123456789abcdef' });
    for (const bad of ['', 'abcdef', 'ABCDEF.0123456789abcdef', 'abcdef.short']) {
      expect(() => parseToken(bad)).toThrow('the bootstrap token was not of the form');
    }
    expect(authorityHash(authority.certificate)).toMatch(/^sha256:[0-9a-f]{64}$/);
    const data = Buffer.from(authority.certificate).toString('base64');
    const text = `clusters:\n- cluster:\n    certificate-authority-data: ${data}\n    server: https://10.0.0.1:6443\n`;
    expect(readClusterInfo(text)).toEqual({ server: 'https://10.0.0.1:6443', authority: authority.certificate });
    expect(() => readClusterInfo('users: null')).toThrow('names no server');
  });
  it('signs with nothing between header and signature, only with tokens that may', () => {
    const signature = detachedSignature('text', 'abcdef', 'secret');
    const [header = '', body, tail] = signature.split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'HS256', kid: 'abcdef' });
    expect(body).toBe('');
    const content = Buffer.from('text').toString('base64url');
    expect(tail).toBe(createHmac('sha256', 'secret').update(`${header}.${content}`).digest('base64url'));
    const base64 = (fields: Record<string, string>) =>
      Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
    const secret = (more: Record<string, string>) => ({
      type: 'bootstrap.kubernetes.io/token',
      metadata: { name: 'bootstrap-token-abcdef' },
      data: base64({ 'token-id': 'abcdef', 'token-secret': 's', 'usage-bootstrap-signing': 'true', ...more }),
    });
    expect(signingToken(secret({}), start)).toEqual({ id: 'abcdef', secret: 's' });
    expect(signingToken(secret({ 'usage-bootstrap-signing': 'false' }), start)).toBeUndefined();
    expect(signingToken(secret({ expiration: '2025-12-31T00:00:00Z' }), start)).toBeUndefined();
    expect(signingToken(secret({ 'token-id': 'other0' }), start)).toBeUndefined();
  });
});

describe('certificates of a node', () => {
  it('are kept on disk, and are no other node’s and not past their end', async () => {
    await storeCertificate(dir, 'kubelet-client', nodeCertificate('n1', start));
    expect(await storedCertificate(dir, 'kubelet-client', 'n1', start + 1000)).toBeDefined();
    expect(await storedCertificate(dir, 'kubelet-client', 'n2', start + 1000)).toBeUndefined();
    expect(await storedCertificate(dir, 'kubelet-client', 'n1', start + 4000 * 86_400_000)).toBeUndefined();
    expect(await storedCertificate(dir, 'absent', 'n1', start)).toBeUndefined();
  });
  it('are renewed when 70 to 90 percent of their life is over, again after a failure', async () => {
    const clock = virtualClock(start);
    const lifetime = startLifetime(() => undefined);
    const current = nodeCertificate('n1', start);
    const due = renewalTime(current.certificate, seededRandom(2));
    const life = (due - start) / (365 * 86_400_000);
    expect(life).toBeGreaterThan(0.6);
    expect(life).toBeLessThan(0.95);
    let tries = 0;
    const renewed: number[] = [];
    keepCertificate({
      current,
      renew: async () => {
        tries++;
        if (tries === 1) throw new Error('nobody there');
        return nodeCertificate('n1', clock.now());
      },
      renewed: async () => void renewed.push(clock.now()),
      clock,
      random: seededRandom(2),
      log,
      lifetime,
    });
    await clock.advance(due - start - 3_600_000);
    expect(tries).toBe(0);
    await clock.advance(2 * 3_600_000);
    expect(renewed).toHaveLength(1);
    expect(tries).toBe(2);
    await lifetime.end();
  });
});
