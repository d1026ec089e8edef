import type { Clock } from './clock.ts';

/** Delays that double from `initial` to `max` (milliseconds) for each key, and fall back after `resetAfter` of quiet. */
export interface Backoff {
  /** The delay now in force for the key, 0 where there is none. */
  current(key: string): number;
  /** Records a failure and returns the new delay. */
  next(key: string): number;
  /** True while the key's last failure is younger than its delay. */
  waiting(key: string): boolean;
  /** Milliseconds until `waiting` ends; 0 when it has. */
  remaining(key: string): number;
  reset(key: string): void;
}

/** A back-off over `clock`; keys quiet for `resetAfter` milliseconds (twice `max` by default) start again. */
export function exponentialBackoff(
  clock: Clock,
  options: { readonly initial: number; readonly max: number; readonly resetAfter?: number },
): Backoff {
  const resetAfter = options.resetAfter ?? options.max * 2;
  const entries = new Map<string, { delay: number; at: number }>();
  const live = (key: string): { delay: number; at: number } | undefined => {
    const entry = entries.get(key);
    if (entry && clock.now() - entry.at > resetAfter) {
      entries.delete(key);
      return undefined;
    }
    return entry;
  };
  const remaining = (key: string): number => {
    const entry = live(key);
    return entry ? Math.max(0, entry.at + entry.delay - clock.now()) : 0;
  };
  return {
    current: (key) => live(key)?.delay ?? 0,
    next(key) {
      const delay = Math.min((live(key)?.delay ?? options.initial / 2) * 2, options.max);
      entries.set(key, { delay, at: clock.now() });
      return delay;
    },
    waiting: (key) => remaining(key) > 0,
    remaining,
    reset: (key) => void entries.delete(key),
  };
}
