import type { Resource } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import type { SpanSink } from '../api/trace.ts';
import type { Clock } from '../base/clock.ts';
import type { Lifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { InformerSet } from '../client/informer.ts';
import { createRecorder } from '../client/recorder.ts';
import { createCatchUp } from './catch-up.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { track } from './tracked.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

export interface EngineOptions {
  /** A client with the identity `system:serviceaccount:kube-system:<name>`. */
  clientFor(name: string): Client;
  /** Shared by all controllers, with an identity that may read everything they watch. */
  readonly informers: InformerSet;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly spans: SpanSink;
  /** Default: a recorder over the controller's own client. */
  recorderFor?(name: string, client: Client): EventRecorder;
}

export interface ControllerCounters {
  readonly name: string;
  readonly reconciles: number;
  readonly errors: number;
  readonly conflicts: number;
  readonly depth: number;
  /** Milliseconds spent in reconciles. */
  readonly busy: number;
}

export interface RunningControllers {
  /** Resolves when every controller has its copies and has begun; rejects when the lifetime ends first. */
  readonly started: Promise<void>;
  counters(): readonly ControllerCounters[];
  /** No key of any controller waits or is worked on, keys that wait for a time aside. */
  readonly idle: boolean;
}

const defaultWorkers = 5;

/**
 * Runs controllers until the lifetime ends. Each has a work queue of its own; a key is never worked on twice at a time, and comes
 * back after a failure with back-off. After a reconcile has written, its key waits until the informers show the writes, so that no
 * reconcile ever decides on a copy older than its own deeds (what upstream reaches with expectations).
 */
export function runControllers(
  controllers: readonly Controller[],
  options: EngineOptions,
  lifetime: Lifetime,
): RunningControllers {
  const running = controllers.map((controller) => start(controller, options, lifetime));
  const started = Promise.all(running.map((it) => it.started)).then(() => undefined);
  started.catch(() => undefined);
  return {
    started,
    counters: () => running.map((it) => it.counters()),
    get idle() {
      return running.every((it) => it.queue.idle);
    },
  };
}

function start(controller: Controller, options: EngineOptions, lifetime: Lifetime) {
  const { clock, random, spans, informers } = options;
  const log = options.log.with({ controller: controller.name });
  const client = options.clientFor(controller.name);
  const events =
    options.recorderFor?.(controller.name, client) ??
    createRecorder({
      client,
      component: controller.eventSource ?? controller.name,
      clock,
      random,
      log,
      signal: lifetime.signal,
    });
  const queue = createWorkQueue(clock);
  const context: ControllerContext = {
    client,
    informers,
    events,
    clock,
    random,
    log,
    spans,
    signal: lifetime.signal,
    enqueue: (key, ms = 0) => queue.addAfter(key, ms),
  };
  const catchUp = createCatchUp(
    informers,
    controller.watches.map((it) => it.resource),
    clock,
  );
  const counters = { reconciles: 0, errors: 0, conflicts: 0, busy: 0 };

  const reconcile = async (key: string): Promise<void> => {
    const tracked = track({ client, informers }, { component: controller.name, clock, spans });
    const began = clock.monotonic();
    counters.reconciles++;
    try {
      const outcome = await controller.reconcile(key, {
        ...context,
        client: tracked.client,
        informers: tracked.informers,
      });
      queue.forget(key);
      if (outcome?.again !== undefined) queue.addAfter(key, outcome.again);
    } catch (error) {
      if (lifetime.signal.aborted) return;
      fail(queue, key, error, counters, log);
    } finally {
      counters.busy += clock.monotonic() - began;
      if (tracked.writes.length === 0) queue.done(key);
      else void catchUp.until(tracked.writes).then(() => queue.done(key));
    }
  };
  const work = async (): Promise<void> => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) await reconcile(key);
  };
  const begin = async (): Promise<void> => {
    await Promise.all(controller.watches.map((it) => informers.informer(it.resource).whenSynced()));
    await controller.start?.(context);
    if (lifetime.signal.aborted) return;
    for (const unsubscribe of subscribe(controller, context, queue)) lifetime.defer(unsubscribe);
    lifetime.defer(catchUp.start());
    for (let i = 0; i < (controller.workers ?? defaultWorkers); i++) void work();
  };
  lifetime.defer(() => queue.stop());
  return {
    started: begin(),
    queue,
    counters: (): ControllerCounters => ({ name: controller.name, depth: queue.depth, ...counters }),
  };
}

function subscribe(controller: Controller, context: ControllerContext, queue: WorkQueue): readonly (() => void)[] {
  return controller.watches.map((watch) =>
    context.informers.informer(watch.resource as Resource).subscribe({
      add(object) {
        for (const key of watch.keys(object, { gone: false }, context)) queue.add(key);
      },
      update(object, old) {
        for (const key of watch.keys(object, { old, gone: false }, context)) queue.add(key);
      },
      remove(object) {
        for (const key of watch.keys(object, { gone: true }, context)) queue.add(key);
      },
    }),
  );
}

/** Conflicts and vanishing objects are everyday: only other errors are told, once for each key until it succeeds. */
function fail(
  queue: WorkQueue,
  key: string,
  error: unknown,
  counters: { errors: number; conflicts: number },
  log: Logger,
): void {
  const everyday = hasReason(error, 'Conflict') || hasReason(error, 'AlreadyExists') || hasReason(error, 'NotFound');
  if (everyday) counters.conflicts++;
  else counters.errors++;
  const level = everyday || queue.failures(key) > 0 ? 'debug' : 'warn';
  log[level]('a reconcile failed and will be tried again', {
    key,
    error,
    ...(error instanceof TypeError && { stack: error.stack }),
  });
  queue.addRateLimited(key);
}
