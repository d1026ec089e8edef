import { StatusError } from '../../api/status.ts';
import { type Clock, every } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Store } from '../../store/store.ts';
import type { Timeline } from './timeline.ts';

/** Upstream's etcd compactor looks this often. */
const interval = 300_000;

/**
 * Forgets, every five minutes or more often, what is older than `after` milliseconds (upstream's --etcd-compaction-interval, which is
 * both). 0 = never. Several servers over one store may each do it.
 */
export function startCompactor(
  store: Store,
  timeline: Pick<Timeline, 'revisionAt'>,
  clock: Clock,
  log: Logger,
  after: number,
): () => void {
  if (after === 0) return () => undefined;
  const timer = every(
    clock,
    Math.min(after, interval),
    async () => {
      try {
        const revision = await timeline.revisionAt(clock.now() - after);
        if (revision > (await store.stats()).compactedRevision) await store.compact(revision);
      } catch (error) {
        // Nothing is that old.
        if (!(error instanceof StatusError)) throw error;
      }
    },
    (error) => log.warn('compaction failed', { error }),
  );
  return () => timer.cancel();
}
