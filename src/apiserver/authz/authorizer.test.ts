import { describe, expect, it } from 'vitest';
import { admissionRequest, serverDouble } from '../../../testing/server-double.ts';
import {
  clusterrolebindings,
  clusterroles,
  nodes,
  pods,
  rolebindings,
  roles,
  secrets,
} from '../../api/generated/resources.ts';
import type { UserInfo } from '../../api/handler.ts';
import { StatusError } from '../../api/status.ts';
import type { AccessAttributes } from '../contracts.ts';
import { createAuthorizer } from './authorizer.ts';
import { reconcileBootstrapPolicy } from './bootstrap/reconcile.ts';
import { accessDenied } from './denied.ts';
import { escalationCheck } from './escalation.ts';
import { impersonate } from './impersonation.ts';

const alice: UserInfo = { name: 'alice', groups: ['dev', 'system:authenticated'] };
const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const ask = (
  user: UserInfo,
  verb: string,
  resource: string,
  more: Partial<AccessAttributes> = {},
): AccessAttributes => ({
  user,
  verb,
  group: '',
  version: 'v1',
  resource,
  ...more,
});
const messageOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return '';
  } catch (error) {
    if (error instanceof StatusError) return error.message;
    throw error;
  }
};
async function cluster() {
  const double = serverDouble();
  await reconcileBootstrapPolicy(double);
  return { double, authorizer: createAuthorizer(double.reader) };
}

describe('role-based access', () => {
  it('starts with upstream’s policy', async () => {
    const { double, authorizer } = await cluster();
    expect(double.reader.list(clusterroles)).toHaveLength(69);
    const may = async (user: UserInfo, verb: string, resource: string, more?: Partial<AccessAttributes>) =>
      (await authorizer.authorize(ask(user, verb, resource, more))).allowed;
    const scheduler = { name: 'system:kube-scheduler', groups: ['system:authenticated'] };
    expect(await may(scheduler, 'create', 'pods', { subresource: 'binding', namespace: 'x', name: 'p' })).toBe(true);
    expect(await may(scheduler, 'delete', 'nodes', { name: 'n' })).toBe(false);
    expect(await may({ name: 'root', groups: ['system:masters'] }, 'anything', 'whatever')).toBe(true);
    const path = (user: UserInfo, at: string) => authorizer.authorize({ user, verb: 'get', path: at });
    expect(await path(anonymous, '/healthz')).toEqual({
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:public-info-viewer" of ClusterRole "system:public-info-viewer" to Group "system:unauthenticated"',
    });
    expect((await path(anonymous, '/api')).allowed).toBe(false);
    expect((await path(alice, '/apis/apps/v1')).allowed).toBe(true);
  });

  it('follows changes of roles and bindings, in namespaces and by name', async () => {
    const { double, authorizer } = await cluster();
    const get = (name: string, namespace = 'default') =>
      authorizer.authorize(ask(alice, 'get', 'secrets', { namespace, name }));
    expect((await get('a')).allowed).toBe(false);
    double.put(rolebindings, {
      metadata: { name: 'b', namespace: 'default' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [{ kind: 'Group', name: 'dev' }],
    });
    expect(await get('a')).toEqual({
      allowed: false,
      reason: 'RBAC: role.rbac.authorization.k8s.io "r" not found',
    });
    const role = {
      metadata: { name: 'r', namespace: 'default' },
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['a'], verbs: ['get'] }],
    };
    double.put(roles, role);
    expect((await get('a')).allowed).toBe(true);
    expect((await get('a', 'other')).allowed).toBe(false);
    expect((await get('b')).allowed).toBe(false);
    double.remove(rolebindings, 'default', 'b');
    expect((await get('a')).allowed).toBe(false);
  });

  it('refuses in upstream’s words', () => {
    const no = { allowed: false, reason: '' };
    expect(accessDenied(ask(alice, 'list', 'pods', { namespace: 'default' }), no).message).toBe(
      'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"',
    );
    expect(
      accessDenied(ask(alice, 'get', 'deployments', { group: 'apps', subresource: 'scale', name: 'web' }), no).message,
    ).toBe(
      'deployments.apps "web" is forbidden: User "alice" cannot get resource "deployments/scale" in API group "apps" at the cluster scope',
    );
    expect(accessDenied({ user: anonymous, verb: 'get', path: '/' }, no).message).toBe(
      'forbidden: User "system:anonymous" cannot get path "/"',
    );
  });

  it('restores rules and subjects that were taken away, unless told not to', async () => {
    const { double } = await cluster();
    const viewer = double.reader.get(clusterroles, undefined, 'system:discovery')!;
    double.put(clusterroles, { ...viewer, rules: [] });
    const basic = double.reader.get(clusterrolebindings, undefined, 'system:basic-user')!;
    double.put(clusterrolebindings, { ...basic, subjects: [] });
    const kept = double.reader.get(clusterroles, undefined, 'system:basic-user')!;
    double.put(clusterroles, {
      ...kept,
      metadata: { ...kept.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
      rules: [],
    });
    await reconcileBootstrapPolicy(double);
    expect(double.reader.get(clusterroles, undefined, 'system:discovery')!.rules!.length).toBeGreaterThan(0);
    expect(double.reader.get(clusterrolebindings, undefined, 'system:basic-user')!.subjects).toHaveLength(1);
    expect(double.reader.get(clusterroles, undefined, 'system:basic-user')!.rules).toEqual([]);
  });
});

describe('the Node authorizer', () => {
  it('shows a kubelet what its pods refer to and nothing else', async () => {
    const { double, authorizer } = await cluster();
    const kubelet = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };
    double.put(nodes, { metadata: { name: 'n1' } });
    const pod = {
      metadata: { name: 'p', namespace: 'default' },
      spec: {
        nodeName: 'n1',
        serviceAccountName: 'sa',
        containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'mine' } }] }],
      },
    };
    const decide = (verb: string, resource: string, more: Partial<AccessAttributes> = {}) =>
      authorizer.authorize(ask(kubelet, verb, resource, { namespace: 'default', ...more }));
    expect((await decide('get', 'secrets', { name: 'mine' })).reason).toBe(
      "no relationship found between node 'n1' and this object",
    );
    double.put(pods, pod);
    expect((await decide('get', 'secrets', { name: 'mine' })).allowed).toBe(true);
    expect((await decide('get', 'secrets', { name: 'other' })).allowed).toBe(false);
    expect((await decide('create', 'serviceaccounts', { subresource: 'token', name: 'sa' })).allowed).toBe(true);
    expect((await decide('create', 'serviceaccounts', { subresource: 'token', name: 'admin' })).allowed).toBe(false);
    expect((await decide('list', 'pods')).reason).toContain(
      'can only list/watch pods with spec.nodeName field selector',
    );
    expect((await decide('list', 'pods', { fieldSelector: 'spec.nodeName=n1' })).allowed).toBe(true);
    expect((await decide('list', 'services')).allowed).toBe(true);
    expect((await decide('get', 'nodes', { name: 'n2' })).reason).toBe(
      "node 'n1' cannot read 'n2', only its own Node object",
    );
    double.remove(pods, 'default', 'p');
    expect((await decide('get', 'secrets', { name: 'mine' })).allowed).toBe(false);
    expect(double.reader.list(secrets)).toEqual([]);
  });
});

describe('rights beyond one’s own', () => {
  it('cannot be granted', async () => {
    const { double, authorizer } = await cluster();
    const check = escalationCheck(authorizer);
    const role = {
      metadata: { name: 'r', namespace: 'default' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }],
    };
    const create = () => check.validate!(admissionRequest(roles, { object: role, user: alice }));
    expect(await messageOf(create)).toBe(
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "alice" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
    );
    double.put(clusterrolebindings, {
      metadata: { name: 'view' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:aggregate-to-view' },
      subjects: [{ kind: 'User', name: 'alice' }],
    });
    expect(await messageOf(create)).toBe('');
    const binding = {
      metadata: { name: 'b', namespace: 'default' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [],
    };
    expect(
      await messageOf(() => check.validate!(admissionRequest(rolebindings, { object: binding, user: alice }))),
    ).toContain('{APIGroups:["*"], Resources:["*"], Verbs:["*"]}');
  });

  it('come by impersonation only where it is allowed', async () => {
    const { double, authorizer } = await cluster();
    const wanted = { user: 'bob', groups: ['ops'], extra: {} };
    expect(await messageOf(() => impersonate(alice, wanted, authorizer))).toBe(
      'users "bob" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
    const root = { name: 'root', groups: ['system:masters'] };
    expect(await impersonate(root, wanted, authorizer)).toEqual({
      name: 'bob',
      groups: ['ops', 'system:authenticated'],
    });
    expect(
      await impersonate(root, { user: 'system:serviceaccount:a:b', groups: [], extra: {} }, authorizer),
    ).toMatchObject({ groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'] });
    expect(double.requests.length).toBeGreaterThan(0);
  });
});
