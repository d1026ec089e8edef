import type {
  V1Node,
  V1NodeSelector,
  V1NodeSelectorTerm,
  V1Pod,
  V1Taint,
  V1Toleration,
} from '../../api/generated/types.ts';

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

/** Whether a toleration covers a taint (k8s.io/component-helpers/scheduling/corev1/helpers.go). */
export function tolerates(toleration: V1Toleration, taint: V1Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    case 'Gt':
      return Number(taint.value) > Number(toleration.value);
    case 'Lt':
      return Number(taint.value) < Number(toleration.value);
    default:
      return false;
  }
}

/** The first taint with an effect in `effects` that no toleration covers. */
export function untolerated(
  taints: readonly V1Taint[] | undefined,
  tolerations: readonly V1Toleration[] | undefined,
  effects: readonly string[],
): V1Taint | undefined {
  if (!taints) return undefined;
  return taints.find(
    (taint) => effects.includes(taint.effect) && !(tolerations ?? []).some((it) => tolerates(it, taint)),
  );
}

/** The effects that keep a new pod away. */
export const hardEffects = ['NoSchedule', 'NoExecute'] as const;

/** `key=value:Effect`, as kubectl writes a taint. */
export const showTaint = (taint: V1Taint): string =>
  `${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}`;
