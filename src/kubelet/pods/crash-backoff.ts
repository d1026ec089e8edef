import type { Clock } from '../../base/clock.ts';

/** Delays between restarts of a container, counted from when it ended. Upstream: flowcontrol.Backoff (10 s doubling to 300 s). */
export interface CrashBackoff {
  /** The delay in force if less than it has passed since `endedAt`; undefined = start it. */
  waiting(key: string, endedAt: number): number | undefined;
  /** Counts a restart of a container that ended at `endedAt`. */
  next(key: string, endedAt: number): void;
  forget(prefix: string): void;
}

export function crashBackoff(clock: Clock, options = { initial: 10_000, max: 300_000 }): CrashBackoff {
  const entries = new Map<string, { delay: number; at: number }>();
  const quiet = (entry: { at: number }, endedAt: number): boolean => endedAt - entry.at > options.max * 2;
  return {
    waiting(key, endedAt) {
      const entry = entries.get(key);
      if (!entry || quiet(entry, endedAt)) return undefined;
      return clock.now() - endedAt < entry.delay ? entry.delay : undefined;
    },
    next(key, endedAt) {
      const entry = entries.get(key);
      const delay = !entry || quiet(entry, endedAt) ? options.initial : Math.min(entry.delay * 2, options.max);
      entries.set(key, { delay, at: clock.now() });
    },
    forget(prefix) {
      for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
    },
  };
}
