import { events as eventResource } from '../api/generated/resources.ts';
import type { CoreV1Event, V1ObjectReference } from '../api/generated/types.ts';
import type { KubeObject } from '../api/resource.ts';
import { hasReason, StatusError } from '../api/status.ts';
import { boundedQueue } from '../base/bounded-queue.ts';
import { type Clock, rfc3339, sleep } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from './client.ts';
import { type Correlated, createCorrelator } from './event-correlator.ts';
import type { EventRecorder } from './event-recorder.ts';

/** Events waiting to be sent; more are dropped with a log line, as client-go's broadcaster does. */
const queueLimit = 1000;
/** Tries for one event where the server cannot be reached, and the wait between them (milliseconds). */
const maxTries = 12;
const retryEvery = 10_000;

/**
 * A recorder that writes core/v1 Events with `client` as `component` (on `host`, for node agents). Counts repeats, aggregates
 * similar events and limits floods as client-go's correlator does. Sending happens in the background, one at a time.
 */
export function createRecorder(options: {
  readonly client: Client;
  readonly component: string;
  readonly host?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Ends the wait between tries. */
  readonly signal?: AbortSignal;
}): EventRecorder {
  const { client, component, clock, random, log, signal } = options;
  const correlator = createCorrelator(clock);
  const queue = boundedQueue<CoreV1Event>(queueLimit);
  let pending = 0;
  let idle: (() => void)[] = [];
  let dropped = 0;
  let serial = Math.floor(random.next() * 1_000_000);
  let pumping = false;

  const send = async (correlated: Correlated): Promise<void> => {
    for (let tries = 1; ; tries++) {
      try {
        await write(client, correlated, correlator.observed, signal);
        return;
      } catch (error) {
        if (error instanceof StatusError) {
          const quiet = hasReason(error, 'AlreadyExists') || isNamespaceGone(error);
          log[quiet ? 'debug' : 'warn']('the server rejected an event, it will not be sent again', {
            event: correlated.event.metadata.name,
            error,
          });
          return;
        }
        if (tries >= maxTries) {
          log.error('an event could not be sent, giving it up', { event: correlated.event.metadata.name, error });
          return;
        }
        try {
          // The first wait is a random part of the whole, so that many recorders do not come back at once.
          await sleep(clock, tries === 1 ? retryEvery * random.next() : retryEvery, signal);
        } catch {
          log.debug('stopped before an event was sent', { event: correlated.event.metadata.name });
          return;
        }
      }
    }
  };
  const pump = async (): Promise<void> => {
    for await (const event of queue) {
      const correlated = correlator.correlate(event);
      if (correlated) await send(correlated);
      pending--;
      if (pending === 0) {
        const waiting = idle;
        idle = [];
        for (const resolve of waiting) resolve();
      }
    }
  };
  return {
    event(object, type, reason, message, extra) {
      const now = clock.now();
      serial = (serial + 1) % 1_000_000;
      const event = makeEvent({
        about: referenceTo(object, extra?.fieldPath),
        type,
        reason,
        message,
        component,
        now,
        // Nanoseconds since the epoch, as client-go names events; a counter stands for what the clock cannot tell apart.
        suffix: (BigInt(Math.floor(now)) * 1_000_000n + BigInt(serial)).toString(16).padStart(16, '0'),
        ...(options.host !== undefined && { host: options.host }),
        ...(extra?.annotations && { annotations: extra.annotations }),
        ...(extra?.related && { related: referenceTo(extra.related) }),
        ...(extra?.action && { action: extra.action }),
      });
      if (!queue.push(event)) {
        if (dropped++ % 1000 === 0) log.warn('too many events are waiting; dropping some', { dropped, reason });
        return;
      }
      pending++;
      if (!pumping) {
        pumping = true;
        void pump();
      }
    },
    flush() {
      if (pending === 0) return Promise.resolve();
      return new Promise((resolve) => {
        idle.push(resolve);
      });
    },
  };
}

const isNamespaceGone = (error: StatusError): boolean =>
  error.reason === 'NotFound' ||
  (error.code === 403 && (error.status.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating'));

/** Patches the event seen before, or creates a new one. */
async function write(
  client: Client,
  { event, patch, key }: Correlated,
  observed: (key: string, event: CoreV1Event) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const namespace = event.metadata.namespace ?? 'default';
  const options = { namespace, ...(signal && { signal }) };
  if (patch) {
    try {
      const stored = await client.patch(eventResource, event.metadata.name ?? '', patch, {
        ...options,
        type: 'application/strategic-merge-patch+json',
      });
      observed(key, stored);
      return;
    } catch (error) {
      // The event may have expired in the meantime: then it starts anew.
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
  observed(key, await client.create(eventResource, event, options));
}

function makeEvent(it: {
  readonly about: V1ObjectReference;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly component: string;
  readonly host?: string;
  readonly now: number;
  readonly suffix: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly related?: V1ObjectReference;
  readonly action?: string;
}): CoreV1Event {
  const time = rfc3339(it.now);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${it.about.name}.${it.suffix}`,
      namespace: it.about.namespace ?? 'default',
      ...(it.annotations && { annotations: it.annotations }),
    },
    involvedObject: it.about,
    reason: it.reason,
    message: it.message,
    type: it.type,
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component: it.component, ...(it.host && { host: it.host }) },
    reportingComponent: it.component,
    reportingInstance: it.host ?? '',
    ...(it.related && { related: it.related }),
    ...(it.action && { action: it.action }),
  };
}

/** An ObjectReference to an object, as client-go's `reference.GetReference`. */
export function referenceTo(object: KubeObject, fieldPath?: string): V1ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata ?? {};
  return {
    ...(object.kind && { kind: object.kind }),
    ...(namespace && { namespace }),
    ...(name && { name }),
    ...(uid && { uid }),
    ...(object.apiVersion && { apiVersion: object.apiVersion }),
    ...(resourceVersion && { resourceVersion }),
    ...(fieldPath && { fieldPath }),
  };
}
