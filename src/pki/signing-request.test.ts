import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../base/random.ts';
import { createAuthority, issueCertificate, newPrivateKey } from './certificate.ts';
import { createSigningRequest, parseSigningRequest } from './signing-request.ts';

/** Made by `openssl req -new -newkey rsa:2048 -subj /O=dev/CN=jane -addext subjectAltName=DNS:j.example`. */
const fromOpenSsl = `-----BEGIN CERTIFICATE REQUEST-----
MIICiTCCAXECAQAwHTEMMAoGA1UECgwDZGV2MQ0wCwYDVQQDDARqYW5lMIIBIjAN
BgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxwOoBbzSJGb75V6tUSjkcL+hqw+6
FhFS3ZY94AvTDFfpzxSgR9Bz35DrBQOkWrmXIViHkmMw0KeX/mj6N599mm0gUrAo
6dIJiL4YCYNJ9xcJCDd1yjkWfklP7osQOgPmWs+4PvNUdE46Bfgufev42M2+jY8K
IDoDVLVk0aSIICbQKN1J1bVb2uuu5ZhqYxYdG48jUlPwhrq83Lr93bp4LlRFsW8g
GUE5PpUDiiZiNZgKu6n16HBU9nZvHtj66+9EZXfyhCJf3FYpvTNNsACXKApaLeIX
TFUrBUyd/q4eaG41RiJj1r23KKDg/4ENk5olki4fko7grHphJSMDzgY7iQIDAQAB
oCcwJQYJKoZIhvcNAQkOMRgwFjAUBgNVHREEDTALgglqLmV4YW1wbGUwDQYJKoZI
hvcNAQELBQADggEBADU/Z1y6X0kBj4dFQZDVkreFLN4Ak8dinvSwfRWmN5eyxDku
yoOryM0NDZn3gehHcYWSBtl7Yeayd36m080rp4HVBtrhRF4puVjDCPr1n7/FKWqY
7T2i/1YfpSmGfIQpZRu5gR74h2zeZ9oZN2Zf8E565gvivjpv0sTfcMnNiQb+zOn+
yW+HgAmBDRq2SJTQYUwc0GpTSqdxhmWc4ZMUMx6z/AO4njTTBh5R2Wl3xMZa93TS
TcS49AffPdUyGxr2UQHltrgEGtHxvD+wN1FAf9i/mefsfX+/MpCPRHlJC0wcNO6q
xVvfCeIdoTraM5glGERFdAiHxjSNZEkkgcKbTMg=
-----END CERTIFICATE REQUEST-----`;

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

  it('of OpenSSL with RSA keys are understood', () => {
    const parsed = parseSigningRequest(fromOpenSsl);
    expect(parsed.subject).toEqual({ commonName: 'jane', organizations: ['dev'] });
    expect(parsed.names.dnsNames).toEqual(['j.example']);
    expect(parsed.signatureValid).toBe(true);
  });
});
