import { badRequest, expired } from '../../api/status.ts';
import { type Clock, every } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { CompactedError, type Entry, type Store } from '../../store/store.ts';

/** Which revision was the newest at a moment of the past. */
export interface Timeline {
  /**
   * The last revision known to be no later than `ms` since the epoch: what was written in the second before it may be missing. Throws Expired where that
   * has been compacted away.
   */
  revisionAt(ms: number): Promise<number>;
  stop(): void;
}

/**
 * One key whose value is the time: its past versions tell when each revision was made, on every driver and for every server alike, and
 * compaction forgets them with the rest. Outside `/registry`, so no watch of objects hears of it.
 */
const key = '/coracle/clock';
const tickMs = 1000;

const timeOf = (entry: Entry | undefined): number =>
  entry ? Number(Buffer.from(entry.value).toString()) : Number.NEGATIVE_INFINITY;

/** Writes the time down every second in which something was changed. `revision` tells the newest revision of any object. */
export function startTimeline(store: Store, clock: Clock, log: Logger, revision: () => number): Timeline {
  let marked = -1;
  const tick = async (): Promise<void> => {
    if (revision() <= marked) return;
    const value = Buffer.from(String(clock.now()));
    const result = await store.commit({ compares: [], operations: [{ type: 'put', key, value }] });
    marked = result.revision;
  };
  const timer = every(clock, tickMs, tick, (error) =>
    log.debug('the time of a revision is not written down', { error }),
  );
  return {
    async revisionAt(ms) {
      const { revision: newest, entry } = await store.get(key);
      if (ms >= clock.now()) return newest;
      if (entry && timeOf(entry) <= ms) return entry.modRevision;
      const { compactedRevision } = await store.stats();
      const at = async (wanted: number): Promise<Entry | undefined> => (await store.get(key, wanted)).entry;
      let low = Math.max(1, compactedRevision);
      let high = newest;
      try {
        if (timeOf(await at(low)) > ms || !(await at(low))) {
          const first = await firstMark(at, low, high);
          if (timeOf(first) > ms) throw new CompactedError(compactedRevision);
          low = first?.modRevision ?? low;
        }
        // Invariant: the mark at `low` is not after the moment, the one at `high` is.
        while (high - low > 1) {
          const middle = Math.floor((low + high) / 2);
          if (timeOf(await at(middle)) <= ms) low = middle;
          else high = middle;
        }
        // What was written between this mark and the next may be later than the moment.
        return (await at(low))?.modRevision ?? low;
      } catch (error) {
        if (error instanceof CompactedError)
          throw expired(`the state of ${new Date(ms).toISOString()} is not kept any more`);
        throw error;
      }
    },
    stop: () => timer.cancel(),
  };
}

/** The first mark after `low`, where there is none at `low` yet. */
async function firstMark(
  at: (revision: number) => Promise<Entry | undefined>,
  low: number,
  high: number,
): Promise<Entry | undefined> {
  let before = low;
  let after = high;
  const here = await at(low);
  if (here) return here;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (await at(middle)) after = middle;
    else before = middle;
  }
  return at(after);
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a revision, a moment (RFC 3339), or how long ago (`90s`, `5m`, `2h`). Throws BadRequest. */
export function parseMoment(text: string, now: number): { readonly revision: number } | { readonly time: number } {
  if (/^[1-9]\d{0,14}$/.test(text)) return { revision: Number(text) };
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  if (ago) return { time: now - Number(ago[1]) * (units[ago[2] ?? ''] ?? 0) };
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw badRequest(
      `at: ${JSON.stringify(text)} is not a revision, a time such as 2006-01-02T15:04:05Z, or a duration such as 5m`,
    );
  return { time };
}
