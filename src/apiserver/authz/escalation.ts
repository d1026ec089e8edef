import type { V1ClusterRole, V1PolicyRule, V1RoleBinding } from '../../api/generated/types.ts';
import type { UserInfo } from '../../api/handler.ts';
import { forbidden, notFound } from '../../api/status.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../contracts.ts';
import type { RbacAuthorizer } from './authorizer.ts';
import { quote, quoteList } from './quote.ts';
import { describeRules, missingRights } from './rules.ts';

const group = 'rbac.authorization.k8s.io';
const fullAuthority: readonly V1PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];
const roleKinds = new Set(['roles', 'clusterroles']);
const bindingKinds = new Set(['rolebindings', 'clusterrolebindings']);

/**
 * Nobody hands out rights that they do not hold, unless they may `escalate` the role or `bind` it (pkg/registry/rbac/.../policybased). Part of
 * the kinds' storage upstream; here it runs as the first validating plugin.
 */
export function escalationCheck(authorizer: RbacAuthorizer): AdmissionPlugin {
  const lacking = (
    user: UserInfo,
    namespace: string | undefined,
    wanted: readonly V1PolicyRule[],
  ): string | undefined => {
    const { rules, errors } = authorizer.rbac.rulesFor(user, namespace);
    const missing = missingRights(rules, wanted);
    if (missing.length === 0) return undefined;
    const heading = `user ${quote(user.name)} (groups=${quoteList(user.groups)}) is attempting to grant RBAC permissions not currently held:`;
    const unresolved = errors.length > 0 ? `; resolution errors: [${errors.join(', ')}]` : '';
    return `${heading}\n${describeRules(missing).join('\n')}${unresolved}`;
  };
  const may = async (request: AdmissionRequest, verb: string, resource: string, name: string): Promise<boolean> => {
    const decision = await authorizer.authorize({
      user: request.user,
      verb,
      group,
      version: '*',
      resource,
      name,
      ...(request.namespace !== undefined && { namespace: request.namespace }),
    });
    return decision.allowed;
  };
  const checkRole = async (request: AdmissionRequest, plural: string): Promise<void> => {
    if (await may(request, 'escalate', plural, request.operation === 'UPDATE' ? request.name : '')) return;
    const wanted = request.object as unknown as V1ClusterRole;
    const old = request.old as V1ClusterRole | undefined;
    const it = { group, resource: plural };
    const refused = lacking(request.user, request.namespace, wanted.rules ?? []);
    if (refused !== undefined) throw forbidden(it, request.name, refused);
    const aggregates = [wanted, old].some((role) => (role?.aggregationRule?.clusterRoleSelectors ?? []).length > 0);
    if (aggregates && lacking(request.user, undefined, fullAuthority) !== undefined) {
      throw forbidden(it, request.name, 'must have cluster-admin privileges to use the aggregationRule');
    }
  };
  const checkBinding = async (request: AdmissionRequest, plural: string): Promise<void> => {
    const { roleRef } = request.object as unknown as V1RoleBinding;
    const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
    if (await may(request, 'bind', resource, roleRef.name)) return;
    const rules = authorizer.rbac.roleRules(roleRef, request.namespace ?? '');
    if (typeof rules === 'string') throw notFound({ group, resource }, roleRef.name);
    const refused = lacking(request.user, request.namespace, rules);
    if (refused !== undefined) throw forbidden({ group, resource: plural }, request.name, refused);
  };
  return {
    name: 'RBACEscalation',
    resources: [
      'roles.rbac.authorization.k8s.io',
      'clusterroles.rbac.authorization.k8s.io',
      'rolebindings.rbac.authorization.k8s.io',
      'clusterrolebindings.rbac.authorization.k8s.io',
    ],
    async validate(request) {
      if (request.resource.group !== group || request.subresource || !request.object) return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      if (request.user.groups.includes('system:masters')) return;
      const { plural } = request.resource;
      if (request.old && onlyGarbageFields(request)) return;
      if (roleKinds.has(plural)) await checkRole(request, plural);
      else if (bindingKinds.has(plural)) await checkBinding(request, plural);
    },
  };
}

/** True where an update touches nothing but owner references and finalizers. */
function onlyGarbageFields(request: AdmissionRequest): boolean {
  const bare = (object: unknown): unknown => {
    const { metadata, ...rest } = object as { metadata?: Record<string, unknown> };
    const { ownerReferences: _, finalizers: __, managedFields: ___, ...kept } = metadata ?? {};
    return { metadata: kept, ...rest };
  };
  return semanticEqual(bare(request.object), bare(request.old));
}
