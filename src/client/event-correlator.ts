import type { CoreV1Event } from '../api/generated/types.ts';
import { type Clock, rfc3339 } from '../base/clock.ts';

/** What to send for an event: a new object, or a patch of the one that was sent before. */
export interface Correlated {
  readonly key: string;
  readonly event: CoreV1Event;
  readonly patch?: Readonly<Record<string, unknown>>;
}

export interface Correlator {
  /** Undefined: the event is dropped as spam. */
  correlate(event: CoreV1Event): Correlated | undefined;
  /** Records what the server stored for a key, so that the next repeat is counted on it. */
  observed: (key: string, stored: CoreV1Event) => void;
}

// client-go, tools/record/events_cache.go.
const cacheSize = 4096;
const aggregateAfter = 10;
const aggregateWithinMs = 600_000;
const burst = 25;
const refillPerMs = 1 / 300_000;

/** client-go's correlator: spam filter, aggregation of similar events, counting of equal ones. */
export function createCorrelator(clock: Clock): Correlator {
  const buckets = lru<{ tokens: number; at: number }>(cacheSize);
  const groups = lru<{ at: number; readonly messages: Set<string> }>(cacheSize);
  const seen = lru<{ count: number; name: string; firstTimestamp: string }>(cacheSize);

  const isSpam = (event: CoreV1Event): boolean => {
    const key = joined(event.source?.component, event.source?.host, subject(event));
    const now = clock.now();
    const bucket = buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) * refillPerMs);
    bucket.at = now;
    buckets.set(key, bucket);
    if (bucket.tokens < 1) return true;
    bucket.tokens -= 1;
    return false;
  };
  const aggregate = (event: CoreV1Event): { event: CoreV1Event; key: string } => {
    const groupKey = joined(
      event.source?.component,
      event.source?.host,
      subject(event),
      event.type,
      event.reason,
      event.reportingComponent,
      event.reportingInstance,
    );
    const now = clock.now();
    let group = groups.get(groupKey);
    if (!group || now - group.at > aggregateWithinMs) group = { at: now, messages: new Set() };
    group.messages.add(event.message ?? '');
    group.at = now;
    groups.set(groupKey, group);
    if (group.messages.size < aggregateAfter) return { event, key: eventKey(event) };
    // Keeps the set small: only that there are many matters.
    const first = group.messages.values().next().value;
    if (first !== undefined) group.messages.delete(first);
    const time = rfc3339(now);
    return {
      key: groupKey,
      event: {
        ...event,
        message: `(combined from similar events): ${event.message}`,
        count: 1,
        firstTimestamp: time,
        lastTimestamp: time,
      },
    };
  };
  return {
    correlate(event) {
      const { event: chosen, key } = aggregate(event);
      const last = seen.get(key);
      const next: CoreV1Event = last
        ? {
            ...chosen,
            metadata: { ...chosen.metadata, name: last.name },
            firstTimestamp: last.firstTimestamp,
            count: last.count + 1,
          }
        : chosen;
      seen.set(key, {
        count: next.count ?? 1,
        name: next.metadata.name ?? '',
        firstTimestamp: next.firstTimestamp ?? '',
      });
      if (isSpam(chosen)) return undefined;
      if (!last) return { key, event: next };
      const patch = {
        count: next.count,
        lastTimestamp: next.lastTimestamp,
        message: next.message,
        ...(next.metadata.annotations && { metadata: { annotations: next.metadata.annotations } }),
      };
      return { key, event: next, patch };
    },
    observed(key, stored) {
      seen.set(key, {
        count: stored.count ?? 1,
        name: stored.metadata.name ?? '',
        firstTimestamp: stored.firstTimestamp ?? '',
      });
    },
  };
}

const joined = (...parts: readonly (string | undefined)[]): string => parts.map((part) => part ?? '').join('\u0000');

const subject = ({ involvedObject: it }: CoreV1Event): string =>
  joined(it.kind, it.namespace, it.name, it.uid, it.apiVersion);

const eventKey = (event: CoreV1Event): string =>
  joined(
    event.source?.component,
    event.source?.host,
    subject(event),
    event.involvedObject.fieldPath,
    event.type,
    event.reason,
    event.message,
  );

/** The most recently used `limit` entries. */
function lru<V>(limit: number): { get(key: string): V | undefined; set(key: string, value: V): void } {
  const entries = new Map<string, V>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value !== undefined) {
        entries.delete(key);
        entries.set(key, value);
      }
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > limit) {
        const oldest = entries.keys().next().value;
        if (oldest !== undefined) entries.delete(oldest);
      }
    },
  };
}
