import type { Clock, Timer } from '../../base/clock.ts';

/** A request in progress. */
export interface Ticket {
  readonly mutating: boolean;
  /** False for requests that the limits do not hold up. */
  counted: boolean;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Called when it takes too long. */
  readonly onTimeout: () => void;
}

/** Counts requests in progress and ends those that take too long. Watches and connections leave it. */
export interface InFlight {
  /** False when there are too many of its sort already. */
  admit(ticket: Ticket): boolean;
  enter(ticket: Ticket): void;
  leave(ticket: Ticket): void;
  readonly reading: number;
  readonly mutating: number;
  close(): void;
}

/** Upstream's --max-requests-inflight, --max-mutating-requests-inflight and --request-timeout. */
export interface Limits {
  readonly reading: number;
  readonly mutating: number;
  readonly timeoutMs: number;
}

const sweepMs = 5_000;

export function inFlight(clock: Clock, limits: Limits): InFlight {
  const open = new Set<Ticket>();
  let reading = 0;
  let mutating = 0;
  let timer: Timer | undefined;
  const sweep = (): void => {
    timer = undefined;
    const oldest = clock.monotonic() - limits.timeoutMs;
    for (const ticket of open) {
      // In order of arrival: the first young one ends the search.
      if (ticket.startedAt > oldest) break;
      open.delete(ticket);
      ticket.onTimeout();
    }
    arm();
  };
  const arm = (): void => {
    if (open.size > 0) timer ??= clock.after(sweepMs, sweep, { background: true });
  };
  return {
    enter(ticket) {
      open.add(ticket);
      if (timer === undefined) arm();
    },
    admit(ticket) {
      if (ticket.mutating ? mutating >= limits.mutating : reading >= limits.reading) return false;
      ticket.counted = true;
      if (ticket.mutating) mutating += 1;
      else reading += 1;
      return true;
    },
    leave(ticket) {
      open.delete(ticket);
      if (!ticket.counted) return;
      ticket.counted = false;
      if (ticket.mutating) mutating -= 1;
      else reading -= 1;
    },
    get reading() {
      return reading;
    },
    get mutating() {
      return mutating;
    },
    close: () => timer?.cancel(),
  };
}
