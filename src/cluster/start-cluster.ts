import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Span } from '../api/trace.ts';
import { defined } from '../base/assert.ts';
import { systemClock } from '../base/clock.ts';
import { startLifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { Store } from '../store/store.ts';
import { createTraceRecorder, type TraceQuery } from '../trace/recorder.ts';
import { chooseRuntime } from './choose-runtime.ts';
import { type ClusterContext, startControlPlane } from './control-plane.ts';
import { startClusterIngress } from './ingress.ts';
import { prepareForOthers } from './join/prepare.ts';
import { localKubelets } from './kubelet-dialer.ts';
import type { ClusterOptions } from './options.ts';
import { startRealNode } from './real-node.ts';
import { type SimControls, simControls } from './sim/sim-controls.ts';
import { startSimNodes } from './sim/sim-nodes.ts';
import { startSimWorld } from './sim/sim-world.ts';
import { administer, type StoreReply, type StoreRequest } from './store-admin.ts';
import { sharedInformers, startWorkers } from './workers.ts';

/** A running cluster. */
export interface Cluster {
  readonly url: string;
  readonly runtime: 'sim' | 'containerd' | 'none';
  /** Why this runtime, in a sentence, where it was chosen. */
  readonly reason?: string;
  /** Present where nodes are simulated: how to break and mend them. */
  readonly sim?: SimControls;
  /** Work on the store while it is in use. */
  administer(request: StoreRequest): Promise<StoreReply>;
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
    administer: (request) => administer(defined(store, 'the store is open'), systemClock, request),
    spans: (query) => trace.query(query),
    stop: () => lifetime.end(),
  });
  let url = '';
  let store: Store | undefined;
  try {
    const kubelets = localKubelets();
    const choice = await chooseRuntime(options, process.env);
    let intoCluster = (_host: string, _port: number): Promise<Duplex> | undefined => undefined;
    const reach = (host: string, port: number): Promise<Duplex> => intoCluster(host, port) ?? dial(host, port);
    const plane = await startControlPlane(context, {
      kubelet: kubelets,
      cluster: { connect: reach },
    });
    url = plane.url;
    store = plane.store;
    const informers = sharedInformers(context, plane);
    await prepareForOthers(context, plane, kubelets, informers);
    await startWorkers(context, plane, informers);
    await startClusterIngress(context, plane, informers, reach);
    if (choice.kind === 'containerd') await startRealNode(context, plane, kubelets, choice.parts, informers);
    if (choice.kind !== 'sim') return running(choice.kind, choice.reason);
    const world = await startSimWorld(context, plane, informers);
    intoCluster = world.dial;
    const members = await startSimNodes(context, plane, kubelets, informers, world);
    return { ...running('sim', choice.reason), sim: simControls(members, world) };
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
