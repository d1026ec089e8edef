import type {
  RbacV1Subject,
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1PolicyRule,
  V1Role,
  V1RoleBinding,
} from '../../../api/generated/types.ts';
import type { BindingRow, RoleRow, RuleRow } from './rows.ts';

const words = (text: string): readonly string[] => text.split(' ');
const group = 'rbac.authorization.k8s.io';

/** A rule as the API writes it. */
export function policyRule(row: RuleRow): V1PolicyRule {
  return {
    ...(row.groups !== undefined && { apiGroups: words(row.groups).map((name) => (name === 'core' ? '' : name)) }),
    ...(row.names !== undefined && { resourceNames: words(row.names) }),
    ...(row.resources !== undefined && { resources: words(row.resources) }),
    ...(row.urls !== undefined && { nonResourceURLs: words(row.urls) }),
    verbs: words(row.verbs),
  };
}

const metaOf = (row: RoleRow | BindingRow, labels?: Readonly<Record<string, string>>) => ({
  name: row.name,
  ...(row.namespace !== undefined && { namespace: row.namespace }),
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
});

export function clusterRole(row: RoleRow): V1ClusterRole {
  return {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRole',
    metadata: metaOf(row, row.labels),
    ...(row.aggregates && {
      aggregationRule: { clusterRoleSelectors: row.aggregates.map((matchLabels) => ({ matchLabels })) },
    }),
    rules: row.rules.map(policyRule),
  };
}

export function role(row: RoleRow): V1Role {
  return { apiVersion: `${group}/v1`, kind: 'Role', metadata: metaOf(row), rules: row.rules.map(policyRule) };
}

function subjectOf(text: string): RbacV1Subject {
  const blank = text.indexOf(' ');
  const kind = text.slice(0, blank);
  const name = text.slice(blank + 1);
  if (kind !== 'ServiceAccount') return { apiGroup: group, kind, name };
  const slash = name.indexOf('/');
  return { kind, name: name.slice(slash + 1), namespace: name.slice(0, slash) };
}

const bindingBody = (row: BindingRow) => {
  const [kind = '', name = ''] = row.role.split(' ');
  return {
    metadata: metaOf(row),
    roleRef: { apiGroup: group, kind, name },
    subjects: row.subjects.map(subjectOf),
  };
};

export function clusterRoleBinding(row: BindingRow): V1ClusterRoleBinding {
  return { apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', ...bindingBody(row) };
}

export function roleBinding(row: BindingRow): V1RoleBinding {
  return { apiVersion: `${group}/v1`, kind: 'RoleBinding', ...bindingBody(row) };
}
