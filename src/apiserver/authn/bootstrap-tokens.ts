import { timingSafeEqual } from 'node:crypto';
import { secrets } from '../../api/generated/resources.ts';
import type { UserInfo } from '../../api/handler.ts';
import type { Clock } from '../../base/clock.ts';
import type { ObjectReader } from '../contracts.ts';

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** True where both texts are the same, in a time that does not tell where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * The user of a bootstrap token `id.secret`, kept as a Secret of type bootstrap.kubernetes.io/token in kube-system; undefined where it is
 * none, has expired, or is not for authentication (plugin/pkg/auth/authenticator/token/bootstrap).
 */
export function bootstrapTokenUser(reader: ObjectReader, clock: Clock, token: string): UserInfo | undefined {
  const match = tokenPattern.exec(token);
  const id = match?.[1];
  if (!match || id === undefined) return undefined;
  const secret = reader.get(secrets, 'kube-system', `bootstrap-token-${id}`);
  if (!secret || secret.metadata.deletionTimestamp !== undefined) return undefined;
  if (secret.type !== 'bootstrap.kubernetes.io/token') return undefined;
  const field = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');
  if (!sameSecret(field('token-secret'), match[2] ?? '') || field('token-id') !== id) return undefined;
  const expiration = field('expiration');
  if (expiration !== '') {
    const at = Date.parse(expiration);
    if (Number.isNaN(at) || at <= clock.now()) return undefined;
  }
  if (field('usage-bootstrap-authentication') !== 'true') return undefined;
  const extra = field('auth-extra-groups');
  const groups = extra === '' ? [] : extra.split(',');
  if (!groups.every((group) => groupPattern.test(group))) return undefined;
  return {
    name: `system:bootstrap:${id}`,
    groups: [...new Set(['system:bootstrappers', ...groups])].sort().concat('system:authenticated'),
  };
}
