import type {
  V1Container,
  V1Pod,
  V1ResourceQuota,
  V1ScopedResourceSelectorRequirement,
} from '../../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../../api/label-selector.ts';
import type { Live } from '../../../api/resource.ts';
import { asLoose, type Loose } from '../../../kinds/draft.ts';

/** The quality-of-service class is BestEffort: no container asks for or limits cpu or memory. */
function isBestEffort(pod: Loose<V1Pod>): boolean {
  const lists = (container: Loose<V1Container>) => [container.resources?.requests, container.resources?.limits];
  const all = [
    ...(pod.spec?.containers ?? []).flatMap(lists),
    ...(pod.spec?.initContainers ?? []).flatMap(lists),
    pod.spec?.resources?.requests,
    pod.spec?.resources?.limits,
  ];
  const zero = (amount: string | undefined): boolean => amount === undefined || /^0+(?:\.0*)?[A-Za-z]*$/.test(amount);
  return all.every((list) => zero(list?.['cpu']) && zero(list?.['memory']));
}

function crossesNamespaces(pod: Loose<V1Pod>): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((affinity) =>
    [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm),
    ].some((term) => (term?.namespaces ?? []).length > 0 || term?.namespaceSelector !== undefined),
  );
}

function matchesScope(requirement: V1ScopedResourceSelectorRequirement, pod: Loose<V1Pod>): boolean {
  const terminating = (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
  switch (requirement.scopeName) {
    case 'Terminating':
      return terminating;
    case 'NotTerminating':
      return !terminating;
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(pod);
    case 'PriorityClass': {
      const name = pod.spec?.priorityClassName ?? '';
      if (requirement.operator === 'Exists') return name !== '';
      const { operator, values } = requirement;
      const selector = requirementsOf({
        matchExpressions: [{ key: 'PriorityClass', operator, ...(values && { values }) }],
      });
      return selector !== undefined && matchesLabels(selector, name === '' ? {} : { PriorityClass: name });
    }
    default:
      return false;
  }
}

/** True where all scopes of a quota fit the object. Only pods have scopes; a quota with scopes is not for others. */
export function inScope(quota: Live<V1ResourceQuota>, object: object, isPod: boolean): boolean {
  const requirements: readonly V1ScopedResourceSelectorRequirement[] = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []),
  ];
  if (requirements.length === 0) return true;
  return isPod && requirements.every((requirement) => matchesScope(requirement, asLoose<V1Pod>(object as V1Pod)));
}
