import type { AccessRule } from '../../controller/controller.ts';

/** One rule: `rule('apps', 'deployments replicasets', 'get list watch')`. */
export const rule = (group: string, resources: string, verbs: string): AccessRule => ({
  apiGroups: [group],
  resources: resources.split(' '),
  verbs: verbs.split(' '),
});

export const read = 'get list watch';
/** Events are written by every controller that has something to say. */
export const mayRecord: readonly AccessRule[] = [
  rule('', 'events', 'create patch update'),
  rule('events.k8s.io', 'events', 'create patch update'),
];
