import { equalJson } from '../../api/draft.ts';
import type { V1Pod, V1PodCondition, V1PodStatus } from '../../api/generated/types.ts';
import { isKubeletCondition } from './conditions.ts';

type Patch = Record<string, unknown>;

const byKey = <T>(items: readonly T[] | undefined, key: (it: T) => string): Map<string, T> =>
  new Map((items ?? []).map((it) => [key(it), it]));

/** Changed, new and dropped items of a list merged by `name`, as a strategic merge patch writes them. */
function mergeList<T extends object>(
  name: string,
  old: readonly T[] | undefined,
  next: readonly T[] | undefined,
): unknown[] {
  const key = (it: T): string => String((it as Record<string, unknown>)[name]);
  const before = byKey(old, key);
  const after = byKey(next, key);
  return [
    ...[...after]
      .filter(([id, it]) => !equalJson(before.get(id), it))
      .map(([id, it]) => {
        const dropped = Object.keys(before.get(id) ?? {}).filter((field) => !(field in it));
        return { ...it, ...Object.fromEntries(dropped.map((field) => [field, null])) };
      }),
    ...[...before.keys()].filter((id) => !after.has(id)).map((id) => ({ $patch: 'delete', [name]: id })),
  ];
}

const plain = ['phase', 'reason', 'message', 'startTime', 'qosClass', 'hostIP', 'podIP', 'observedGeneration'] as const;
const atomic = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

/**
 * The strategic merge patch that brings an API status to the wanted one, bound to the pod's uid; undefined when nothing differs.
 * Conditions of others are never touched.
 */
export function statusPatch(pod: V1Pod, wanted: V1PodStatus): Patch | undefined {
  const old = pod.status ?? {};
  const status: Patch = {};
  for (const field of plain) if (old[field] !== wanted[field]) status[field] = wanted[field] ?? null;
  for (const field of atomic) if (!equalJson(old[field], wanted[field])) status[field] = wanted[field] ?? null;
  const owned = (list: readonly V1PodCondition[] | undefined): readonly V1PodCondition[] =>
    (list ?? []).filter(
      (it) => isKubeletCondition(it.type) || (it.type === 'DisruptionTarget' && it.reason === 'TerminationByKubelet'),
    );
  const conditions = mergeList('type', owned(old.conditions), owned(wanted.conditions));
  if (conditions.length > 0) {
    status['conditions'] = conditions;
    status['$setElementOrder/conditions'] = (wanted.conditions ?? []).map(({ type }) => ({ type }));
  }
  for (const [field, key] of [
    ['hostIPs', 'ip'],
    ['podIPs', 'ip'],
  ] as const) {
    const items = mergeList(key, old[field], wanted[field]);
    if (items.length > 0) {
      status[field] = items;
      status[`$setElementOrder/${field}`] = (wanted[field] ?? []).map(({ ip }) => ({ ip }));
    }
  }
  if (Object.keys(status).length === 0) return undefined;
  return { metadata: { uid: pod.metadata?.uid }, status };
}
