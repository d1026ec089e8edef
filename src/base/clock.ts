/** A started timer. Cancelling one that fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** The only source of time. Inject it; nothing outside base/ may read the machine's clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch, wall time. */
  now(): number;
  /** Milliseconds from an arbitrary origin, never going back. For durations. */
  monotonic(): number;
  /** Calls `callback` once after `ms` milliseconds. System timers do not keep the process alive when `background`. */
  after(ms: number, callback: () => void, options?: { readonly background?: boolean }): Timer;
}

/** Node caps a timer at 2^31-1 ms; longer waits are taken in steps. */
const longest = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback, options) {
    let handle: NodeJS.Timeout;
    const arm = (left: number): void => {
      const step = Math.min(Math.max(0, left), longest);
      handle = setTimeout(() => (left > step ? arm(left - step) : callback()), step);
      if (options?.background) handle.unref();
    };
    arm(ms);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls `callback` every `ms` milliseconds until cancelled; the next wait starts when the callback has settled. */
export function every(
  clock: Clock,
  ms: number,
  callback: () => void | Promise<void>,
  onError: (error: unknown) => void,
): Timer {
  let stopped = false;
  let timer: Timer | undefined;
  const arm = (): void => {
    if (!stopped)
      timer = clock.after(ms, () => void Promise.resolve().then(callback).catch(onError).then(arm), {
        background: true,
      });
  };
  arm();
  return {
    cancel() {
      stopped = true;
      timer?.cancel();
    },
  };
}

let lastSecond = Number.NaN;
let lastText = '';

/** RFC 3339 with seconds, as Kubernetes writes `metav1.Time`. Remembers the last one, since many objects share a second. */
export function rfc3339(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(ms).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}

/** RFC 3339 with six decimals, as Kubernetes writes `metav1.MicroTime`. */
export function rfc3339Micro(ms: number): string {
  const micros = Math.floor((ms % 1) * 1000);
  return `${new Date(ms).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}
