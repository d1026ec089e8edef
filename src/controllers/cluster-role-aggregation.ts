import { clusterroles } from '../api/generated/resources.ts';
import type { V1ClusterRole, V1PolicyRule } from '../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../api/label-selector.ts';
import type { Live } from '../api/resource.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { read, rule } from './support/access.ts';

/** The rules that an aggregating role should have: those of the roles it selects, each once, by name. Pure. */
export function aggregated(role: Live<V1ClusterRole>, all: readonly Live<V1ClusterRole>[]): readonly V1PolicyRule[] {
  const sorted = [...all].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const rules: V1PolicyRule[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const requirements = requirementsOf(selector);
    for (const other of sorted) {
      if (other.metadata.name === role.metadata.name || !matchesLabels(requirements, other.metadata.labels)) continue;
      for (const one of other.rules ?? []) if (!rules.some((it) => semanticEqual(it, one))) rules.push(one);
    }
  }
  return rules;
}

/** Fills aggregating ClusterRoles: admin, edit, view. Upstream: pkg/controller/clusterroleaggregation. */
export const clusterRoleAggregationController: Controller = {
  name: 'clusterrole-aggregation-controller',
  watches: [
    watched({
      resource: clusterroles,
      keys(role, { old }, context) {
        const changed =
          !old || !semanticEqual(old.rules, role.rules) || !semanticEqual(old.metadata.labels, role.metadata.labels);
        const concerned = context.informers
          .informer(clusterroles)
          .list()
          .filter((it) => it.aggregationRule !== undefined);
        return concerned
          .filter((it) => changed || it.metadata.name === role.metadata.name)
          .map((it) => it.metadata.name);
      },
    }),
  ],
  access: [rule('rbac.authorization.k8s.io', 'clusterroles', `${read} escalate patch update`)],
  async reconcile(key, context) {
    const informer = context.informers.informer(clusterroles);
    const role = informer.get(key);
    if (!role?.aggregationRule || role.metadata.deletionTimestamp) return undefined;
    const rules = aggregated(role, informer.list());
    if (!semanticEqual(rules, role.rules)) await context.client.update(clusterroles, { ...role, rules });
    return undefined;
  },
};
