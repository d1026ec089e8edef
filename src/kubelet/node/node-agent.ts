import { equalJson } from '../../api/draft.ts';
import { leases, nodes } from '../../api/generated/resources.ts';
import type { V1Lease, V1Node } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import { rfc3339Micro, type Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Image, RuntimeVersion } from '../../runtime/cri.ts';
import type { MachineInfo, NodeRuntime } from '../../runtime/node-runtime.ts';
import { conditionEvents, initialNode, nodeStatus, type Pressure } from './node-status.ts';
import type { RuntimeHealth } from './runtime-health.ts';

export interface NodeAgent {
  /** Registers the node and reports its first status. Rejects when the server refuses for good. */
  start(): Promise<void>;
  /** The node's object as last written or read. */
  node(): Live<V1Node> | undefined;
  /** The node's object changed on the server. */
  observed(node: Live<V1Node>): void;
  stop(): void;
}

export interface NodeAgentOptions {
  readonly nodeName: string;
  readonly runtime: NodeRuntime;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly machine: MachineInfo;
  readonly version: RuntimeVersion;
  readonly health: RuntimeHealth;
  readonly maxPods: number;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: NonNullable<V1Node['spec']>['taints'];
  readonly pressure: () => Pressure;
  /** Looks for pressure, about every 10 seconds; true when it has changed. */
  readonly feelPressure: () => Promise<boolean>;
  /** Called on each beat, about every 10 seconds. */
  readonly onBeat?: (count: number) => void;
}

const leaseSeconds = 40;
const beatMs = 10_000;
const firstLook = 100;
const reportMs = 300_000;

/** Keeps the node's object and lease alive, on one timer. Upstream: kubelet_node_status.go and component-helpers/apimachinery/lease. */
export function nodeAgent(options: NodeAgentOptions): NodeAgent {
  const { nodeName, client, clock, random, log, events, runtime } = options;
  let node: Live<V1Node> | undefined;
  let lease: Live<V1Lease> | undefined;
  let reportedAt = 0;
  let beats = 0;
  let timer: Timer | undefined;
  let stopped = false;
  let cidr = '';

  const nodeEvent = (reason: string, message: string, type: 'Normal' | 'Warning' = 'Normal'): void =>
    events.event(
      { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, uid: nodeName } },
      type,
      reason,
      message,
    );

  const register = async (): Promise<void> => {
    const wanted = initialNode(nodeName, options.machine, options.labels, options.taints);
    try {
      node = await client.create(nodes, { ...wanted, status: await makeStatus() });
      return;
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
    }
    const existing = await client.get(nodes, nodeName);
    const labels = { ...existing.metadata.labels, ...wanted.metadata?.labels };
    const annotations = { ...existing.metadata.annotations, ...wanted.metadata?.annotations };
    node =
      equalJson(labels, existing.metadata.labels) && equalJson(annotations, existing.metadata.annotations)
        ? existing
        : await client.patch(
            nodes,
            nodeName,
            { metadata: { labels, annotations } },
            { type: 'application/merge-patch+json' },
          );
    const boot = existing.status?.nodeInfo?.bootID;
    if (boot && boot !== options.machine.bootId)
      nodeEvent('Rebooted', `Node ${nodeName} has been rebooted, boot id: ${options.machine.bootId}`, 'Warning');
  };

  let images: readonly Image[] = [];
  const imagesNow = async (): Promise<readonly Image[]> => {
    // A runtime that does not answer keeps the images it had.
    if (options.health.silent()) return images;
    try {
      images = await runtime.images.listImages();
    } catch (error) {
      log.debug('cannot list images', { error });
    }
    return images;
  };

  const makeStatus = async (): Promise<NonNullable<V1Node['status']>> =>
    nodeStatus({
      machine: options.machine,
      runtime: options.version,
      handlers: options.health.handlers(),
      images: await imagesNow(),
      maxPods: options.maxPods,
      port: options.port,
      now: clock.now(),
      errors: options.health.errors(),
      pressure: options.pressure(),
      old: node?.status,
    });

  const withoutBeats = (status: V1Node['status']): unknown => ({
    ...status,
    conditions: status?.conditions?.map(({ lastHeartbeatTime: _beat, ...rest }) => rest),
  });

  const report = async (force: boolean): Promise<void> => {
    if (!node) return;
    const status = await makeStatus();
    const old = node.status ?? {};
    const changed = Object.entries(withoutBeats(status) as object).some(([field, value]) => {
      const before = (withoutBeats(old) as Record<string, unknown>)[field];
      if (field !== 'conditions') return !equalJson(value, before);
      const known = (before ?? []) as readonly { readonly type: string }[];
      return (value as readonly { readonly type: string }[]).some(
        (it) =>
          !equalJson(
            it,
            known.find((other) => other.type === it.type),
          ),
      );
    });
    if (!force && !changed && clock.now() - reportedAt < reportMs) return;
    for (const reason of conditionEvents(old.conditions ? old : undefined, status.conditions ?? []))
      nodeEvent(reason, `Node ${nodeName} status is now: ${reason}`);
    node = await client.patch(
      nodes,
      nodeName,
      { status },
      { type: 'application/strategic-merge-patch+json', subresource: 'status' },
    );
    reportedAt = clock.now();
  };

  const renew = async (): Promise<void> => {
    if (!node) return;
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime: rfc3339Micro(clock.now()) };
    const namespace = 'kube-node-lease';
    if (lease) {
      try {
        lease = await client.update(leases, { ...lease, spec: { ...lease.spec, ...spec } });
        return;
      } catch (error) {
        lease = undefined;
        if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
      }
    }
    const fresh: V1Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: nodeName,
        namespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid }],
      },
      spec,
    };
    try {
      lease = await client.create(leases, fresh);
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
      const existing = await client.get(leases, nodeName, { namespace });
      lease = await client.update(leases, { ...existing, spec: { ...existing.spec, ...spec } });
    }
  };

  const podCidr = async (): Promise<void> => {
    const wanted = node?.spec?.podCIDR ?? '';
    if (wanted === '' || wanted === cidr) return;
    await runtime.runtime.updateRuntimeConfig(wanted);
    cidr = wanted;
    // The network may be up now: the node need not wait for the next beat to be Ready.
    await options.health.check();
    await report(false);
  };

  const guarded = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (stopped) return;
      log.warn(what, { node: nodeName, error });
      // The node may have been deleted: the next beat registers it again.
      if (hasReason(error, 'NotFound')) node = undefined;
    }
  };

  const beat = async (): Promise<void> => {
    beats++;
    await options.health.check();
    // Not waited for: a runtime that hangs must not keep the lease from being renewed.
    feel();
    if (!node) await guarded('cannot register the node', register);
    await guarded('cannot renew the node lease', renew);
    await guarded('cannot report the node status', () => report(false));
    await guarded('cannot tell the runtime its pod range', podCidr);
    options.onBeat?.(beats);
  };

  const arm = (): void => {
    if (stopped) return;
    timer = clock.after(beatMs * (0.96 + random.next() * 0.08), () => void beat().finally(arm), { background: true });
  };

  let feeling = false;
  const feel = (): void => {
    if (feeling || stopped) return;
    feeling = true;
    void options.feelPressure().then(async (changed) => {
      feeling = false;
      if (changed && !stopped) await guarded('cannot report the node status', () => report(false));
    });
  };

  /** What keeps a fresh node from being ready is mostly over within a moment: it is looked at more often than the beat. */
  const untilReady = (delay: number): void => {
    if (stopped || delay > beatMs || options.health.errors().length === 0) return;
    clock.after(
      delay,
      () =>
        void options.health.check().then(async () => {
          if (options.health.errors().length === 0) await guarded('cannot report the node status', () => report(false));
          untilReady(delay * 1.5);
        }),
      { background: true },
    );
  };

  return {
    async start() {
      feel();
      await options.health.check();
      nodeEvent('Starting', 'Starting kubelet.');
      await guarded('cannot register the node', register);
      await guarded('cannot report the node status', () => report(true));
      await guarded('cannot renew the node lease', renew);
      await guarded('cannot tell the runtime its pod range', podCidr);
      arm();
      untilReady(firstLook);
    },
    node: () => node,
    observed(next) {
      const known = node;
      if (known && Number(next.metadata.resourceVersion) <= Number(known.metadata.resourceVersion)) return;
      if (known && known.spec?.unschedulable !== next.spec?.unschedulable) {
        const reason = next.spec?.unschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable';
        nodeEvent(reason, `Node ${nodeName} status is now: ${reason}`);
      }
      node = next;
      void guarded('cannot tell the runtime its pod range', podCidr);
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
