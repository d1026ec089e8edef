import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { publicKeyInfo } from './certificate.ts';
import {
  bits,
  children,
  DerError,
  explicit,
  integer,
  octets,
  oid,
  oidText,
  pem,
  pemBlock,
  readOne,
  sequence,
  setOf,
  tags,
} from './der.ts';
import {
  type AlternativeNames,
  decodeAlternativeNames,
  decodeSubject,
  encodeAlternativeNames,
  encodeSubject,
  type Subject,
} from './names.ts';

/** What a PKCS #10 certificate signing request asks for. */
export interface SigningRequest {
  readonly subject: Required<Subject>;
  readonly names: Required<AlternativeNames>;
  /** SubjectPublicKeyInfo of the key to be certified. */
  readonly publicKey: Buffer;
  /** True where the request is signed with the key it names. */
  readonly signatureValid: boolean;
}

const extensionRequest = '1.2.840.113549.1.9.14';
const alternativeName = '2.5.29.17';
/** Signature algorithms (dotted) and the digest that node:crypto needs; null for Ed25519, which brings its own. */
const digests: Readonly<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
};

/** A request for `subject` signed by `privateKeyPem` (ECDSA). Returns PEM. */
export function createSigningRequest(
  request: { readonly subject: Subject; readonly names?: AlternativeNames },
  privateKeyPem: string,
): string {
  const wanted = request.names ? encodeAlternativeNames(request.names) : undefined;
  const attributes =
    wanted && wanted.length > 2
      ? [sequence(oid(extensionRequest), setOf(sequence(sequence(oid(alternativeName), octets(wanted)))))]
      : [];
  const body = sequence(
    integer(Buffer.from([0])),
    encodeSubject(request.subject),
    publicKeyInfo(privateKeyPem),
    explicit(0, ...attributes),
  );
  const signature = sign('sha256', body, createPrivateKey(privateKeyPem));
  return pem('CERTIFICATE REQUEST', sequence(body, sequence(oid('1.2.840.10045.4.3.2')), bits(signature)));
}

/** Reads a request in PEM; throws `DerError` for anything else. */
export function parseSigningRequest(text: string): SigningRequest {
  const der = pemBlock(text, 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST');
  if (!der) throw new DerError('PEM block type must be CERTIFICATE REQUEST');
  const [body, algorithm, signature] = children(readOne(der, tags.sequence));
  if (!body || !algorithm || !signature) throw new DerError('incomplete certificate request');
  const [, subject, spki, attributes] = children(body);
  if (!subject || !spki) throw new DerError('incomplete certificate request');
  let names: Required<AlternativeNames> = { dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] };
  for (const attribute of attributes ? children(attributes) : []) {
    const [type, values] = children(attribute);
    if (!type || !values || oidText(type) !== extensionRequest) continue;
    const list = children(values)[0];
    for (const item of list ? children(list) : []) {
      const fields = children(item);
      const value = fields.at(-1);
      if (fields[0] && value && oidText(fields[0]) === alternativeName) {
        names = decodeAlternativeNames(readOne(value.content, tags.sequence));
      }
    }
  }
  const algorithmId = children(algorithm)[0];
  const digest = algorithmId ? digests[oidText(algorithmId)] : undefined;
  return {
    subject: decodeSubject(subject),
    names,
    publicKey: Buffer.from(spki.raw),
    signatureValid:
      digest !== undefined &&
      verify(
        digest,
        body.raw,
        createPublicKey({ key: Buffer.from(spki.raw), format: 'der', type: 'spki' }),
        signature.content.subarray(1),
      ),
  };
}
