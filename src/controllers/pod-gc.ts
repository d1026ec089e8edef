import { nodes, pods } from '../api/generated/resources.ts';
import type { V1Pod } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import { rfc3339 } from '../base/clock.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, type ControllerContext, watched } from '../controller/controller.ts';
import { read, rule } from './support/access.ts';
import { withCondition } from './support/conditions.ts';

/** Pods of an absent node go when the node has been absent this long, milliseconds (upstream's quarantine). */
const quarantine = 40_000;
/** Terminated pods beyond this number go, oldest first (--terminated-pod-gc-threshold). */
const threshold = 12_500;

const isTerminated = (pod: V1Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** The terminated pods to delete, oldest first. Pure. */
export function surplus(all: readonly Live<V1Pod>[], limit: number): readonly Live<V1Pod>[] {
  const terminated = all.filter((pod) => isTerminated(pod) && !pod.metadata.deletionTimestamp);
  if (terminated.length <= limit) return [];
  const byAge = [...terminated].sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
  return byAge.slice(0, terminated.length - limit);
}

async function remove(context: ControllerContext, pod: Live<V1Pod>, reason: string | undefined): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  try {
    if (reason && !isTerminated(pod)) {
      const conditions = withCondition(pod.status?.conditions ?? [], {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: reason,
        lastTransitionTime: rfc3339(context.clock.now()),
      });
      await context.client.update(
        pods,
        { ...pod, status: { ...pod.status, phase: 'Failed', conditions } },
        { subresource: 'status' },
      );
    }
    await context.client.delete(pods, name, {
      ...(namespace && { namespace }),
      gracePeriodSeconds: 0,
      preconditions: { uid },
    });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}

/** Deletes pods that nobody else will: of nodes that are gone, never scheduled yet terminating, terminated ones in excess (pkg/controller/podgc). */
export const podGcController: Controller = {
  name: 'pod-garbage-collector',
  workers: 1,
  watches: [
    watched({
      resource: pods,
      keys: (pod, { gone }) =>
        gone
          ? []
          : pod.metadata.deletionTimestamp && !pod.spec?.nodeName
            ? [keyOf(pod)]
            : isTerminated(pod)
              ? ['surplus']
              : [],
    }),
    watched({
      resource: nodes,
      keys(node, { gone }, context) {
        if (gone) context.enqueue(`node/${node.metadata.name}`, quarantine);
        return [];
      },
    }),
  ],
  access: [rule('', 'pods', `${read} delete`), rule('', 'pods/status', 'update patch'), rule('', 'nodes', read)],
  async start(context) {
    const known = new Set(
      context.informers
        .informer(nodes)
        .list()
        .map((node) => node.metadata.name),
    );
    const named = new Set(
      context.informers
        .informer(pods)
        .list()
        .flatMap((pod) => pod.spec?.nodeName ?? []),
    );
    for (const name of named) if (!known.has(name)) context.enqueue(`node/${name}`, quarantine);
  },
  async reconcile(key, context) {
    const informer = context.informers.informer(pods);
    if (key === 'surplus') {
      for (const pod of surplus(informer.list(), threshold)) await remove(context, pod, undefined);
      return undefined;
    }
    if (key.startsWith('node/') && !informer.get(key)) {
      const name = key.slice('node/'.length);
      if (context.informers.informer(nodes).get(name)) return undefined;
      for (const pod of informer.list().filter((one) => one.spec?.nodeName === name))
        await remove(context, pod, 'PodGC: node no longer exists');
      return undefined;
    }
    const pod = informer.get(key);
    if (pod?.metadata.deletionTimestamp && !pod.spec?.nodeName) await remove(context, pod, undefined);
    return undefined;
  },
};
