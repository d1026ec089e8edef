import type { Clock, Timer } from './clock.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves time on by `ms`, firing due timers in order of time, then of creation. Between timers the microtask and
   * macrotask queues are drained, so that promises awaiting a timer go on before the next one fires.
   */
  advance(ms: number): Promise<void>;
  /** How many timers are waiting. */
  pending(): number;
  /** Epoch milliseconds of the next timer, or undefined. */
  nextAt(): number | undefined;
}

/** A virtual clock that starts at `start` (epoch milliseconds). */
export function virtualClock(start = Date.UTC(2026, 0, 1)): VirtualClock {
  let now = start;
  let order = 0;
  const timers = new Set<Pending>();
  const drain = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const next = (): Pending | undefined => {
    let first: Pending | undefined;
    for (const timer of timers) {
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  };
  return {
    now: () => now,
    monotonic: () => now - start,
    after(ms, callback): Timer {
      const timer = { at: now + Math.max(0, ms), order: order++, callback };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    async advance(ms) {
      const until = now + ms;
      await drain();
      for (let timer = next(); timer && timer.at <= until; timer = next()) {
        timers.delete(timer);
        now = timer.at;
        timer.callback();
        await drain();
      }
      now = until;
    },
    pending: () => timers.size,
    nextAt: () => next()?.at,
  };
}
