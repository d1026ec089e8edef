import type { ApiHandler, UserInfo } from '../api/handler.ts';
import type { Client } from '../client/client.ts';
import { inProcessClient } from '../client/in-process-client.ts';

/** Who the parts of a cluster are to the API server: upstream's names, so that upstream's RBAC policy fits. */
const user = (name: string, ...groups: readonly string[]): UserInfo =>
  Object.freeze({ name, groups: Object.freeze([...groups, 'system:authenticated']) });

/** The server itself: nobody authorizes or admits it. */
export const loopback = user('system:apiserver', 'system:masters');
export const schedulerUser = user('system:kube-scheduler');
export const controllerManagerUser = user('system:kube-controller-manager');
export const nodeUser = (nodeName: string): UserInfo => user(`system:node:${nodeName}`, 'system:nodes');
export const controllerUser = (controller: string): UserInfo =>
  user(
    `system:serviceaccount:kube-system:${controller}`,
    'system:serviceaccounts',
    'system:serviceaccounts:kube-system',
  );

/** Makes clients in this process. */
export type ClientFactory = (as: UserInfo, userAgent: string) => Client;
export const clientFactory =
  (handler: ApiHandler): ClientFactory =>
  (as, userAgent) =>
    inProcessClient({ handler, user: as, userAgent });
