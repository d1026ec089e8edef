import { leases, nodes, pods } from '../api/generated/resources.ts';
import type { V1Node, V1NodeCondition, V1Taint } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import { rfc3339 } from '../base/clock.ts';
import { type Controller, type ControllerContext, watched } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from './support/access.ts';
import { withCondition } from './support/conditions.ts';

/** A node whose kubelet has renewed nothing for this long is not known to be alive (--node-monitor-grace-period), milliseconds. */
const defaultGraceMs = 50_000;
const leaseNamespace = 'kube-node-lease';

/** Which taint a condition's status calls for (pkg/controller/nodelifecycle). */
const byCondition: readonly { readonly type: string; readonly status: string; readonly key: string }[] = [
  { type: 'Ready', status: 'False', key: 'node.kubernetes.io/not-ready' },
  { type: 'Ready', status: 'Unknown', key: 'node.kubernetes.io/unreachable' },
  { type: 'MemoryPressure', status: 'True', key: 'node.kubernetes.io/memory-pressure' },
  { type: 'DiskPressure', status: 'True', key: 'node.kubernetes.io/disk-pressure' },
  { type: 'PIDPressure', status: 'True', key: 'node.kubernetes.io/pid-pressure' },
  { type: 'NetworkUnavailable', status: 'True', key: 'node.kubernetes.io/network-unavailable' },
];
const unschedulable = 'node.kubernetes.io/unschedulable';
const executing = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']);
const managed = new Set([...byCondition.map((it) => it.key), unschedulable]);

const conditionOf = (node: V1Node, type: string): V1NodeCondition | undefined =>
  node.status?.conditions?.find((it) => it.type === type);

const isReady = (node: V1Node): boolean => conditionOf(node, 'Ready')?.status === 'True';

/**
 * The taints a node should have: those of its conditions, cordoning, and all that are not this controller's. Where `drive` is false, no
 * pods are driven out: when no node is ready at all, it is rather this side that sees nothing (upstream's full disruption). Pure.
 */
export function wantedTaints(node: V1Node, now: string, drive = true): readonly V1Taint[] {
  const present = node.spec?.taints ?? [];
  const keep = present.filter((taint) => !managed.has(taint.key));
  const kept = (key: string, effect: string): V1Taint | undefined =>
    present.find((it) => it.key === key && it.effect === effect);
  const keys = byCondition.filter(({ type, status }) => conditionOf(node, type)?.status === status).map((it) => it.key);
  const conditions = keys.flatMap((key): V1Taint[] => [
    kept(key, 'NoSchedule') ?? { key, effect: 'NoSchedule' },
    ...(drive && executing.has(key) ? [kept(key, 'NoExecute') ?? { key, effect: 'NoExecute', timeAdded: now }] : []),
  ]);
  // A node that has not said anything yet keeps the taint it was admitted with.
  const unknown = conditionOf(node, 'Ready') ? [] : present.filter((it) => executing.has(it.key));
  const cordon = node.spec?.unschedulable
    ? [kept(unschedulable, 'NoSchedule') ?? { key: unschedulable, effect: 'NoSchedule', timeAdded: now }]
    : [];
  return [...keep, ...unknown, ...conditions, ...cordon];
}

/** The conditions of a node whose kubelet has gone silent: all that it used to post become Unknown. Pure. */
export function silentConditions(node: V1Node, now: string): readonly V1NodeCondition[] {
  const types = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
  let conditions = node.status?.conditions ?? [];
  for (const type of types) {
    const present = conditionOf(node, type);
    if (present?.status === 'Unknown') continue;
    conditions = withCondition(conditions, {
      type,
      status: 'Unknown',
      reason: present ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
      message: present ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
      lastHeartbeatTime: present?.lastHeartbeatTime ?? node.metadata?.creationTimestamp ?? now,
      lastTransitionTime: now,
    });
  }
  return conditions;
}

/** When the kubelet last showed itself: its lease, its status, or at least its registration. */
function lastSeen(node: Live<V1Node>, context: ControllerContext): number {
  const renewed = context.informers
    .informer(leases, { namespace: leaseNamespace })
    .get(`${leaseNamespace}/${node.metadata.name}`)?.spec?.renewTime;
  const beat = conditionOf(node, 'Ready')?.lastHeartbeatTime;
  return Math.max(...[renewed, beat, node.metadata.creationTimestamp].map((time) => (time ? Date.parse(time) : 0)));
}

/** Pods of a node that is not ready are not ready either (nodeutil.MarkPodsNotReady). */
async function markPodsNotReady(context: ControllerContext, nodeName: string, now: string): Promise<void> {
  const informer = context.informers.informer(pods);
  for (const pod of informer.byIndex('node-taints/node', nodeName)) {
    const ready = pod.status?.conditions?.find((it) => it.type === 'Ready');
    if (ready?.status !== 'True') continue;
    const conditions = withCondition(pod.status?.conditions ?? [], {
      ...ready,
      status: 'False',
      lastTransitionTime: now,
    });
    await context.client.update(pods, { ...pod, status: { ...pod.status, conditions } }, { subresource: 'status' });
    context.events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
  }
}

/** Watches over nodes: taints them by their conditions, and finds out when a kubelet has gone silent (pkg/controller/nodelifecycle). */
export function nodeLifecycleController(graceMs = defaultGraceMs): Controller {
  const known = new Set<string>();
  return {
    name: 'node-controller',
    watches: [
      watched({
        resource: nodes,
        keys(node, { old, gone }, context) {
          const { name } = node.metadata;
          if (gone && known.delete(name)) {
            const message = `Node ${name} event: Removing Node ${name} from Controller`;
            context.events.event(node, 'Normal', 'RemovingNode', message);
          } else if (!gone && !known.has(name)) {
            known.add(name);
            const message = `Node ${name} event: Registered Node ${name} in Controller`;
            context.events.event(node, 'Normal', 'RegisteredNode', message);
          }
          const all = context.informers.informer(nodes).list();
          const turned = gone || isReady(node) !== (old !== undefined && isReady(old));
          // The last node to fall and the first to rise decide for all whether pods are driven out.
          const decides = turned && all.filter((it) => it !== node && isReady(it)).length === 0;
          return decides ? all.map((it) => it.metadata.name) : gone ? [] : [name];
        },
      }),
      // Only the copy is wanted: renewals by themselves call for nothing.
      watched({ resource: pods, keys: () => [] }),
    ],
    access: [
      rule('', 'nodes', `${read} delete patch update`),
      rule('', 'nodes/status', 'patch update'),
      rule('', 'pods/status', 'patch update'),
      rule('', 'pods', `${read} delete`),
      rule('coordination.k8s.io', 'leases', read),
      ...mayRecord,
    ],
    async start(context) {
      context.informers
        .informer(pods)
        .addIndex('node-taints/node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
      await context.informers.informer(leases, { namespace: leaseNamespace }).whenSynced();
    },
    async reconcile(key, context) {
      const node = context.informers.informer(nodes).get(key);
      if (!node) return undefined;
      const now = context.clock.now();
      const silence = now - lastSeen(node, context);
      const ready = conditionOf(node, 'Ready');
      if (silence >= graceMs && ready?.status !== 'Unknown') {
        const conditions = silentConditions(node, rfc3339(now));
        await context.client.update(
          nodes,
          { ...node, status: { ...node.status, conditions } },
          { subresource: 'status' },
        );
        context.events.event(node, 'Normal', 'NodeNotReady', `Node ${key} status is now: NodeNotReady`);
        return undefined;
      }
      const drive = context.informers.informer(nodes).list().some(isReady);
      const taints = wantedTaints(node, rfc3339(now), drive);
      if (!semanticEqual(node.spec?.taints ?? [], taints)) {
        const { resourceVersion } = node.metadata;
        const patch = { metadata: { resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
        await context.client.patch(nodes, key, patch, { type: 'application/merge-patch+json' });
      }
      if (ready && ready.status !== 'True') await markPodsNotReady(context, key, rfc3339(now));
      return { again: Math.max(1000, graceMs - silence) };
    },
  };
}
