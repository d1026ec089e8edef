import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** Claims of a token: whatever JSON its payload held. */
export type Claims = Readonly<Record<string, unknown>>;

export interface DecodedToken {
  readonly header: Claims;
  readonly claims: Claims;
  readonly signed: string;
  readonly signature: Buffer;
}

const encodePart = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decodePart = (text: string): Claims | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    // A bearer token need not be a JWT; whoever asks tries its other meanings.
    return undefined;
  }
};

/** Upstream's key id: the URL-safe base64 of the SHA-256 of the public key (pkg/serviceaccount/jwt.go, keyIDFromPublicKey). */
export function keyId(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

/** ES256 for P-256 keys, RS256 for RSA keys. */
export const algorithmOf = (key: KeyObject): 'ES256' | 'RS256' => (key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256');

const keyInput = (key: KeyObject): { key: KeyObject; dsaEncoding?: 'ieee-p1363' } =>
  key.asymmetricKeyType === 'rsa' ? { key } : { key, dsaEncoding: 'ieee-p1363' };

/** A signed compact token (RFC 7519). */
export function signToken(key: KeyObject, claims: Claims): string {
  const header = { alg: algorithmOf(key), kid: keyId(createPublicKey(key)) };
  const signed = `${encodePart(header)}.${encodePart(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), keyInput(key)).toString('base64url')}`;
}

/** The parts of a compact token; undefined where the text is none. Checks no signature. */
export function decodeToken(token: string): DecodedToken | undefined {
  const [head = '', payload = '', signature = '', ...rest] = token.split('.');
  if (head === '' || payload === '' || signature === '' || rest.length > 0) return undefined;
  const header = decodePart(head);
  const claims = decodePart(payload);
  if (!header || !claims) return undefined;
  return { header, claims, signed: `${head}.${payload}`, signature: Buffer.from(signature, 'base64url') };
}

/** True where `publicKey` made the token's signature with the algorithm that fits the key. */
export function signatureFits(token: DecodedToken, publicKey: KeyObject): boolean {
  if (token.header['alg'] !== algorithmOf(publicKey)) return false;
  return verify('sha256', Buffer.from(token.signed), keyInput(publicKey), token.signature);
}
