import { connect, type Socket } from 'node:net';
import type { Span } from '../api/trace.ts';
import { systemClock } from '../base/clock.ts';
import { startLifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { detectContainerd } from '../runtime/cri/detect-containerd.ts';
import { createTraceRecorder, type TraceQuery } from '../trace/recorder.ts';
import { type ClusterContext, startControlPlane } from './control-plane.ts';
import { localKubelets } from './kubelet-dialer.ts';
import { type ClusterOptions, UsageError } from './options.ts';
import { startRealNode } from './real-node.ts';
import { sharedInformers, startWorkers } from './workers.ts';

/** A running cluster. */
export interface Cluster {
  readonly url: string;
  readonly runtime: 'sim' | 'containerd' | 'none';
  /** Why this runtime, in a sentence, where it was chosen. */
  readonly reason?: string;
  /** What was recorded of an object. */
  spans(query: TraceQuery): readonly Span[];
  /** Ends everything in order; resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** Starts a whole cluster in this process and resolves when it is ready for pods. */
export async function startCluster(options: ClusterOptions, log: Logger): Promise<Cluster> {
  const lifetime = startLifetime((error) => log.error('while stopping', { error }));
  const trace = createTraceRecorder({ clock: systemClock });
  const context: ClusterContext = {
    options,
    clock: systemClock,
    random: systemRandom(),
    log,
    spans: trace,
    lifetime,
  };
  const running = (runtime: Cluster['runtime'], reason: string): Cluster => ({
    url,
    runtime,
    reason,
    spans: (query) => trace.query(query),
    stop: () => lifetime.end(),
  });
  let url = '';
  try {
    const kubelets = localKubelets();
    const plane = await startControlPlane(context, {
      kubelet: kubelets,
      cluster: { connect: dial },
    });
    url = plane.url;
    const informers = sharedInformers(context, plane);
    await startWorkers(context, plane, informers);
    if (options.nodes === 0) return running('none', 'control plane only, as asked');
    if (options.nodes > 1)
      throw new UsageError('several nodes need the simulated runtime, which is not part of this version yet');
    if (options.runtime === 'sim')
      throw new UsageError(
        'the simulated runtime is not part of this version yet; use --runtime containerd or --no-node',
      );
    const detection = await detectContainerd(process.env);
    if (detection.usable) {
      await startRealNode(context, plane, kubelets, detection.parts, informers);
      return running('containerd', 'containerd: this is Linux, we are root, and all parts are installed');
    }
    if (options.runtime === 'containerd') throw new UsageError(`containerd cannot be used here: ${detection.why}`);
    return running('none', `control plane only, pods stay Pending: ${detection.why}`);
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

/** This machine's own way to an address: on a real node pods and Services are reached from the host. */
function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}
