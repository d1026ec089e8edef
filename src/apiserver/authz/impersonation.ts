import type { UserInfo } from '../../api/handler.ts';
import { badRequest } from '../../api/status.ts';
import type { AccessAttributes, Authorizer, Credentials } from '../contracts.ts';
import { accessDenied } from './denied.ts';

const accountPattern = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * The user whom `requester` acts as by the Impersonate-* headers. Each part (user, uid, groups, extras) needs the `impersonate` verb; throws
 * Forbidden otherwise (k8s.io/apiserver/pkg/endpoints/filters/impersonation).
 */
export async function impersonate(
  requester: UserInfo,
  wanted: NonNullable<Credentials['impersonate']>,
  authorizer: Authorizer,
): Promise<UserInfo> {
  if (wanted.user === '') {
    throw badRequest('requested impersonation of groups, uid or extra without impersonating a user');
  }
  const check = async (attributes: Omit<AccessAttributes, 'user' | 'verb'>): Promise<void> => {
    const full = { user: requester, verb: 'impersonate', ...attributes };
    const decision = await authorizer.authorize(full);
    if (!decision.allowed) throw accessDenied(full, decision);
  };
  const account = accountPattern.exec(wanted.user);
  const [, namespace = '', name = ''] = account ?? [];
  await check(
    account
      ? { group: '', version: 'v1', resource: 'serviceaccounts', namespace, name }
      : { group: '', version: 'v1', resource: 'users', name: wanted.user },
  );
  for (const group of wanted.groups) await check({ group: '', version: 'v1', resource: 'groups', name: group });
  const authentication = { group: 'authentication.k8s.io', version: 'v1' };
  for (const [key, values] of Object.entries(wanted.extra)) {
    for (const value of values)
      await check({ ...authentication, resource: 'userextras', subresource: key, name: value });
  }
  if (wanted.uid) await check({ ...authentication, resource: 'uids', name: wanted.uid });
  const groups = [...wanted.groups];
  if (account && groups.length === 0) groups.push('system:serviceaccounts', `system:serviceaccounts:${namespace}`);
  if (wanted.user === 'system:anonymous') {
    if (!groups.includes('system:unauthenticated')) groups.push('system:unauthenticated');
  } else if (!groups.includes('system:authenticated') && !groups.includes('system:unauthenticated')) {
    groups.push('system:authenticated');
  }
  return {
    name: wanted.user,
    ...(wanted.uid && { uid: wanted.uid }),
    groups,
    ...(Object.keys(wanted.extra).length > 0 && { extra: wanted.extra }),
  };
}
