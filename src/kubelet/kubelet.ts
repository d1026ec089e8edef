import type { Server } from 'node:http';
import { runtimeclasses, services } from '../api/generated/resources.ts';
import type { V1Node, V1Service } from '../api/generated/types.ts';
import type { SpanSink } from '../api/trace.ts';
import { type Clock, every, sleep } from '../base/clock.ts';
import type { Lifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { InformerSet } from '../client/informer.ts';
import type { NodeRuntime } from '../runtime/node-runtime.ts';
import { type KubeletContext, podEvent, podSpan } from './context.ts';
import { dueQueue } from './due-queue.ts';
import type { EvictionManager } from './eviction/eviction-manager.ts';
import { nodeEviction } from './eviction/node-eviction.ts';
import { imageManager } from './images/image-manager.ts';
import { collectImages } from './node/image-gc.ts';
import { rotateLog } from './node/log-rotation.ts';
import { nodeAgent } from './node/node-agent.ts';
import { nodeResources } from './node/node-status.ts';
import { runtimeHealth } from './node/runtime-health.ts';
import { watchStaticPods } from './node/static-pods.ts';
import { type ObjectCache, objectCache } from './object-cache.ts';
import { podSet } from './pod-set.ts';
import { type NodeSource, nodePodSource, ownNodeSource, type PodSource } from './pod-source.ts';
import { crashBackoff } from './pods/crash-backoff.ts';
import { parseResolvConf } from './pods/dns.ts';
import { podRequests, qosClass } from './pods/resources.ts';
import { probeManager } from './probes/probe-manager.ts';
import { prober } from './probes/prober.ts';
import { type KubeletAuth, kubeletServer } from './server/server.ts';
import { statusManager } from './status/status-manager.ts';
import { volumeManager } from './volumes/volume-manager.ts';

export interface KubeletOptions {
  readonly nodeName: string;
  readonly runtime: NodeRuntime;
  /** Acts as `system:node:<nodeName>`. */
  readonly client: Client;
  readonly informers: InformerSet;
  /** One source for all kubelets of a process; default: a watch of this node's pods. */
  readonly podSource?: PodSource;
  /** The same for node objects; default: a watch of this node. */
  readonly nodeSource?: NodeSource;
  /** One cache for all kubelets of a process; default: its own. */
  readonly objects?: ObjectCache;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly spans: SpanSink;
  /** Default 110. */
  readonly maxPods?: number;
  readonly clusterDns: readonly string[];
  /** Default `cluster.local`. */
  readonly clusterDomain?: string;
  /** In the node's files; default `/var/lib/kubelet`. */
  readonly rootDir?: string;
  /** In the node's files; default `/var/log/pods`. */
  readonly podLogsDir?: string;
  /** The control group below which pods are, with a leading slash; default: the top. */
  readonly cgroupRoot?: string;
  /** In the node's files. */
  readonly staticPodDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: NonNullable<V1Node['spec']>['taints'];
  /** Told in the node's status; default 10250. */
  readonly port?: number;
  /** Who may use the server over the network; absent = everybody who reaches it. Connections within the process are the API server's own. */
  readonly auth?: KubeletAuth;
  readonly lifetime: Lifetime;
}

export interface Kubelet {
  readonly nodeName: string;
  /** Answers requests and upgrades. It does not listen by itself: listen with TLS, or emit `connection` with a duplex. */
  readonly server: Server;
  /** Resolves when no pod is being worked on and all statuses are sent. For tests. */
  settled(): Promise<void>;
  /** Stops working; containers go on running. */
  stop(): Promise<void>;
}

const relistMs = 60_000;
const imageGcMs = 300_000;

/** Starts a node agent: registers the node, runs its pods. Resolves when the node is registered and its pods are known. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { nodeName, runtime, client, informers, events, clock, random } = options;
  const log = options.log.with({ node: nodeName });
  const lifetime = options.lifetime.child();
  const rootDir = options.rootDir ?? '/var/lib/kubelet';
  const maxPods = options.maxPods ?? 110;
  const [machine, version] = await Promise.all([runtime.machine(), runtime.runtime.version()]);
  const health = runtimeHealth(runtime.runtime, clock);
  const objects = options.objects ?? objectCache({ client, clock, log });
  if (!options.objects) lifetime.defer(() => objects.stop());
  const due = dueQueue(clock);
  const hostIps = [machine.address];
  const startedAt = clock.now();
  let eviction: EvictionManager | undefined;
  const allServices = informers.informer(services);

  const agent = nodeAgent({
    nodeName,
    runtime,
    client,
    events,
    clock,
    random,
    log,
    machine,
    version,
    health,
    maxPods,
    port: options.port ?? 10250,
    pressure: () => {
      const pressures = eviction?.pressures() ?? [];
      return {
        memory: pressures.includes('MemoryPressure'),
        disk: pressures.includes('DiskPressure'),
        pid: pressures.includes('PIDPressure'),
      };
    },
    feelPressure: async () => (await eviction?.synchronize()) ?? false,
    labels: options.labels ?? {},
    taints: options.taints,
    onBeat: (count) => {
      if (count % 3 === 0) void rotateLogs().catch((error: unknown) => log.warn('cannot rotate logs', { error }));
    },
  });

  const context: KubeletContext = {
    nodeName,
    node: runtime,
    client,
    events,
    clock,
    random,
    log,
    spans: options.spans,
    rootDir,
    podLogsDir: options.podLogsDir ?? '/var/log/pods',
    cgroupRoot: options.cgroupRoot ?? '',
    clusterDns: options.clusterDns,
    clusterDomain: options.clusterDomain ?? 'cluster.local',
    machine,
    hostIps,
    runtimeName: version.runtimeName,
    objects,
    due,
    crashes: crashBackoff(clock),
    volumes: volumeManager({ files: runtime.files, client, objects, clock, random, rootDir }),
    images: imageManager({
      images: runtime.images,
      clock,
      onPulled: (pod, image, from, error) =>
        podSpan(context, pod, 'runtime', `pull image ${image}`, from, { ...(error !== undefined && { error }) }),
    }),
    probes: probeManager({
      prober: prober({ runtime: runtime.runtime, dialer: runtime.dialer, clock }),
      clock,
      random,
      startedAt,
      onChange: (uid) => set.worker(uid)?.poke('probe'),
      event: (pod, reason, message, path) => podEvent(context, pod, 'Warning', reason, message, path),
    }),
    status: statusManager({
      client,
      clock,
      log,
      apiPod: (uid) => set.apiPod(uid),
      mayHaveRunning: (uid) => set.worker(uid)?.mayHaveRunning() ?? false,
      onSent: (pod, from, madeAt) =>
        podSpan(context, pod, 'status', `report ${pod.status?.phase ?? ''}`, madeAt, {
          attributes: { sendMs: clock.now() - from, resourceVersion: pod.metadata.resourceVersion },
        }),
    }),
    burstableCpu: () =>
      set
        .workers()
        .filter((it) => it.mayHaveRunning() && qosClass(it.pod()) === 'Burstable')
        .reduce((sum, it) => sum + (podRequests(it.granted())['cpu'] ?? 0), 0),
    allocatable: () => agent.node()?.status?.allocatable ?? nodeResources(machine, maxPods).allocatable,
    hostDns: async () => {
      const path = '/etc/resolv.conf';
      if (!(await runtime.files.stat(path))) return { servers: [], searches: [], options: [] };
      return parseResolvConf((await runtime.files.read(path)).toString('utf8'));
    },
    services: async () => {
      if (!allServices.synced) await allServices.whenSynced();
      return allServices.list() as readonly V1Service[];
    },
    runtimeHandler: async (name) => (name ? (await client.get(runtimeclasses, name)).handler : ''),
    networkError: () => health.networkError(),
  };
  const source = options.podSource ?? nodePodSource(informers, nodeName);
  let sourcesReady = false;
  const set = podSet(
    context,
    () => agent.node(),
    () => sourcesReady,
    (pod) => {
      const message = eviction?.refuses(pod);
      return message === undefined ? undefined : { reason: 'Evicted', message };
    },
  );
  eviction = nodeEviction(context, set);

  const rotateLogs = async (): Promise<void> => {
    for (const worker of set.workers())
      for (const container of worker.observed().containers)
        if (container.state === 'running' && container.logPath !== '')
          await rotateLog(runtime.files, container.logPath, clock.now(), () =>
            runtime.runtime.reopenContainerLog(container.id),
          );
  };

  const follow = async (): Promise<void> => {
    while (!lifetime.signal.aborted) {
      try {
        for await (const event of runtime.runtime.events(lifetime.signal)) set.worker(event.podUid)?.poke('runtime');
      } catch (error) {
        if (!lifetime.signal.aborted) log.warn('the events of the runtime have ended', { error });
      }
      if (lifetime.signal.aborted) return;
      await sleep(clock, 1_000, lifetime.signal).catch(() => undefined);
      await set.relist().catch((error: unknown) => log.debug('cannot relist', { error }));
    }
  };

  await runtime.files.mkdir(rootDir, 0o750);
  await agent.start();
  lifetime.defer(() => {
    agent.stop();
    due.stop();
    context.probes.stop();
    context.status.stop();
    set.stop();
  });
  const nodeSource = options.nodeSource ?? ownNodeSource(informers, nodeName);
  lifetime.defer(nodeSource.subscribe(nodeName, (it) => agent.observed(it)));
  void follow();
  await source.whenSynced();
  if (options.staticPodDir !== undefined) {
    const watch = watchStaticPods({
      files: runtime.files,
      directory: options.staticPodDir,
      nodeName,
      clock,
      log,
      onPods: (list) => set.setStatic(list),
    });
    lifetime.defer(() => watch.stop());
    await watch.first;
  }
  lifetime.defer(source.subscribe(nodeName, set));
  sourcesReady = true;
  await set.relist().catch((error: unknown) => log.warn('cannot list what runs here', { error }));
  const spread = (ms: number): number => ms * (1 + random.next() * 0.5);
  const onError = (error: unknown): void => log.warn('housekeeping failed', { error });
  const relister = every(clock, spread(relistMs), () => set.relist(), onError);
  const cleaner = every(
    clock,
    spread(imageGcMs),
    async () => {
      const { complaint } = await collectImages(runtime, context.images.lastUsed, log);
      if (complaint !== undefined)
        events.event(
          { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, uid: nodeName } },
          'Warning',
          'FreeDiskSpaceFailed',
          complaint,
        );
    },
    onError,
  );
  lifetime.defer(() => {
    relister.cancel();
    cleaner.cancel();
  });
  const server = kubeletServer({
    context,
    pods: set,
    auth: options.auth,
    lifetime,
    node: () => agent.node(),
    startedAt,
  });
  return {
    nodeName,
    server,
    async settled() {
      await set.settled();
      await context.status.flush();
    },
    stop: () => lifetime.end(),
  };
}
