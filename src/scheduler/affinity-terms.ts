import type { V1Pod, V1PodAffinityTerm, V1WeightedPodAffinityTerm } from '../api/generated/types.ts';
import { matchesLabels, type Requirement, requirementsOf } from '../api/label-selector.ts';

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
