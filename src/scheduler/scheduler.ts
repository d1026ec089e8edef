import { equalJson } from '../api/draft.ts';
import { nodes, pods } from '../api/generated/resources.ts';
import type { V1Binding, V1Node, V1Pod } from '../api/generated/types.ts';
import { hasReason } from '../api/status.ts';
import type { SpanSink } from '../api/trace.ts';
import type { Clock } from '../base/clock.ts';
import type { Lifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { InformerSet } from '../client/informer.ts';
import { schedulerCache } from './cache.ts';
import { type CycleResult, schedulePod } from './cycle.ts';
import { fitMessage, noNodes, truncateNote } from './diagnosis.ts';
import { liveWorld } from './live-world.ts';
import { nodeChanges } from './node-changes.ts';
import { nominator } from './nominator.ts';
import { volumeState } from './plugins/volume-binding.ts';
import { type PodInfo, podInfoOf } from './pod-info.ts';
import { patchPodStatus } from './pod-status.ts';
import { type Preemption, planPreemption } from './preemption.ts';
import { defaultProfile } from './profile.ts';
import { type QueuedPod, type QueueSizes, schedulingQueue } from './queue.ts';
import { assumeVolumes, bindVolumes } from './volume-binder.ts';
import type { VolumePlan } from './volumes.ts';

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: InformerSet;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly spans: SpanSink;
  readonly lifetime: Lifetime;
  /** Whose pods it places (spec.schedulerName). */
  readonly schedulerNames?: readonly string[];
}

export interface Scheduler {
  /** Resolves when it knows the cluster and has begun. */
  readonly started: Promise<void>;
  readonly sizes: QueueSizes;
}

/** Cycles done before other work gets its turn. */
const burst = 16;
/** Bindings under way at a time; the next cycle waits for one of them. */
const maxBindings = 128;
const component = 'default-scheduler';

const finished = (pod: V1Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Starts scheduling until the lifetime ends. Pure decisions are in cycle.ts and preemption.ts; here they are carried out. */
export function startScheduler(options: SchedulerOptions): Scheduler {
  const { client, informers, events, clock, random, log, spans, lifetime } = options;
  const names = new Set(options.schedulerNames ?? ['default-scheduler']);
  const world = liveWorld(informers);
  const cache = schedulerCache(world);
  const nominations = nominator();
  const podInformer = informers.informer(pods);
  const nodeInformer = informers.informer(nodes);
  let running = false;
  let begun = false;
  let binding = 0;
  let nextStart = 0;
  const wake = (): void => {
    if (running || !begun || lifetime.signal.aborted) return;
    running = true;
    setImmediate(run);
  };
  const queue = schedulingQueue({ clock, plugins: defaultProfile.plugins, ready: wake });
  const mine = (pod: V1Pod): boolean => names.has(pod.spec?.schedulerName ?? 'default-scheduler');

  function run(): void {
    running = false;
    for (let i = 0; i < burst; i++) {
      if (lifetime.signal.aborted || binding >= maxBindings) return;
      const entry = queue.pop();
      if (!entry) return;
      try {
        attempt(entry);
      } catch (error) {
        log.error('a scheduling cycle broke', { pod: podInfoOf(entry.pod).key, error });
        broke(entry, error);
      }
    }
    wake();
  }

  function attempt(entry: QueuedPod): void {
    const { pod } = entry;
    const info = podInfoOf(pod);
    if (pod.metadata?.deletionTimestamp) {
      queue.remove(entry.uid);
      events.event(pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${info.key}`, {
        action: 'Scheduling',
      });
      return;
    }
    if (cache.isAssumed(entry.uid)) return;
    const started = clock.now();
    const { length } = cache.nodes;
    if (length === 0) {
      refuse(entry, noNodes, new Set(), '');
      return;
    }
    const result = schedulePod(cache, info, defaultProfile, { random, start: nextStart % length, nominations });
    nextStart = result.nextStart;
    const { outcome } = result;
    const span = (what: string, error?: string): void =>
      spans.record({
        step: 'scheduler',
        what,
        component: 'kube-scheduler',
        subject: subjectOf(pod),
        start: started,
        end: clock.now(),
        attributes: { attempt: entry.attempts, nodes: length },
        ...(error !== undefined && { error }),
      });
    if ('diagnosis' in outcome) {
      unfit(entry, result, span);
      return;
    }
    span(`chose ${outcome.node.name}: ${outcome.feasible} of ${outcome.evaluated} nodes fit`);
    cache.assume(info, outcome.node.name);
    nominations.remove(info.uid);
    const plan = result.cycle.state.read(volumeState)?.plans.get(outcome.node.name);
    const undo = plan && assumeVolumes(plan, outcome.node.name, world);
    binding++;
    void bind(entry, info, outcome.node.node, outcome.node.name, plan, undo).finally(() => {
      binding--;
      wake();
    });
  }

  async function bind(
    entry: QueuedPod,
    info: PodInfo,
    node: V1Node | undefined,
    name: string,
    plan: VolumePlan | undefined,
    undo: (() => void) | undefined,
  ): Promise<void> {
    const { pod } = entry;
    const start = clock.now();
    try {
      if (plan) await bindVolumes(plan, name, { client, world, clock, signal: lifetime.signal });
      const body: V1Binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: {
          name: pod.metadata?.name ?? '',
          namespace: info.namespace,
          uid: info.uid,
        },
        target: { kind: 'Node', name },
      };
      await client.createSubresource(pods, pod.metadata?.name ?? '', 'binding', body, {
        namespace: info.namespace,
        reads: [
          {
            resource: 'pods',
            namespace: info.namespace,
            name: body.metadata?.name ?? '',
            resourceVersion: pod.metadata?.resourceVersion ?? '',
          },
          { resource: 'nodes', name, resourceVersion: node?.metadata?.resourceVersion ?? '' },
        ],
      });
      queue.remove(entry.uid);
      spans.record({
        step: 'binding',
        what: `bind to ${name}`,
        component: 'kube-scheduler',
        subject: subjectOf(pod),
        start,
        end: clock.now(),
      });
      events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${info.key} to ${name}`, { action: 'Binding' });
    } catch (error) {
      undo?.();
      cache.forget(entry.uid);
      // What the assumed pod held is free again.
      queue.changed('AssignedPod/Delete', { old: pod });
      if (lifetime.signal.aborted) return;
      spans.record({
        step: 'binding',
        what: `bind to ${name}`,
        component: 'kube-scheduler',
        subject: subjectOf(pod),
        start,
        end: clock.now(),
        error: messageOf(error),
      });
      broke(entry, hasReason(error, 'NotFound') && !podInformer.get(info.key) ? undefined : error);
    }
  }

  /** The cycle failed for a reason other than the cluster's state. */
  function broke(entry: QueuedPod, error: unknown): void {
    const current = podInformer.get(podInfoOf(entry.pod).key);
    if (!current || current.metadata.uid !== entry.uid || current.spec?.nodeName) {
      queue.remove(entry.uid);
      return;
    }
    queue.failed(entry);
    if (error === undefined) return;
    report(current, 'SchedulerError', messageOf(error), '');
  }

  function unfit(entry: QueuedPod, result: CycleResult, span: (what: string, error?: string) => void): void {
    if (!('diagnosis' in result.outcome)) return;
    const { diagnosis } = result.outcome;
    const plan = planPreemption(result, diagnosis, nominations, random);
    const preempt = 'preempt' in plan ? plan.preempt : undefined;
    const message = fitMessage(diagnosis, 'message' in plan ? plan.message : '');
    span('no node fits', message);
    const nomination = preempt ? preempt.node : 'message' in plan && plan.keepNomination ? undefined : '';
    refuse(entry, message, diagnosis.plugins, nomination);
    if (preempt) void evict(entry.pod, preempt);
  }

  function refuse(
    entry: QueuedPod,
    message: string,
    plugins: ReadonlySet<string>,
    nomination: string | undefined,
  ): void {
    queue.refused(entry, plugins);
    if (nomination === '') nominations.remove(entry.uid);
    else if (nomination !== undefined) nominations.set(entry.pod, nomination);
    report(entry.pod, 'Unschedulable', message, nomination);
  }

  function report(pod: V1Pod, reason: string, message: string, nomination: string | undefined): void {
    events.event(pod, 'Warning', 'FailedScheduling', truncateNote(message), { action: 'Scheduling' });
    patchPodStatus(client, clock, pod, { type: 'PodScheduled', status: 'False', reason, message }, nomination).catch(
      (error: unknown) => log.warn('the status of a pod could not be written', { pod: podInfoOf(pod).key, error }),
    );
  }

  async function evict(preemptor: V1Pod, { node, victims }: Preemption): Promise<void> {
    const start = clock.now();
    // Lower pods that were promised the node must look for another.
    for (const rival of nominations.on(node)) {
      if (rival.priority >= (preemptor.spec?.priority ?? 0) || rival.uid === preemptor.metadata?.uid) continue;
      nominations.remove(rival.uid);
      queue.activate(rival.uid);
    }
    for (const { pod: victim, key } of victims) {
      try {
        await patchPodStatus(client, clock, victim, {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'PreemptionByScheduler',
          message: `${preemptor.spec?.schedulerName ?? component}: preempting to accommodate a higher priority pod`,
        });
        await client.delete(pods, victim.metadata?.name ?? '', {
          namespace: victim.metadata?.namespace ?? '',
          ...(victim.metadata?.uid && { preconditions: { uid: victim.metadata.uid } }),
        });
        events.event(victim, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata?.uid} on node ${node}`, {
          related: preemptor,
          action: 'Preempting',
        });
      } catch (error) {
        if (hasReason(error, 'NotFound')) continue;
        log.warn('a pod could not be preempted', { victim: key, error });
        queue.activate(preemptor.metadata?.uid ?? '');
      }
    }
    spans.record({
      step: 'scheduler',
      what: `preempt ${victims.length} pods on ${node}`,
      component: 'kube-scheduler',
      subject: subjectOf(preemptor),
      start,
      end: clock.now(),
    });
  }

  function podArrived(pod: V1Pod): void {
    if (finished(pod)) return;
    if (pod.spec?.nodeName) {
      cache.setPod(podInfoOf(pod));
      queue.changed('AssignedPod/Add', { next: pod });
    } else if (mine(pod)) {
      if (pod.status?.nominatedNodeName) nominations.set(pod, pod.status.nominatedNodeName);
      queue.add(pod);
    }
  }
  function podLeft(pod: V1Pod): void {
    const uid = pod.metadata?.uid ?? '';
    nominations.remove(uid);
    queue.remove(uid);
    const assumed = cache.isAssumed(uid);
    cache.removePod(uid);
    if (pod.spec?.nodeName || assumed) queue.changed('AssignedPod/Delete', { old: pod });
  }
  function podChanged(next: V1Pod, old: V1Pod): void {
    const uid = next.metadata?.uid ?? '';
    if (uid !== old.metadata?.uid) {
      podLeft(old);
      podArrived(next);
      return;
    }
    if (finished(next)) {
      if (!finished(old)) podLeft(old);
      return;
    }
    if (!next.spec?.nodeName) {
      if (!mine(next)) return;
      if (next.status?.nominatedNodeName) nominations.set(next, next.status.nominatedNodeName);
      queue.update(next, old, !sameButStatus(next, old));
      return;
    }
    if (!old.spec?.nodeName) {
      queue.remove(uid);
      nominations.remove(uid);
    }
    const [before, after] = [podInfoOf(old), podInfoOf(next)];
    cache.setPod(after);
    if (!old.spec?.nodeName) queue.changed('AssignedPod/Add', { next });
    else {
      if (!equalJson(before.labels, after.labels)) queue.changed('AssignedPod/UpdateLabel', { old, next });
      if (after.requests.milliCpu < before.requests.milliCpu || after.requests.memory < before.requests.memory) {
        queue.changed('AssignedPod/ScaleDown', { old, next });
      }
    }
  }

  const stops = [
    nodeInformer.subscribe({
      add(next) {
        cache.setNode(next);
        queue.changed('Node/Add', { next });
      },
      update(next, old) {
        cache.setNode(next);
        for (const kind of nodeChanges(old, next)) queue.changed(kind, { old, next });
      },
      remove(old) {
        cache.removeNode(old.metadata.name);
        queue.changed('Node/Delete', { old });
      },
    }),
    podInformer.subscribe({ add: podArrived, update: podChanged, remove: podLeft }),
    world.watch((kind, change) => queue.changed(kind, change)),
  ];
  lifetime.defer(() => {
    for (const stop of stops) stop();
    queue.close();
  });
  const started = Promise.all([nodeInformer.whenSynced(), podInformer.whenSynced(), world.whenSynced()]).then(() => {
    begun = true;
    log.info('scheduler started', { nodes: cache.nodes.length });
    wake();
  });
  started.catch((error: unknown) => {
    if (!lifetime.signal.aborted) log.error('the scheduler could not start', { error });
  });
  return {
    started,
    get sizes() {
      return queue.sizes;
    },
  };
}

const subjectOf = (
  pod: V1Pod,
): { readonly resource: string; readonly namespace: string; readonly name: string; readonly uid: string } => ({
  resource: 'pods',
  namespace: pod.metadata?.namespace ?? '',
  name: pod.metadata?.name ?? '',
  uid: pod.metadata?.uid ?? '',
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** True when only status and bookkeeping differ: the scheduler's own writes must not wake the pod. */
const sameButStatus = (a: V1Pod, b: V1Pod): boolean =>
  equalJson(a.spec, b.spec) &&
  equalJson(a.metadata?.labels, b.metadata?.labels) &&
  equalJson(a.metadata?.annotations, b.metadata?.annotations) &&
  a.metadata?.deletionTimestamp === b.metadata?.deletionTimestamp;
