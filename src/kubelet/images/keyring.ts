import { createHash } from 'node:crypto';
import type { V1Secret } from '../../api/generated/types.ts';
import type { AuthConfig } from '../../runtime/cri.ts';

/** Credentials and where they come from. */
export interface Credential {
  readonly auth: AuthConfig;
  /** Tells one set of credentials from another without keeping it. */
  readonly hash: string;
}

interface Entry extends Credential {
  readonly host: string;
  readonly path: string;
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function entriesOf(auths: unknown): Entry[] {
  if (typeof auths !== 'object' || auths === null) return [];
  const out: Entry[] = [];
  for (const [server, it] of Object.entries(auths)) {
    const decoded = text(field(it, 'auth'));
    const pair =
      decoded === undefined ? undefined : Buffer.from(decoded, 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = pair?.indexOf(':') ?? -1;
    const username = text(field(it, 'username')) ?? (colon >= 0 ? pair?.slice(0, colon) : undefined);
    const password = text(field(it, 'password')) ?? (colon >= 0 ? pair?.slice(colon + 1) : undefined);
    const identityToken = text(field(it, 'identitytoken'));
    if (username === undefined && identityToken === undefined) continue;
    const bare = server.replace(/^https?:\/\//, '').replace(/\/$/, '');
    const slash = bare.indexOf('/');
    const host = slash < 0 ? bare : bare.slice(0, slash);
    const rawPath = slash < 0 ? '' : bare.slice(slash);
    const path = rawPath.startsWith('/v1') || rawPath.startsWith('/v2') ? rawPath.slice(3) : rawPath;
    out.push({
      host: host === 'index.docker.io' ? 'docker.io' : host,
      path,
      auth: {
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        ...(identityToken !== undefined && { identityToken }),
      },
      hash: createHash('sha256')
        .update(JSON.stringify([username, password, identityToken]))
        .digest('hex'),
    });
  }
  return out;
}

const parse = (encoded: string | undefined): unknown => {
  try {
    return JSON.parse(Buffer.from(encoded ?? '', 'base64').toString('utf8'));
  } catch {
    // A broken docker config gives no credentials, as upstream; the pull then fails with the registry's own words.
    return undefined;
  }
};

const hostMatches = (pattern: string, host: string): boolean => {
  const [patternName = '', patternPort = ''] = pattern.split(':');
  const [name = '', port = ''] = host.split(':');
  if (patternPort !== port) return false;
  const parts = patternName.split('.');
  const own = name.split('.');
  return (
    parts.length === own.length &&
    parts.every((part, i) =>
      new RegExp(
        `^${part
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
      ).test(own[i] ?? ''),
    )
  );
};

/** The credentials in these secrets that fit a repository, the most specific first. Upstream: credentialprovider keyring. */
export function lookupCredentials(secrets: readonly V1Secret[], repository: string): readonly Credential[] {
  const slash = repository.indexOf('/');
  const host = repository.slice(0, slash);
  const path = repository.slice(slash);
  return secrets
    .flatMap((secret) => {
      if (secret.type === 'kubernetes.io/dockerconfigjson' || secret.data?.['.dockerconfigjson'] !== undefined)
        return entriesOf(field(parse(secret.data?.['.dockerconfigjson']), 'auths'));
      return entriesOf(parse(secret.data?.['.dockercfg']));
    })
    .filter((it) => hostMatches(it.host, host) && path.startsWith(it.path))
    .sort((a, b) => b.path.length - a.path.length);
}
