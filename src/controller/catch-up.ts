import { apiVersionOf, type Resource } from '../api/resource.ts';
import type { Clock } from '../base/clock.ts';
import type { Informer, InformerSet } from '../client/informer.ts';
import type { Written } from './tracked.ts';

/** Lets a key wait until the local copies show what its reconcile wrote. */
export interface CatchUp {
  /** Resolves when the informers among `resources` show all these writes, or after a limit. */
  until(writes: readonly Written[]): Promise<void>;
  /** Listens to the informers; returns what ends it. */
  start(): () => void;
}

/** A copy that lags longer than this has troubles of its own (its watch is being made anew); work goes on. */
const limitMs = 10_000;

const idOf = (resource: Resource): string => `${apiVersionOf(resource)}/${resource.plural}`;

export function createCatchUp(informers: InformerSet, resources: readonly Resource[], clock: Clock): CatchUp {
  const known = new Map<string, Informer<never>>(
    resources.map((resource) => [idOf(resource), informers.informer(resource) as unknown as Informer<never>]),
  );
  const waiting = new Set<() => void>();
  const shows = (written: Written): boolean => {
    const informer = known.get(idOf(written.resource));
    if (!informer) return true;
    if (written.resourceVersion !== undefined) {
      const wanted = Number(written.resourceVersion);
      // A server whose versions are no numbers gives nothing to compare.
      return Number.isNaN(wanted) || Number(informer.resourceVersion) >= wanted;
    }
    const object = informer.get(written.key) as { metadata: { deletionTimestamp?: string } } | undefined;
    return !object || object.metadata.deletionTimestamp !== undefined;
  };
  const check = (): void => {
    for (const look of waiting) look();
  };
  return {
    until(writes) {
      let left = writes.filter((it) => !shows(it));
      if (left.length === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const finish = (): void => {
          waiting.delete(look);
          timer.cancel();
          resolve();
        };
        const look = (): void => {
          left = left.filter((it) => !shows(it));
          if (left.length === 0) finish();
        };
        const timer = clock.after(limitMs, finish, { background: true });
        waiting.add(look);
      });
    },
    start() {
      const stops = [...known.values()].map((informer) =>
        informer.subscribe({ add: check, update: check, remove: check }),
      );
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
