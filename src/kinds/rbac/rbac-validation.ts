import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import type { RbacV1Subject, V1PolicyRule, V1RoleRef } from '../../api/generated/types.ts';
import { dns1123Subdomain, pathSegmentName } from '../../api/names.ts';
import type { KubeObject } from '../../api/resource.ts';
import { invalids } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import type { Loose } from '../draft.ts';
import type { Column } from '../kind.ts';
import { semanticEqual } from '../semantic-equal.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

/** The rules of a role (ValidatePolicyRule). */
export function validateRules(rules: readonly Loose<V1PolicyRule>[] = [], namespaced: boolean): FieldError[] {
  return rules.flatMap(
    ({ verbs = [], nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] }, i) => {
      const at = `rules[${i}]`;
      const errors: FieldError[] = [];
      if (verbs.length === 0) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'));
      if (nonResourceURLs.length > 0) {
        const where = `${at}.nonResourceURLs`;
        if (namespaced) {
          errors.push(invalid(where, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
        }
        if (apiGroups.length + resources.length + resourceNames.length > 0) {
          const detail = 'rules cannot apply to both regular resources and non-resource URLs';
          errors.push(invalid(where, nonResourceURLs, detail));
        }
        return errors;
      }
      if (apiGroups.length === 0) {
        errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
      }
      if (resources.length === 0) {
        errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
      }
      return errors;
    },
  );
}

interface BindingLike {
  readonly roleRef?: Loose<V1RoleRef>;
  readonly subjects?: readonly Loose<RbacV1Subject>[];
}

function validateSubject(subject: Loose<RbacV1Subject>, path: string, namespaced: boolean): FieldError[] {
  const { kind = '', name = '', namespace = '', apiGroup = '' } = subject;
  const errors = name === '' ? [required(`${path}.name`)] : [];
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') errors.push(...invalids(`${path}.name`, name, dns1123Subdomain(name)));
      if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
      if (!namespaced && namespace === '') errors.push(required(`${path}.namespace`));
      break;
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]));
      break;
    default:
      errors.push(notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}

/** Whom a binding gives which role. */
export function validateBinding(binding: BindingLike, namespaced: boolean): FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {};
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  return [
    ...(apiGroup === rbacGroup ? [] : [notSupported('roleRef.apiGroup', apiGroup, [rbacGroup])]),
    ...(kinds.includes(kind) ? [] : [notSupported('roleRef.kind', kind, kinds)]),
    ...(name === '' ? [required('roleRef.name')] : invalids('roleRef.name', name, pathSegmentName(name))),
    ...(binding.subjects ?? []).flatMap((it, i) => validateSubject(it, `subjects[${i}]`, namespaced)),
  ];
}

export function validateBindingUpdate(next: BindingLike, old: BindingLike, namespaced: boolean): FieldError[] {
  const changed = !semanticEqual(next.roleRef, old.roleRef);
  return [
    ...validateBinding(next, namespaced),
    ...(changed ? [invalid('roleRef', next.roleRef ?? null, 'cannot change roleRef')] : []),
  ];
}

export function defaultBinding(binding: { roleRef?: Loose<V1RoleRef>; subjects?: Loose<RbacV1Subject>[] }): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup;
  }
}

/** A role's columns: its name and the time it was made. */
export const roleColumns: readonly Column[] = [
  nameColumn,
  columnsOf<KubeObject>().column(
    'Created At',
    'When the role was made.',
    (it) => it.metadata?.creationTimestamp ?? '',
    'date',
  ),
];

const { column, wide } = columnsOf<KubeObject & BindingLike>();

const named =
  (kind: string) =>
  (binding: Loose<KubeObject & BindingLike>): string =>
    ((binding.subjects ?? []) as Loose<RbacV1Subject>[])
      .filter((it) => it.kind === kind)
      .map((it) => (kind === 'ServiceAccount' && it.namespace ? `${it.namespace}/${it.name}` : (it.name ?? '')))
      .join(', ');

export const bindingColumns: readonly Column[] = [
  nameColumn,
  column('Role', 'The role that the binding gives.', (it) => `${it.roleRef?.kind ?? ''}/${it.roleRef?.name ?? ''}`),
  ageColumn,
  wide('Users', 'Users in the roleBinding', named('User')),
  wide('Groups', 'Groups in the roleBinding', named('Group')),
  wide('ServiceAccounts', 'ServiceAccounts in the roleBinding', named('ServiceAccount')),
];
