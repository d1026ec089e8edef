import type { Clock, Timer } from '../base/clock.ts';

/**
 * Keys waiting to be worked on (client-go's util/workqueue): a key waits at most once; one that comes back while it is worked on waits
 * until that is done; failures come back later and later.
 */
export interface WorkQueue {
  add(key: string): void;
  /** Adds after `ms` milliseconds; an earlier wait of the same key is kept. */
  addAfter(key: string, ms: number): void;
  /** Adds after the key's back-off: 5 ms doubling to 1000 s. */
  addRateLimited(key: string): void;
  /** Ends the key's back-off. */
  forget(key: string): void;
  /** How often the key has failed since `forget`. */
  failures(key: string): number;
  /** The next key, or undefined once the queue is stopped. The caller owns it until `done`. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  stop(): void;
  readonly depth: number;
  /** Nothing waits and nothing is being worked on (timed keys aside). */
  readonly idle: boolean;
}

const firstDelay = 5;
const maxDelay = 1_000_000;

export function createWorkQueue(clock: Clock): WorkQueue {
  /** In order of arrival; a Set so that a key is there once. */
  const waiting = new Set<string>();
  const working = new Set<string>();
  const again = new Set<string>();
  const timed = new Map<string, { readonly at: number; readonly timer: Timer }>();
  const failed = new Map<string, number>();
  let takers: ((key: string | undefined) => void)[] = [];
  let stopped = false;

  const start = (key: string): string => {
    waiting.delete(key);
    working.add(key);
    return key;
  };
  const add = (key: string): void => {
    if (stopped) return;
    if (working.has(key)) {
      again.add(key);
      return;
    }
    waiting.add(key);
    const taker = takers.shift();
    if (taker) taker(start(key));
  };
  const addAfter = (key: string, ms: number): void => {
    if (stopped) return;
    if (ms <= 0) {
      add(key);
      return;
    }
    const at = clock.monotonic() + ms;
    const known = timed.get(key);
    if (known && known.at <= at) return;
    known?.timer.cancel();
    const timer = clock.after(
      ms,
      () => {
        timed.delete(key);
        add(key);
      },
      { background: true },
    );
    timed.set(key, { at, timer });
  };
  return {
    add,
    addAfter,
    addRateLimited(key) {
      const failures = failed.get(key) ?? 0;
      failed.set(key, failures + 1);
      addAfter(key, Math.min(firstDelay * 2 ** Math.min(failures, 30), maxDelay));
    },
    forget: (key) => void failed.delete(key),
    failures: (key) => failed.get(key) ?? 0,
    take() {
      if (stopped) return Promise.resolve(undefined);
      for (const key of waiting) return Promise.resolve(start(key));
      return new Promise((resolve) => {
        takers.push(resolve);
      });
    },
    done(key) {
      working.delete(key);
      if (again.delete(key)) add(key);
    },
    stop() {
      stopped = true;
      for (const { timer } of timed.values()) timer.cancel();
      timed.clear();
      waiting.clear();
      const left = takers;
      takers = [];
      for (const taker of left) taker(undefined);
    },
    get depth() {
      return waiting.size;
    },
    get idle() {
      return waiting.size === 0 && working.size === 0;
    },
  };
}
