import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../base/random.ts';
import { createAuthority, issueCertificate, newPrivateKey } from './certificate.ts';
import { createSigningRequest, parseSigningRequest } from './signing-request.ts';

describe('certificate signing requests', () => {
  const key = newPrivateKey();
  const request = createSigningRequest(
    {
      subject: { commonName: 'system:node:a', organizations: ['system:nodes', 'x'] },
      names: { dnsNames: ['a.example'], ipAddresses: ['10.0.0.1'] },
    },
    key,
  );

  it('are read back as written, and only with a valid signature', () => {
    const parsed = parseSigningRequest(request);
    expect(parsed.subject).toEqual({ commonName: 'system:node:a', organizations: ['system:nodes', 'x'] });
    expect(parsed.names).toEqual({
      dnsNames: ['a.example'],
      ipAddresses: ['10.0.0.1'],
      emailAddresses: [],
      uris: [],
    });
    expect(parsed.signatureValid).toBe(true);
    const der = Buffer.from(request.replace(/-----.*-----/g, ''), 'base64');
    const at = der.indexOf('a.example');
    der[at] = 'b'.charCodeAt(0);
    const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    expect(parseSigningRequest(changed).signatureValid).toBe(false);
  });

  it('refuse what is no request', () => {
    expect(() => parseSigningRequest('hello')).toThrow('PEM block type must be CERTIFICATE REQUEST');
    expect(() =>
      parseSigningRequest('-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----'),
    ).toThrow('incomplete');
  });

  it('become certificates', () => {
    const now = Date.UTC(2026, 0, 1);
    const authority = createAuthority('kubernetes', now, seededRandom(1));
    const parsed = parseSigningRequest(request);
    const certificate = new X509Certificate(
      issueCertificate(
        {
          subject: parsed.subject,
          names: parsed.names,
          notBefore: now,
          notAfter: now + 3600_000,
          keyUsages: ['digital signature', 'key encipherment'],
          extendedUsages: ['client auth'],
        },
        parsed.publicKey,
        { issuer: authority },
        seededRandom(2),
      ),
    );
    expect(certificate.subject).toBe('O=system:nodes\nO=x\nCN=system:node:a');
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(certificate.issuer).toBe('CN=kubernetes');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  it.runIf(existsSync('/usr/bin/openssl'))('of OpenSSL with RSA keys are understood', () => {
    const text = execFileSync(
      'openssl',
      [
        'req',
        '-new',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        '/dev/null',
        '-subj',
        '/O=dev/CN=jane',
        '-addext',
        'subjectAltName=DNS:j.example',
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const parsed = parseSigningRequest(text);
    expect(parsed.subject).toEqual({ commonName: 'jane', organizations: ['dev'] });
    expect(parsed.names.dnsNames).toEqual(['j.example']);
    expect(parsed.signatureValid).toBe(true);
  });
});
