import { nodes, pods } from '../api/generated/resources.ts';
import type { V1Pod, V1Taint, V1Toleration } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import { rfc3339 } from '../base/clock.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, type ControllerContext, watched } from '../controller/controller.ts';
import { tolerates } from '../kinds/core/node-match.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from './support/access.ts';
import { withCondition } from './support/conditions.ts';

const byNode = 'taint-eviction/node';

const executing = (taints: readonly V1Taint[] | undefined): readonly V1Taint[] =>
  (taints ?? []).filter((taint) => taint.effect === 'NoExecute');

/** How long a pod may stay under these taints, milliseconds: undefined = forever, 0 = not at all. Pure. */
export function stayUnder(
  taints: readonly V1Taint[],
  tolerations: readonly V1Toleration[] | undefined,
): number | undefined {
  const used: V1Toleration[] = [];
  for (const taint of taints) {
    const found = (tolerations ?? []).find((toleration) => tolerates(toleration, taint));
    if (!found) return 0;
    used.push(found);
  }
  const limits = used.flatMap((it) => (it.tolerationSeconds === undefined ? [] : [it.tolerationSeconds]));
  return limits.length === 0 ? undefined : Math.max(0, Math.min(...limits)) * 1000;
}

/** When a pod's eviction was decided, and when it is due: epoch milliseconds. */
interface Scheduled {
  readonly uid: string;
  readonly start: number;
  readonly due: number;
}

/** Deletes pods from nodes whose NoExecute taints they do not tolerate (any longer). Upstream: pkg/controller/tainteviction. */
export function taintEvictionController(): Controller {
  const scheduled = new Map<string, Scheduled>();
  const cancel = (context: ControllerContext, key: string, pod: Live<V1Pod> | undefined): void => {
    if (!scheduled.delete(key) || !pod) return;
    context.events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
  };
  return {
    // The identity that upstream gives it; events are signed with its own name.
    name: 'node-controller',
    eventSource: 'taint-eviction-controller',
    watches: [
      watched({
        resource: pods,
        keys(pod, { old, gone }) {
          const changed =
            gone ||
            !old ||
            old.spec?.nodeName !== pod.spec?.nodeName ||
            !semanticEqual(old.spec?.tolerations, pod.spec?.tolerations);
          return changed && (gone || pod.spec?.nodeName) ? [keyOf(pod)] : [];
        },
      }),
      watched({
        resource: nodes,
        keys(node, { old }, context) {
          const now = executing(node.spec?.taints);
          if (old ? semanticEqual(executing(old.spec?.taints), now) : now.length === 0) return [];
          return context.informers.informer(pods).byIndex(byNode, node.metadata.name).map(keyOf);
        },
      }),
    ],
    access: [
      rule('', 'nodes', read),
      rule('', 'pods', `${read} delete`),
      rule('', 'pods/status', 'patch update'),
      ...mayRecord,
    ],
    start(context) {
      context.informers.informer(pods).addIndex(byNode, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
      return Promise.resolve();
    },
    async reconcile(key, context) {
      const pod = context.informers.informer(pods).get(key);
      if (!pod || pod.metadata.deletionTimestamp || !pod.spec?.nodeName) {
        scheduled.delete(key);
        return undefined;
      }
      if (scheduled.get(key)?.uid !== pod.metadata.uid) scheduled.delete(key);
      const taints = executing(context.informers.informer(nodes).get(pod.spec.nodeName)?.spec?.taints);
      const stay = taints.length === 0 ? undefined : stayUnder(taints, pod.spec.tolerations);
      if (stay === undefined) {
        cancel(context, key, pod);
        return undefined;
      }
      const now = context.clock.now();
      const known = scheduled.get(key);
      // The time already spent under taints counts.
      const due = Math.min(known?.due ?? Number.POSITIVE_INFINITY, (known?.start ?? now) + stay);
      if (due > now) {
        scheduled.set(key, { uid: pod.metadata.uid, start: known?.start ?? now, due });
        return { again: due - now };
      }
      scheduled.delete(key);
      await evict(context, key, pod);
      return undefined;
    },
  };
}

async function evict(context: ControllerContext, key: string, pod: Live<V1Pod>): Promise<void> {
  context.events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
  const { name, namespace = '', uid } = pod.metadata;
  const conditions = withCondition(pod.status?.conditions, {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: rfc3339(context.clock.now()),
  });
  try {
    await context.client.update(pods, { ...pod, status: { ...pod.status, conditions } }, { subresource: 'status' });
    await context.client.delete(pods, name, { namespace, preconditions: { uid } });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
