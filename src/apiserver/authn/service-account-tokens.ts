import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { nodes, pods, secrets, serviceaccounts } from '../../api/generated/resources.ts';
import type { UserInfo } from '../../api/handler.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import type { Clock } from '../../base/clock.ts';
import { type Random, randomUuid } from '../../base/random.ts';
import type { ObjectReader } from '../contracts.ts';
import { algorithmOf, type Claims, decodeToken, keyId, signatureFits, signToken } from './jwt.ts';

/** Something a token hangs on: it dies with it. */
export interface TokenRef {
  readonly name: string;
  readonly uid: string;
}

export interface TokenSubject {
  readonly namespace: string;
  readonly serviceAccount: TokenRef;
  readonly pod?: TokenRef;
  readonly secret?: TokenRef;
  readonly node?: { readonly name: string; readonly uid?: string };
}

/** The check of one token: `none` where it is not one of ours at all. */
export type TokenVerdict =
  | { readonly type: 'none' }
  | { readonly type: 'refused'; readonly error: string }
  | { readonly type: 'user'; readonly user: UserInfo; readonly audiences: readonly string[] };

/** Issues and checks service-account tokens, after pkg/serviceaccount (jwt.go, claims.go). */
export interface ServiceAccountTokens {
  readonly issuer: string;
  /** The API server's own audiences, used where a request names none. */
  readonly audiences: readonly string[];
  /** A token for `subject`. Times in seconds; `warnAfter` marks the end of the asked-for life where it was extended. */
  issue(
    subject: TokenSubject,
    options: { readonly audiences: readonly string[]; readonly expirationSeconds: number; readonly warnAfter?: number },
  ): string;
  /** Checks signature, times, audience, and that what it is bound to still lives. */
  check(token: string, audiences: readonly string[]): TokenVerdict;
  /** `/.well-known/openid-configuration`, as JSON text. */
  openIdConfiguration(jwksUri: string): string;
  /** `/openid/v1/jwks`, as JSON text. */
  keySet(): string;
}

export interface ServiceAccountTokenOptions {
  /** PEM. */
  readonly signingKey: string;
  /** More public or private keys (PEM) whose tokens are still taken. */
  readonly verificationKeys?: readonly string[];
  readonly issuer?: string;
  readonly audiences?: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly reader: ObjectReader;
}

export const defaultIssuer = 'https://kubernetes.default.svc.cluster.local';
/** go-jose's leeway: clocks may differ by this many seconds. */
const leeway = 60;
const cacheLimit = 8192;

interface BoundClaims {
  readonly namespace?: string;
  readonly serviceaccount?: Partial<TokenRef>;
  readonly pod?: Partial<TokenRef>;
  readonly secret?: Partial<TokenRef>;
  readonly node?: Partial<TokenRef>;
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const stringsOf = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
const quoted = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;

function timeError(claims: Claims, now: number): string | undefined {
  const expires = numberOf(claims['exp']);
  const notBefore = numberOf(claims['nbf']);
  const issuedAt = numberOf(claims['iat']);
  if (notBefore !== undefined && now + leeway < notBefore) return 'service account token is not valid yet';
  if (expires !== undefined && now - leeway > expires) return 'service account token has expired';
  if (issuedAt !== undefined && now + leeway < issuedAt) return 'service account token is issued in the future';
  return undefined;
}

/** True where the object was marked deleted longer ago than clocks may differ. */
const longDeleted = (object: Live, now: number): boolean => {
  const at = object.metadata.deletionTimestamp;
  return at !== undefined && Date.parse(at) / 1000 < now - leeway;
};

function bindingError(reader: ObjectReader, bound: BoundClaims, now: number): string | undefined {
  const namespace = bound.namespace ?? '';
  const name = bound.serviceaccount?.name ?? '';
  const account = reader.get(serviceaccounts, namespace, name);
  if (!account) return `serviceaccounts "${name}" not found`;
  if (account.metadata.uid !== bound.serviceaccount?.uid) {
    return `service account UID (${account.metadata.uid}) does not match claim (${bound.serviceaccount?.uid ?? ''})`;
  }
  if (longDeleted(account, now)) return `service account ${namespace}/${name} has been deleted`;
  const check = (kind: string, label: string, ref: Partial<TokenRef>, object: Live<KubeObject> | undefined) => {
    if (!object) return 'service account token has been invalidated';
    if (object.metadata.uid !== ref.uid) {
      return `${label} UID (${object.metadata.uid}) does not match service account ${kind} ref claim (${ref.uid ?? ''})`;
    }
    return longDeleted(object, now) ? 'service account token has been invalidated' : undefined;
  };
  const { secret, pod, node } = bound;
  return (
    (secret && check('secret', 'secret', secret, reader.get(secrets, namespace, secret.name ?? ''))) ??
    (pod && check('pod', 'pod', pod, reader.get(pods, namespace, pod.name ?? ''))) ??
    (node && !pod ? check('node', 'node', node, reader.get(nodes, undefined, node.name ?? '')) : undefined)
  );
}

function userOf(bound: BoundClaims, id: unknown): UserInfo {
  const namespace = bound.namespace ?? '';
  const extra: Record<string, readonly string[]> = {};
  if (typeof id === 'string' && id !== '') extra['authentication.kubernetes.io/credential-id'] = [`JTI=${id}`];
  const put = (kind: string, ref: Partial<TokenRef> | undefined): void => {
    if (!ref?.name) return;
    extra[`authentication.kubernetes.io/${kind}-name`] = [ref.name];
    if (ref.uid) extra[`authentication.kubernetes.io/${kind}-uid`] = [ref.uid];
  };
  put('pod', bound.pod);
  put('node', bound.node);
  return Object.freeze({
    name: `system:serviceaccount:${namespace}:${bound.serviceaccount?.name ?? ''}`,
    uid: bound.serviceaccount?.uid ?? '',
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra,
  });
}

/** Makes the issuer and checker of service-account tokens. */
export function serviceAccountTokens(options: ServiceAccountTokenOptions): ServiceAccountTokens {
  const { clock, random, reader } = options;
  const issuer = options.issuer ?? defaultIssuer;
  const apiAudiences = options.audiences ?? [issuer];
  const signingKey = createPrivateKey(options.signingKey);
  const publicKeys: readonly KeyObject[] = [
    createPublicKey(signingKey),
    ...(options.verificationKeys ?? []).map((pem) => createPublicKey(pem)),
  ];
  const byId = new Map(publicKeys.map((key) => [keyId(key), key]));
  /** Tokens whose signature has been checked, with the user they stand for: a signature never changes its mind. */
  const verified = new Map<string, { readonly claims: Claims; readonly bound: BoundClaims; readonly user: UserInfo }>();

  const verify = (token: string) => {
    const known = verified.get(token);
    if (known) return known;
    const decoded = decodeToken(token);
    if (!decoded || decoded.claims['iss'] !== issuer) return undefined;
    const hinted = byId.get(String(decoded.header['kid'] ?? ''));
    const fits = hinted ? signatureFits(decoded, hinted) : publicKeys.some((key) => signatureFits(decoded, key));
    if (!fits) return 'go-jose/go-jose: error in cryptographic primitive';
    const details = decoded.claims['kubernetes.io'];
    const bound: BoundClaims = typeof details === 'object' && details !== null ? details : {};
    const entry = { claims: decoded.claims, bound, user: userOf(bound, decoded.claims['jti']) };
    if (verified.size >= cacheLimit) verified.delete(verified.keys().next().value ?? '');
    verified.set(token, entry);
    return entry;
  };

  return {
    issuer,
    audiences: apiAudiences,
    issue(subject, { audiences, expirationSeconds, warnAfter }) {
      const now = Math.floor(clock.now() / 1000);
      return signToken(signingKey, {
        aud: audiences,
        exp: now + expirationSeconds,
        iat: now,
        iss: issuer,
        jti: randomUuid(random),
        'kubernetes.io': {
          namespace: subject.namespace,
          ...(subject.node && { node: subject.node }),
          ...(subject.pod && { pod: subject.pod }),
          ...(subject.secret && { secret: subject.secret }),
          serviceaccount: subject.serviceAccount,
          ...(warnAfter !== undefined && { warnafter: now + warnAfter }),
        },
        nbf: now,
        sub: `system:serviceaccount:${subject.namespace}:${subject.serviceAccount.name}`,
      });
    },
    check(token, wanted) {
      const entry = verify(token);
      if (entry === undefined) return { type: 'none' };
      if (typeof entry === 'string') return { type: 'refused', error: entry };
      const claimed = stringsOf(entry.claims['aud']);
      const audiences = (claimed.length > 0 ? claimed : apiAudiences).filter((audience) => wanted.includes(audience));
      if (audiences.length === 0) {
        return {
          type: 'refused',
          error: `token audiences ${quoted(claimed)} is invalid for the target audiences ${quoted(wanted)}`,
        };
      }
      const now = clock.now() / 1000;
      const error = timeError(entry.claims, now) ?? bindingError(reader, entry.bound, now);
      if (error !== undefined) return { type: 'refused', error };
      return { type: 'user', user: entry.user, audiences };
    },
    openIdConfiguration: (jwksUri) =>
      JSON.stringify({
        issuer,
        jwks_uri: jwksUri,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [...new Set(publicKeys.map(algorithmOf))],
      }),
    keySet: () =>
      JSON.stringify({
        keys: publicKeys.map((key) => ({
          use: 'sig',
          kid: keyId(key),
          alg: algorithmOf(key),
          ...key.export({ format: 'jwk' }),
        })),
      }),
  };
}
