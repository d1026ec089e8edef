import { clusterrolebindings, clusterroles, rolebindings, roles } from '../../api/generated/resources.ts';
import type {
  RbacV1Subject,
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1PolicyRule,
  V1Role,
  V1RoleBinding,
} from '../../api/generated/types.ts';
import type { UserInfo } from '../../api/handler.ts';
import type { KubeObject, Live, Resource } from '../../api/resource.ts';
import type { AccessAttributes, Decision, ObjectReader } from '../contracts.ts';
import { quote } from './quote.ts';
import { type CompiledRule, compileRule, ruleAllows } from './rules.ts';

/** Role-based access: who may do what, as Roles, ClusterRoles and their bindings say. */
export interface Rbac {
  authorize(attributes: AccessAttributes): Decision;
  /** All rules that hold for a user, those of the namespace included where one is given; with what could not be resolved. */
  rulesFor(
    user: UserInfo,
    namespace: string | undefined,
  ): { readonly rules: readonly V1PolicyRule[]; readonly errors: readonly string[] };
  /** The rules of a role, or a sentence that says why there are none. */
  roleRules(ref: { readonly kind: string; readonly name: string }, namespace: string): readonly V1PolicyRule[] | string;
}

interface Grant {
  /** `ClusterRoleBinding "x" of ClusterRole "y" to Group "g"`. */
  readonly source: string;
  /** Undefined: everywhere. */
  readonly namespace: string | undefined;
  readonly roleKey: string;
  readonly roleKind: string;
  readonly roleName: string;
}

const roleKeyOf = (kind: string, namespace: string | undefined, name: string): string =>
  kind === 'ClusterRole' ? `/${name}` : `${namespace}/${name}`;

function subjectKey(subject: RbacV1Subject, namespace: string | undefined): string | undefined {
  switch (subject.kind) {
    case 'User':
      return `user ${subject.name}`;
    case 'Group':
      return `group ${subject.name}`;
    case 'ServiceAccount': {
      const home = subject.namespace || namespace;
      return home ? `user system:serviceaccount:${home}:${subject.name}` : undefined;
    }
    default:
      return undefined;
  }
}

function describeSubject(subject: RbacV1Subject, namespace: string | undefined): string {
  return subject.kind === 'ServiceAccount'
    ? `ServiceAccount ${quote(`${subject.name}/${subject.namespace || namespace || ''}`)}`
    : `${subject.kind} ${quote(subject.name)}`;
}

/** What is remembered of one user until the roles change. */
interface Remembered {
  readonly generation: number;
  readonly decisions: Map<string, Decision>;
  readonly grants: readonly Grant[];
}
const rememberedDecisions = 2048;
const denied: Decision = Object.freeze({ allowed: false, reason: '' });

/** Follows the roles and bindings of `reader` and answers from an index of them. */
export function createRbac(reader: ObjectReader): Rbac {
  const rules = new Map<string, readonly CompiledRule[]>();
  const grants = new Map<string, Map<string, readonly Grant[]>>();
  const remembered = new WeakMap<UserInfo, Remembered>();
  let loaded = false;
  let generation = 0;

  const setRole = (kind: string, object: Live<V1Role | V1ClusterRole>, present: boolean): void => {
    const key = roleKeyOf(kind, object.metadata.namespace, object.metadata.name);
    if (present) rules.set(key, (object.rules ?? []).map(compileRule));
    else rules.delete(key);
  };
  const setBinding = (
    kind: 'RoleBinding' | 'ClusterRoleBinding',
    object: Live<V1RoleBinding | V1ClusterRoleBinding>,
    present: boolean,
  ): void => {
    const { name, namespace } = object.metadata;
    const id = `${namespace ?? ''}/${name}`;
    const bySubject = new Map<string, Grant[]>();
    for (const subject of object.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      if (key === undefined) continue;
      const shown = kind === 'RoleBinding' ? `${name}/${namespace}` : name;
      const list = bySubject.get(key) ?? [];
      list.push({
        source: `${kind} ${quote(shown)} of ${object.roleRef.kind} ${quote(object.roleRef.name)} to ${describeSubject(subject, namespace)}`,
        namespace,
        roleKey: roleKeyOf(object.roleRef.kind, namespace, object.roleRef.name),
        roleKind: object.roleRef.kind,
        roleName: object.roleRef.name,
      });
      bySubject.set(key, list);
    }
    for (const [key, list] of bySubject) {
      let bindings = grants.get(key);
      if (!bindings) {
        bindings = new Map();
        grants.set(key, bindings);
      }
      if (present) bindings.set(id, list);
      else bindings.delete(id);
      if (bindings.size === 0) grants.delete(key);
    }
  };
  const follow = <T extends KubeObject>(resource: Resource<T>, set: (object: Live<T>, present: boolean) => void) => {
    reader.subscribe(resource, ({ type, object, old }) => {
      if (!loaded) return;
      if (old) set(old, false);
      set(object, type !== 'DELETED');
      generation++;
    });
    return () => {
      for (const object of reader.list(resource)) set(object, true);
    };
  };
  const loaders = [
    follow(clusterroles, (object, present) => setRole('ClusterRole', object, present)),
    follow(roles, (object, present) => setRole('Role', object, present)),
    follow(clusterrolebindings, (object, present) => setBinding('ClusterRoleBinding', object, present)),
    follow(rolebindings, (object, present) => setBinding('RoleBinding', object, present)),
  ];
  const memoryOf = (user: UserInfo): Remembered => {
    if (!loaded) {
      for (const load of loaders) load();
      loaded = true;
    }
    const known = remembered.get(user);
    if (known && known.generation === generation) return known;
    const found: Grant[] = [];
    for (const key of [`user ${user.name}`, ...user.groups.map((group) => `group ${group}`)]) {
      for (const list of grants.get(key)?.values() ?? []) found.push(...list);
    }
    // Grants that hold everywhere are asked first, as upstream does.
    found.sort((a, b) => Number(a.namespace !== undefined) - Number(b.namespace !== undefined));
    const memory = { generation, decisions: new Map(), grants: found };
    remembered.set(user, memory);
    return memory;
  };
  const missing = (grant: Grant): string =>
    `${grant.roleKind === 'ClusterRole' ? 'clusterrole' : 'role'}.rbac.authorization.k8s.io ${quote(grant.roleName)} not found`;
  const decide = (found: readonly Grant[], attributes: AccessAttributes): Decision => {
    const errors: string[] = [];
    for (const grant of found) {
      if (grant.namespace !== undefined && grant.namespace !== attributes.namespace) continue;
      const held = rules.get(grant.roleKey);
      if (!held) errors.push(missing(grant));
      else if (held.some((rule) => ruleAllows(rule, attributes))) {
        return { allowed: true, reason: `RBAC: allowed by ${grant.source}` };
      }
    }
    if (errors.length === 0) return denied;
    const unique = [...new Set(errors)];
    return { allowed: false, reason: `RBAC: ${unique.length === 1 ? unique[0] : `[${unique.join(', ')}]`}` };
  };

  return {
    authorize(attributes) {
      const memory = memoryOf(attributes.user);
      const key =
        attributes.path !== undefined
          ? `${attributes.verb} ${attributes.path}`
          : `${attributes.verb}\n${attributes.group ?? ''}\n${attributes.resource ?? ''}/${attributes.subresource ?? ''}\n${attributes.namespace ?? ''}\n${attributes.name ?? ''}`;
      const known = memory.decisions.get(key);
      if (known) return known;
      const decision = decide(memory.grants, attributes);
      if (memory.decisions.size >= rememberedDecisions) memory.decisions.clear();
      memory.decisions.set(key, decision);
      return decision;
    },
    rulesFor(user, namespace) {
      const found: V1PolicyRule[] = [];
      const errors: string[] = [];
      for (const grant of memoryOf(user).grants) {
        if (grant.namespace !== undefined && grant.namespace !== namespace) continue;
        const held = rules.get(grant.roleKey);
        if (held) found.push(...held.map(({ rule }) => rule));
        else errors.push(missing(grant));
      }
      return { rules: found, errors };
    },
    roleRules(ref, namespace) {
      memoryOf({ name: '', groups: [] });
      const key = roleKeyOf(ref.kind, namespace, ref.name);
      const resource = ref.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
      return (
        rules.get(key)?.map(({ rule }) => rule) ?? `${resource}.rbac.authorization.k8s.io ${quote(ref.name)} not found`
      );
    },
  };
}
