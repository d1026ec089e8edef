import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Random } from '../base/random.ts';
import {
  bits,
  boolean,
  children,
  explicit,
  implicit,
  integer,
  octets,
  oid,
  pem,
  pemBlock,
  readOne,
  sequence,
  tags,
  time,
} from './der.ts';
import { type AlternativeNames, encodeAlternativeNames, encodeSubject, type Subject } from './names.ts';

/** A certificate with the private key that belongs to it, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export type ExtendedUsage =
  | 'client auth'
  | 'server auth'
  | 'code signing'
  | 'email protection'
  | 'ocsp signing'
  | 'any';
export type KeyUsage =
  | 'digital signature'
  | 'content commitment'
  | 'key encipherment'
  | 'data encipherment'
  | 'key agreement'
  | 'cert sign'
  | 'crl sign';

export interface CertificateTemplate {
  readonly subject: Subject;
  readonly names?: AlternativeNames;
  /** Epoch milliseconds; seconds count. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly isAuthority?: boolean;
  readonly keyUsages: readonly KeyUsage[];
  readonly extendedUsages?: readonly ExtendedUsage[];
}

const extendedUsageOids: Readonly<Record<ExtendedUsage, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
};
/** Bits of the keyUsage extension (RFC 5280, 4.2.1.3), counted from the most significant. */
const keyUsageBits: Readonly<Record<KeyUsage, number>> = {
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
};
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const rsaWithSha256 = sequence(oid('1.2.840.113549.1.1.11'), Buffer.from([0x05, 0x00]));

/** A new ECDSA P-256 private key, PKCS #8 in PEM. */
export function newPrivateKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  }).privateKey;
}

/** The public half of a private key (PEM), as SubjectPublicKeyInfo. */
export function publicKeyInfo(privateKeyPem: string): Buffer {
  return createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
}

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));

const keyIdentifier = (spki: Buffer): Buffer => {
  const key = children(readOne(spki, tags.sequence))[1];
  return createHash('sha1')
    .update(key ? key.content.subarray(1) : spki)
    .digest();
};

const keyUsageValue = (usages: readonly KeyUsage[]): Buffer => {
  let byte = 0;
  let lowest = 0;
  for (const usage of usages) {
    byte |= 0x80 >> keyUsageBits[usage];
    lowest = Math.max(lowest, keyUsageBits[usage]);
  }
  return bits(Buffer.from([byte]), 7 - lowest);
};

/** The subject of a certificate (PEM) in its encoded form, to be another's issuer. */
function subjectOf(certificatePem: string): Buffer {
  const der = pemBlock(certificatePem, 'CERTIFICATE');
  const certificate = der && children(readOne(der, tags.sequence))[0];
  const fields = certificate ? children(certificate) : [];
  // version [0], serial, algorithm, issuer, validity, subject
  const subject = fields[5];
  if (!subject) throw new Error('the issuer is no certificate');
  return subject.raw;
}

/**
 * Signs a certificate for a public key. `issuer` absent: self-signed by `selfKey`. The serial number is drawn from `random`.
 * Returns PEM.
 */
export function issueCertificate(
  template: CertificateTemplate,
  spki: Buffer,
  signer: { readonly issuer?: KeyedCertificate; readonly selfKey?: string },
  random: Random,
): string {
  const signingKey = createPrivateKey(signer.issuer?.key ?? signer.selfKey ?? '');
  const algorithm = signingKey.asymmetricKeyType === 'rsa' ? rsaWithSha256 : ecdsaWithSha256;
  const serial = Buffer.from(random.bytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const subject = encodeSubject(template.subject);
  const issuerSpki = createPublicKey(signingKey).export({ type: 'spki', format: 'der' });
  const names = template.names ? encodeAlternativeNames(template.names) : undefined;
  const hasNames = names !== undefined && names.length > 2;
  const usages = template.extendedUsages ?? [];
  const extensions = [
    extension('2.5.29.15', true, keyUsageValue(template.keyUsages)),
    ...(usages.length > 0
      ? [extension('2.5.29.37', false, sequence(...usages.map((usage) => oid(extendedUsageOids[usage]))))]
      : []),
    extension('2.5.29.19', true, template.isAuthority ? sequence(boolean(true)) : sequence()),
    extension('2.5.29.14', false, octets(keyIdentifier(spki))),
    extension('2.5.29.35', false, sequence(implicit(0, keyIdentifier(issuerSpki)))),
    ...(hasNames ? [extension('2.5.29.17', false, names)] : []),
  ];
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    signer.issuer ? subjectOf(signer.issuer.certificate) : subject,
    sequence(time(template.notBefore), time(template.notAfter)),
    subject,
    spki,
    explicit(3, sequence(...extensions)),
  );
  return pem('CERTIFICATE', sequence(body, algorithm, bits(sign('sha256', body, signingKey))));
}

const minute = 60_000;
const year = 365 * 24 * 60 * minute;

/** A self-signed certificate authority, good for ten years. `now` in epoch milliseconds. */
export function createAuthority(commonName: string, now: number, random: Random): KeyedCertificate {
  const key = newPrivateKey();
  const certificate = issueCertificate(
    {
      subject: { commonName },
      names: { dnsNames: [commonName] },
      notBefore: now - 5 * minute,
      notAfter: now + 10 * year,
      isAuthority: true,
      keyUsages: ['digital signature', 'key encipherment', 'cert sign'],
    },
    publicKeyInfo(key),
    { selfKey: key },
    random,
  );
  return { certificate, key };
}

/** A leaf signed by `issuer` with a key of its own, good for a year: for a server where `names` are given, else for a client. */
export function createLeaf(
  leaf: { readonly subject: Subject; readonly names?: AlternativeNames; readonly usages: readonly ExtendedUsage[] },
  issuer: KeyedCertificate,
  now: number,
  random: Random,
): KeyedCertificate {
  const key = newPrivateKey();
  const certificate = issueCertificate(
    {
      subject: leaf.subject,
      ...(leaf.names && { names: leaf.names }),
      notBefore: now - 5 * minute,
      notAfter: now + year,
      keyUsages: ['digital signature', 'key encipherment'],
      extendedUsages: leaf.usages,
    },
    publicKeyInfo(key),
    { issuer },
    random,
  );
  return { certificate, key };
}
