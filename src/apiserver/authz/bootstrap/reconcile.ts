import {
  clusterrolebindings,
  clusterroles,
  namespaces,
  rolebindings,
  roles,
} from '../../../api/generated/resources.ts';
import type { RbacV1Subject, V1ClusterRole, V1PolicyRule, V1RoleBinding } from '../../../api/generated/types.ts';
import type { KubeObject, Live, Resource } from '../../../api/resource.ts';
import { hasReason } from '../../../api/status.ts';
import type { Draft } from '../../../kinds/kind.ts';
import type { ServerContext } from '../../contracts.ts';
import { loopbackUser } from '../loopback.ts';
import { missingRights } from '../rules.ts';
import { clusterRoleBindings, roleBindings } from './bindings.ts';
import { clusterRoles } from './cluster-roles.ts';
import { controllerRoles } from './controller-roles.ts';
import { clusterRole, clusterRoleBinding, role, roleBinding } from './expand.ts';
import { roles as namespaceRoles } from './namespace-roles.ts';

const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';

/** Creates an object as the server itself; one that is there already is left alone. */
async function createMissing<T extends KubeObject>(
  context: ServerContext,
  resource: Resource<T>,
  object: T,
): Promise<void> {
  const namespace = object.metadata?.namespace;
  try {
    await context.dispatch({
      verb: 'create',
      group: resource.group,
      version: resource.version,
      resource: resource.plural,
      ...(namespace !== undefined && { namespace }),
      options: {},
      body: object,
      user: loopbackUser,
    });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

/** The namespaces that every cluster has (pkg/controlplane/controller/systemnamespaces). */
export async function ensureSystemNamespaces(context: ServerContext): Promise<void> {
  await Promise.all(
    ['kube-system', 'kube-public', 'kube-node-lease', 'default']
      .filter((name) => !context.reader.get(namespaces, undefined, name))
      .map((name) => createMissing(context, namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
  );
}

interface RoleShape extends KubeObject {
  readonly rules?: readonly V1PolicyRule[];
  readonly aggregationRule?: V1ClusterRole['aggregationRule'];
}

/** Adds the rules that an existing role lacks, unless its owner has turned updates off. */
async function reconcileRole<T extends RoleShape>(
  context: ServerContext,
  resource: Resource<T>,
  wanted: T,
): Promise<void> {
  const name = wanted.metadata?.name ?? '';
  const namespace = wanted.metadata?.namespace;
  const live: Live<RoleShape> | undefined = context.reader.get(resource, namespace, name);
  if (!live) return createMissing(context, resource, wanted);
  if (live.metadata.annotations?.[autoUpdate] === 'false') return;
  const rules = wanted.aggregationRule ? [] : missingRights(live.rules ?? [], wanted.rules ?? []);
  const labels = Object.entries(wanted.metadata?.labels ?? {}).filter(
    ([key]) => live.metadata.labels?.[key] === undefined,
  );
  const annotation = live.metadata.annotations?.[autoUpdate] === undefined;
  const aggregation = wanted.aggregationRule !== undefined && live.aggregationRule === undefined;
  if (rules.length === 0 && labels.length === 0 && !annotation && !aggregation) return;
  await context.mutate(resource, namespace, name, (draft: Draft) => ({
    ...draft,
    metadata: {
      ...live.metadata,
      labels: { ...live.metadata.labels, ...Object.fromEntries(labels) },
      annotations: { [autoUpdate]: 'true', ...live.metadata.annotations },
    },
    ...(aggregation && { aggregationRule: wanted.aggregationRule }),
    ...(rules.length > 0 && { rules: [...(live.rules ?? []), ...rules] }),
  }));
}

interface BindingShape extends KubeObject {
  readonly roleRef: V1RoleBinding['roleRef'];
  readonly subjects?: readonly RbacV1Subject[];
}

const sameSubject = (a: RbacV1Subject, b: RbacV1Subject): boolean =>
  a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');

/** Adds the subjects that an existing binding lacks; one that names another role is made anew, since roleRef never changes. */
async function reconcileBinding<T extends BindingShape>(
  context: ServerContext,
  resource: Resource<T>,
  wanted: T,
): Promise<void> {
  const name = wanted.metadata?.name ?? '';
  const namespace = wanted.metadata?.namespace;
  const live: Live<BindingShape> | undefined = context.reader.get(resource, namespace, name);
  if (!live) return createMissing(context, resource, wanted);
  if (live.metadata.annotations?.[autoUpdate] === 'false') return;
  if (live.roleRef.kind !== wanted.roleRef.kind || live.roleRef.name !== wanted.roleRef.name) {
    await context.dispatch({
      verb: 'delete',
      group: resource.group,
      version: resource.version,
      resource: resource.plural,
      ...(namespace !== undefined && { namespace }),
      name,
      options: { preconditions: { uid: live.metadata.uid } },
      user: loopbackUser,
    });
    return createMissing(context, resource, wanted);
  }
  const missing = (wanted.subjects ?? []).filter(
    (subject) => !(live.subjects ?? []).some((known) => sameSubject(known, subject)),
  );
  if (missing.length === 0) return;
  await context.mutate(resource, namespace, name, (draft: Draft) => ({
    ...draft,
    subjects: [...(live.subjects ?? []), ...missing],
  }));
}

/**
 * Brings upstream's default roles and bindings into the cluster: what is missing is created, and what lost rules or subjects gets them back
 * unless its autoupdate annotation says `false` (pkg/registry/rbac/rest/storage_rbac.go). The namespaces they live in are made first.
 */
export async function reconcileBootstrapPolicy(context: ServerContext): Promise<void> {
  await ensureSystemNamespaces(context);
  await Promise.all([
    ...[...clusterRoles, ...controllerRoles].map((row) => reconcileRole(context, clusterroles, clusterRole(row))),
    ...clusterRoleBindings.map((row) => reconcileBinding(context, clusterrolebindings, clusterRoleBinding(row))),
    ...namespaceRoles.map((row) => reconcileRole(context, roles, role(row))),
    ...roleBindings.map((row) => reconcileBinding(context, rolebindings, roleBinding(row))),
  ]);
}
