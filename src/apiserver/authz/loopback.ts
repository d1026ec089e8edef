import type { UserInfo } from '../../api/handler.ts';

/** The API server itself: every request of this user skips authorization and admission. */
export const loopbackUser: UserInfo = Object.freeze({
  name: 'system:apiserver',
  groups: Object.freeze(['system:masters', 'system:authenticated']),
});

/** True for the server's own requests. */
export const isLoopback = (user: UserInfo): boolean =>
  user.name === 'system:apiserver' && user.groups.includes('system:masters');
