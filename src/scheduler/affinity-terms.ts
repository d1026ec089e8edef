import type {
  V1Node,
  V1NodeSelector,
  V1NodeSelectorTerm,
  V1Pod,
  V1PodAffinityTerm,
  V1WeightedPodAffinityTerm,
} from '../api/generated/types.ts';
import { matchesLabels, type Requirement, requirementsOf } from '../api/label-selector.ts';

type Expression = NonNullable<V1NodeSelectorTerm['matchExpressions']>[number];

function meets(expression: Expression, value: string | undefined): boolean {
  const values = expression.values ?? [];
  switch (expression.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const bound = values[0];
      if (value === undefined || bound === undefined || !/^[+-]?\d+$/.test(value) || !/^[+-]?\d+$/.test(bound))
        return false;
      return expression.operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
    default:
      return false;
  }
}

/** One term: all its expressions and fields; a term with neither matches nothing (component-helpers nodeaffinity). */
export function matchesTerm(term: V1NodeSelectorTerm, node: V1Node): boolean {
  const labels = node.metadata?.labels ?? {};
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((it) => meets(it, labels[it.key])) &&
    fields.every((it) => it.key === 'metadata.name' && meets(it, node.metadata?.name))
  );
}

/** Terms are alternatives. */
export const matchesNodeSelector = (selector: V1NodeSelector, node: V1Node): boolean =>
  (selector.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node));

/** spec.nodeSelector and the required node affinity, both. */
export function matchesRequiredNodeAffinity(pod: V1Pod, node: V1Node): boolean {
  const labels = node.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) {
    if (labels[key] !== value) return false;
  }
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || matchesNodeSelector(required, node);
}

/** A pod (anti-)affinity term made ready for matching. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly namespaces: ReadonlySet<string>;
  readonly selector: readonly Requirement[] | undefined;
  readonly namespaceSelector: readonly Requirement[] | undefined;
  readonly weight: number;
}

function termOf(pod: V1Pod, term: V1PodAffinityTerm, weight: number): AffinityTerm {
  const own = (term.namespaces ?? []).length === 0 && !term.namespaceSelector;
  return {
    topologyKey: term.topologyKey,
    namespaces: new Set(own ? [pod.metadata?.namespace ?? ''] : (term.namespaces ?? [])),
    // The API server has merged matchLabelKeys and mismatchLabelKeys into the selector.
    selector: requirementsOf(term.labelSelector),
    namespaceSelector: requirementsOf(term.namespaceSelector),
    weight,
  };
}

export const requiredTerms = (pod: V1Pod, terms: readonly V1PodAffinityTerm[] | undefined): readonly AffinityTerm[] =>
  (terms ?? []).map((term) => termOf(pod, term, 0));
export const preferredTerms = (
  pod: V1Pod,
  terms: readonly V1WeightedPodAffinityTerm[] | undefined,
): readonly AffinityTerm[] => (terms ?? []).map((it) => termOf(pod, it.podAffinityTerm, it.weight));

/** Whether the term speaks of `pod`, whose namespace carries `namespaceLabels`. */
export function termMatches(
  term: AffinityTerm,
  pod: V1Pod,
  namespaceLabels: (namespace: string) => Readonly<Record<string, string>>,
): boolean {
  const namespace = pod.metadata?.namespace ?? '';
  if (!term.namespaces.has(namespace)) {
    if (!term.namespaceSelector || !matchesLabels(term.namespaceSelector, namespaceLabels(namespace))) return false;
  }
  return term.selector !== undefined && matchesLabels(term.selector, pod.metadata?.labels);
}
