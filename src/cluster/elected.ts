import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { sleep } from '../base/clock.ts';
import { type Lifetime, startLifetime } from '../base/lifetime.ts';
import type { Client } from '../client/client.ts';
import { runWhenLeader } from '../client/leader-election.ts';
import type { ClusterContext } from './control-plane.ts';

/**
 * Shorter than upstream's 15, 10 and 2 seconds, so that another takes over within seconds of a kill. A leader that cannot renew stops two
 * seconds before another may begin.
 */
const timing = { leaseDuration: 6_000, renewDeadline: 4_000, retryPeriod: 1_000 };

/** Waits as long as a lifetime lasts. */
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/**
 * Runs a component in this process whenever it holds the Lease `name` of kube-system, over and over until the cluster's lifetime ends.
 * `start` begins it within a lifetime of its own, which ends, with all that is under way, when the Lease is lost.
 */
export function runElected(
  context: ClusterContext,
  client: Client,
  name: string,
  start: (term: Lifetime) => Promise<void>,
): void {
  const { clock, random, log, lifetime } = context;
  const identity = `${hostname()}_${randomUUID()}`;
  const { signal } = lifetime;
  const lead = async (leading: AbortSignal): Promise<void> => {
    const term = startLifetime((error) => log.error('while a component stops', { name, error }));
    try {
      const ended = untilAborted(leading).then(() => term.end());
      await start(term);
      await ended;
    } finally {
      await term.end();
    }
  };
  const forever = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await runWhenLeader(
          { client, namespace: 'kube-system', name, identity, clock, random, log, ...timing },
          signal,
          lead,
        );
      } catch (error) {
        log.error('a leader has failed', { name, error });
      }
      // A cluster that ends cuts the pause short.
      await sleep(clock, timing.retryPeriod, signal).catch(() => undefined);
    }
  };
  const running = forever();
  lifetime.defer(() => running);
}
