import type { V1PolicyRule } from '../../api/generated/types.ts';
import type { Authorizer, Decision, ObjectReader } from '../contracts.ts';
import { createNodeAuthorizer, nodeIdentity } from './node-authorizer.ts';
import { createRbac, type Rbac } from './rbac.ts';

const allowed: Decision = Object.freeze({ allowed: true, reason: '' });
const privileged = 'system:masters';

/** An authorizer with the means to look into its roles, for the escalation check. */
export interface RbacAuthorizer extends Authorizer {
  readonly rbac: Rbac;
}

const everything: V1PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Upstream's chain: system:masters may do everything, then the Node authorizer, then RBAC. The first that allows decides. */
export function createAuthorizer(reader: ObjectReader): RbacAuthorizer {
  const rbac = createRbac(reader);
  const node = createNodeAuthorizer(reader);
  return {
    rbac,
    authorize(attributes) {
      if (attributes.user.groups.includes(privileged)) return allowed;
      const verdict = node(attributes);
      if (verdict === true) return allowed;
      const decision = rbac.authorize(attributes);
      if (decision.allowed || !verdict) return decision;
      return { allowed: false, reason: decision.reason === '' ? verdict : `${verdict}\n${decision.reason}` };
    },
    rulesFor(user, namespace) {
      const { rules, errors } = rbac.rulesFor(user, namespace);
      const all = user.groups.includes(privileged) ? [...everything, ...rules] : rules;
      return {
        resourceRules: all
          .filter((rule) => (rule.resources ?? []).length > 0)
          .map((rule) => ({
            verbs: rule.verbs,
            apiGroups: rule.apiGroups ?? [],
            resources: rule.resources ?? [],
            ...(rule.resourceNames && { resourceNames: rule.resourceNames }),
          })),
        nonResourceRules: all
          .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
          .map((rule) => ({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs ?? [] })),
        incomplete: errors.length > 0 || nodeIdentity(user) !== undefined,
      };
    },
  };
}
