import type { Clock } from '../../base/clock.ts';
import type { Change } from './change.ts';

/** The newest changes of a resource, for watches that start in the past. */
export interface History {
  add(change: Change): void;
  /** Changes after this revision, or undefined when they are no longer all here. */
  since(revision: number): readonly Change[] | undefined;
  /** Every change after this revision is here. */
  readonly from: number;
  /** Forgets all; the changes after `revision` will be added. */
  reset(revision: number): void;
}

/** Changes younger than this are kept up to `most` (upstream's eventFreshDuration). */
const freshMs = 75_000;
const least = 128;
const most = 16_384;

/** A history that starts after `revision`. */
export function changeHistory(clock: Clock, revision: number): History {
  let changes: Change[] = [];
  let times: number[] = [];
  let head = 0;
  let from = revision;
  const dropOldest = (): void => {
    from = changes[head]?.revision ?? from;
    head += 1;
    if (head > 1024 && head * 2 > changes.length) {
      changes = changes.slice(head);
      times = times.slice(head);
      head = 0;
    }
  };
  return {
    add(change) {
      const now = clock.monotonic();
      changes.push(change);
      times.push(now);
      // A few a time, so that no single write pays for all.
      for (let i = 0; i < 4 && changes.length - head > least; i++) {
        if (changes.length - head <= most && now - (times[head] ?? now) < freshMs) break;
        dropOldest();
      }
    },
    since(wanted) {
      if (wanted < from) return undefined;
      let low = head;
      let high = changes.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((changes[middle]?.revision ?? 0) <= wanted) low = middle + 1;
        else high = middle;
      }
      return changes.slice(low);
    },
    get from() {
      return from;
    },
    reset(at) {
      changes = [];
      times = [];
      head = 0;
      from = at;
    },
  };
}
