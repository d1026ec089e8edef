import { pods } from '../api/generated/resources.ts';
import type { V1Pod, V1PodCondition } from '../api/generated/types.ts';
import { hasReason } from '../api/status.ts';
import { type Clock, rfc3339 } from '../base/clock.ts';
import type { Client } from '../client/client.ts';

/**
 * Sets a condition of the pod, and its nominated node where given ('' clears it). Nothing is written where nothing would
 * change. A pod that is gone is no error.
 */
export async function patchPodStatus(
  client: Client,
  clock: Clock,
  pod: V1Pod,
  condition: { readonly type: string; readonly status: string; readonly reason: string; readonly message: string },
  nominatedNodeName?: string,
): Promise<void> {
  const old = (pod.status?.conditions ?? []).find((it) => it.type === condition.type);
  const same =
    old && old.status === condition.status && old.reason === condition.reason && old.message === condition.message;
  const renominated = nominatedNodeName !== undefined && nominatedNodeName !== (pod.status?.nominatedNodeName ?? '');
  if (same && !renominated) return;
  const generation = pod.metadata?.generation;
  const next: V1PodCondition = {
    ...condition,
    lastTransitionTime: old?.status === condition.status ? (old.lastTransitionTime ?? '') : rfc3339(clock.now()),
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  const { name, namespace, uid } = pod.metadata ?? {};
  try {
    await client.patch(
      pods,
      name ?? '',
      {
        metadata: { uid },
        status: {
          ...(!same && { conditions: [next] }),
          ...(renominated && { nominatedNodeName: nominatedNodeName === '' ? null : nominatedNodeName }),
        },
      },
      { type: 'application/strategic-merge-patch+json', subresource: 'status', namespace: namespace ?? '' },
    );
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
