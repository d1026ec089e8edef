import { type Clock, every } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Store } from '../../store/store.ts';

/** Forgets, every `after` milliseconds, revisions older than the last turn (upstream's etcd compactor). 0 = never. */
export function startCompactor(store: Store, clock: Clock, log: Logger, after: number): () => void {
  if (after === 0) return () => undefined;
  let seen = 0;
  const timer = every(
    clock,
    after,
    async () => {
      const { revision, compactedRevision } = await store.stats();
      if (seen > compactedRevision) await store.compact(seen);
      seen = revision;
    },
    (error) => log.warn('compaction failed', { error }),
  );
  return () => timer.cancel();
}
