import type { Clock, Timer } from '../base/clock.ts';

/** Wake-ups by key on one timer: many pods that wait for something cost one. */
export interface DueQueue {
  /** Calls `wake` at `at` (epoch milliseconds), or earlier if it was already due earlier for this key. */
  at(key: string, at: number, wake: () => void): void;
  cancel(key: string): void;
  stop(): void;
}

export function dueQueue(clock: Clock): DueQueue {
  const entries = new Map<string, { at: number; wake: () => void }>();
  let timer: Timer | undefined;
  let armedFor = Number.POSITIVE_INFINITY;
  const arm = (): void => {
    let first = Number.POSITIVE_INFINITY;
    for (const entry of entries.values()) first = Math.min(first, entry.at);
    if (first === armedFor) return;
    timer?.cancel();
    armedFor = first;
    timer =
      first === Number.POSITIVE_INFINITY ? undefined : clock.after(first - clock.now(), fire, { background: true });
  };
  const fire = (): void => {
    armedFor = Number.POSITIVE_INFINITY;
    const due: (() => void)[] = [];
    for (const [key, entry] of entries)
      if (entry.at <= clock.now()) {
        entries.delete(key);
        due.push(entry.wake);
      }
    for (const wake of due) wake();
    arm();
  };
  return {
    at(key, at, wake) {
      const known = entries.get(key);
      if (known && known.at <= at) return;
      entries.set(key, { at, wake });
      arm();
    },
    cancel(key) {
      if (entries.delete(key)) arm();
    },
    stop() {
      timer?.cancel();
      entries.clear();
    },
  };
}
