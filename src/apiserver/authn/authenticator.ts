import type { UserInfo } from '../../api/handler.ts';
import { unauthorized } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Authenticator, Credentials, ObjectReader } from '../contracts.ts';
import { bootstrapTokenUser, sameSecret } from './bootstrap-tokens.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

export interface AuthenticatorOptions {
  readonly clock: Clock;
  readonly reader: ObjectReader;
  readonly tokens: ServiceAccountTokens;
  /** Fixed tokens, as in upstream's --token-auth-file. */
  readonly staticTokens?: readonly { readonly token: string; readonly user: UserInfo }[];
  /** False refuses requests without credentials. Default true. */
  readonly anonymous?: boolean;
}

export const anonymousUser: UserInfo = Object.freeze({ name: 'system:anonymous', groups: ['system:unauthenticated'] });

/** The group of all who have shown who they are, unless a group says otherwise (upstream's AuthenticatedGroupAdder). */
function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes('system:authenticated') || user.groups.includes('system:unauthenticated')) return user;
  return { ...user, groups: [...user.groups, 'system:authenticated'] };
}

type Attempt =
  | { readonly user: UserInfo; readonly audiences: readonly string[] }
  | { readonly user?: undefined; readonly error: string };

/** Resolves who asks: client certificate, then bearer token, then anonymous. A bad token is refused even where anonymous is served. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { clock, reader, tokens } = options;
  /** One user value per certificate, so that decisions remembered for it serve all its connections. */
  const certificates = new Map<string, UserInfo>();

  const fromCertificate = (certificate: NonNullable<Credentials['certificate']>): UserInfo => {
    // A connection may outlive the certificate it was opened with.
    if (certificate.notAfter !== undefined && certificate.notAfter <= clock.now()) throw unauthorized();
    const { fingerprint } = certificate;
    const known = certificates.get(fingerprint);
    if (known && known.name === certificate.commonName) return known;
    const user = authenticated({
      name: certificate.commonName,
      groups: certificate.organizations,
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
    });
    if (certificates.size >= 4096) certificates.clear();
    certificates.set(fingerprint, user);
    return user;
  };

  const fromToken = (token: string, audiences: readonly string[]): Attempt => {
    const known = options.staticTokens?.find((entry) => sameSecret(entry.token, token));
    const user = known?.user ?? bootstrapTokenUser(reader, clock, token);
    if (user) return { user: authenticated(user), audiences };
    const verdict = tokens.check(token, audiences);
    switch (verdict.type) {
      case 'user':
        return verdict;
      case 'none':
        return { error: 'invalid bearer token' };
      case 'refused':
        return { error: `[invalid bearer token, ${verdict.error}]` };
    }
  };

  return {
    authenticate(credentials) {
      const { certificate, bearerToken } = credentials;
      if (certificate && certificate.commonName !== '') return fromCertificate(certificate);
      if (bearerToken !== undefined && bearerToken !== '') {
        const attempt = fromToken(bearerToken, tokens.audiences);
        if (!attempt.user) throw unauthorized();
        return attempt.user;
      }
      if (options.anonymous === false) throw unauthorized();
      return anonymousUser;
    },
    async reviewToken(token, audiences) {
      const attempt = fromToken(token, audiences.length > 0 ? audiences : tokens.audiences);
      if (!attempt.user) return { authenticated: false, error: attempt.error };
      return { authenticated: true, user: attempt.user, audiences: attempt.audiences };
    },
  };
}
