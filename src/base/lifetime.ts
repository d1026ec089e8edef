import { setMaxListeners } from 'node:events';

/** The span in which something runs: work is tied to its signal, clean-up to its end. */
export interface Lifetime {
  readonly signal: AbortSignal;
  /** Registers clean-up, run in reverse order when the lifetime ends; at once if it already has. */
  defer(cleanup: () => void | Promise<void>): void;
  /** A lifetime that ends with this one, or earlier by itself. */
  child(): Lifetime;
  /** Aborts the signal, then runs the clean-ups. Idempotent: later calls get the same promise. */
  end(): Promise<void>;
}

/** Starts a lifetime. Errors of clean-ups go to `onError`; all clean-ups run regardless. */
export function startLifetime(onError: (error: unknown) => void): Lifetime {
  const controller = new AbortController();
  // Everything that runs in a lifetime listens to its end; many listeners are no leak here.
  setMaxListeners(0, controller.signal);
  const cleanups: (() => void | Promise<void>)[] = [];
  let ended: Promise<void> | undefined;
  const run = async (cleanup: () => void | Promise<void>): Promise<void> => {
    try {
      await cleanup();
    } catch (error) {
      onError(error);
    }
  };
  const lifetime: Lifetime = {
    signal: controller.signal,
    defer(cleanup) {
      if (ended) void run(cleanup);
      else cleanups.push(cleanup);
    },
    child() {
      const child = startLifetime(onError);
      lifetime.defer(() => child.end());
      return child;
    },
    end() {
      ended ??= (async () => {
        controller.abort(new Error('the lifetime has ended'));
        for (const cleanup of cleanups.reverse()) await run(cleanup);
      })();
      return ended;
    },
  };
  return lifetime;
}
