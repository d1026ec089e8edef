import { systemClock } from '../base/clock.ts';
import { startLifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { noSpans } from '../api/trace.ts';
import { type ClusterContext, startControlPlane } from './control-plane.ts';
import type { ClusterOptions } from './options.ts';

/** A running cluster. */
export interface Cluster {
  readonly url: string;
  readonly runtime: string;
  /** Why this runtime, in a sentence, where it was chosen. */
  readonly reason?: string;
  /** Ends everything in order; resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** Starts a whole cluster in this process and resolves when it is ready for pods. */
export async function startCluster(options: ClusterOptions, log: Logger): Promise<Cluster> {
  const lifetime = startLifetime((error) => log.error('while stopping', { error }));
  const context: ClusterContext = {
    options,
    clock: systemClock,
    random: systemRandom(),
    log,
    spans: noSpans,
    lifetime,
  };
  try {
    const plane = await startControlPlane(context, {} as never);
    return { url: plane.url, runtime: options.runtime, stop: () => lifetime.end() };
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}
