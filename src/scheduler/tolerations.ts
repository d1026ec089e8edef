import type { V1Taint, V1Toleration } from '../api/generated/types.ts';

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
