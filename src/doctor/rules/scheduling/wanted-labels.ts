import type { V1Node } from '../../../api/generated/types.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';

/** A label that a pod's node must have. Terms of an affinity are alternatives; requirements within one add up. */
export interface WantedLabel {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
  /** Below the pod spec. */
  readonly path: readonly (string | number)[];
  /** Set where the value stands alone and can be exchanged. */
  readonly single?: string;
}

/** What the pod's nodeSelector and required node affinity ask of labels. Pure. */
export function wantedLabels({ spec }: PodFacts): readonly WantedLabel[] {
  const simple = Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
    path: ['nodeSelector', key],
    single: value,
  }));
  const base = ['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms'];
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const complex = terms.flatMap((term, i) =>
    (term.matchExpressions ?? []).map((it, j) => ({
      key: it.key,
      operator: it.operator,
      values: it.values ?? [],
      path: [...base, i, 'matchExpressions', j],
    })),
  );
  return [...simple, ...complex];
}

/** How many alternatives the affinity gives; with several, one that cannot be met proves nothing. */
export const alternatives = ({ spec }: PodFacts): number =>
  spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.length ?? 0;

export const valuesOf = (nodes: readonly V1Node[], key: string): readonly string[] =>
  [...new Set(nodes.map((it) => it.metadata?.labels?.[key]).filter((it) => it !== undefined))].sort();

export const labelKeys = (nodes: readonly V1Node[]): readonly string[] =>
  [...new Set(nodes.flatMap((it) => Object.keys(it.metadata?.labels ?? {})))].sort();

/** `disktype=ssd`, `zone in (a, b)`. */
export const showWanted = ({ key, operator, values }: WantedLabel): string =>
  operator === 'In' && values.length === 1
    ? `${key}=${values[0]}`
    : operator === 'Exists'
      ? key
      : `${key} ${operator} (${values.join(', ')})`;
