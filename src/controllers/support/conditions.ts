/** What conditions of all kinds share. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export const conditionOf = <C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined => conditions?.find((it) => it.type === type);

/**
 * The list with this condition in it. One with the same status and reason is left as it is; the transition time is kept while the status
 * stays (upstream's SetDeploymentCondition and its kin, which put a changed condition last).
 */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, next: C): readonly C[] {
  const old = conditionOf(conditions, next.type);
  if (old && old.status === next.status && old.reason === next.reason) return conditions ?? [];
  const kept = old?.status === next.status ? { lastTransitionTime: old.lastTransitionTime } : {};
  return [...withoutCondition(conditions, next.type), { ...next, ...kept }];
}

export const withoutCondition = <C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] => (conditions ?? []).filter((it) => it.type !== type);

/** As apimachinery's meta.SetStatusCondition: changed in place, the transition time only when the status changes. */
export function setInPlace<C extends Condition>(conditions: readonly C[] | undefined, next: C): readonly C[] {
  const old = conditionOf(conditions, next.type);
  if (!old) return [...(conditions ?? []), next];
  const kept = old.status === next.status ? { lastTransitionTime: old.lastTransitionTime } : {};
  return (conditions ?? []).map((it) => (it.type === next.type ? { ...next, ...kept } : it));
}
