import { boundedQueue } from '../../../base/bounded-queue.ts';
import { type Clock, sleep } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import {
  type ContainerEvent,
  type ContainerFilter,
  type ContainerStatus,
  type ContainerSummary,
  CriError,
  type RuntimeCondition,
  type RuntimeService,
} from '../../cri.ts';
import { toDuplex } from '../net/duplex.ts';
import type { NetNamespace } from '../net/net-namespace.ts';
import type { Container, Sandbox } from './container.ts';
import { containerStats } from './container-stats.ts';
import { applyResources, buildContainer, type ContainerMaker } from './create-container.ts';
import { execSync } from './exec-sync.ts';
import { type ImageStore, imageAbsent } from './image-store.ts';
import { killContainer, startContainer, stopContainer } from './run-container.ts';
import { createSandbox, podNetwork, sandboxStatus } from './sandboxes.ts';
import { attachSession, execSession } from './streams.ts';

/** What a simulated node's runtime is made with. */
export interface SimRuntimeOptions extends Omit<ContainerMaker, 'imageTree'> {
  readonly clock: Clock;
  readonly random: Random;
  readonly images: ImageStore;
  /** The node's own network namespace. */
  readonly host: NetNamespace;
}

/** The runtime with what only the simulation can do. */
export interface SimRuntimeService extends RuntimeService {
  /** The machine loses power: everything in it ends, at once and unheard. */
  powerOff(): void;
  /** The daemon hangs (false) or answers again (true); containers go on. */
  setAnswering(answering: boolean): void;
  /** Containers that run now. */
  running(): Iterable<Container>;
}

const backlog = 10_000;
const runtimeReady: RuntimeCondition = { type: 'RuntimeReady', status: true, reason: '', message: '' };
const networkMissing: RuntimeCondition = {
  type: 'NetworkReady',
  status: false,
  reason: 'NetworkPluginNotReady',
  message: 'Network plugin returns error: cni plugin not initialized',
};

const hasLabels = (
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean => !wanted || Object.entries(wanted).every(([key, value]) => labels[key] === value);

/** CRI's RuntimeService on a simulated machine, with containerd's texts and codes. */
export function simRuntimeService(options: SimRuntimeOptions): SimRuntimeService {
  const { clock, random, images, network, host } = options;
  const maker: ContainerMaker = { ...options, imageTree: (name) => images.find(name) };
  const pods = podNetwork(network, host);
  const sandboxes = new Map<string, Sandbox>();
  const containers = new Map<string, Container>();
  /** Lists by pod come often and are short; the whole may be long. */
  const byPod = new Map<string, Set<Sandbox>>();
  const names = new Map<string, string>();
  const watchers = new Set<ReturnType<typeof boundedQueue<ContainerEvent>>>();
  let answering = true;

  const newId = (): string => Buffer.from(random.bytes(32)).toString('hex');
  const emit = (type: ContainerEvent['type'], sandbox: Sandbox, containerId = ''): void => {
    const event = {
      type,
      containerId,
      podSandboxId: sandbox.id,
      podUid: sandbox.config.metadata.uid,
      at: clock.now(),
    };
    for (const watcher of watchers)
      if (!watcher.push(event))
        watcher.close(new CriError('Unavailable', 'container events come faster than they are read'));
  };
  const sandboxOf = (id: string): Sandbox => {
    const found = sandboxes.get(id);
    if (!found) throw new CriError('NotFound', `an error occurred when try to find sandbox: not found`);
    return found;
  };
  const containerOf = (id: string): Container => {
    const found = containers.get(id);
    if (!found) throw new CriError('NotFound', `an error occurred when try to find container "${id}": not found`);
    return found;
  };
  const runningOf = (id: string): Container => {
    const container = containerOf(id);
    if (container.state !== 'RUNNING')
      throw new CriError('Unknown', `container is in CONTAINER_${container.state} state`);
    return container;
  };
  const reserve = (kind: 'container' | 'sandbox', name: string, id: string): void => {
    const holder = names.get(`${kind}/${name}`);
    if (holder)
      throw new CriError(
        'Unknown',
        `failed to reserve ${kind} name "${name}": name "${name}" is reserved for "${holder}"`,
      );
    names.set(`${kind}/${name}`, id);
  };
  const sandboxName = ({ metadata }: Sandbox['config']): string =>
    [metadata.name, metadata.namespace, metadata.uid, metadata.attempt].join('_');
  const containerName = ({ config, sandbox }: Pick<Container, 'config' | 'sandbox'>): string => {
    const { name, namespace, uid } = sandbox.config.metadata;
    return [config.metadata.name, name, namespace, uid, config.metadata.attempt].join('_');
  };

  const summary = (container: Container): ContainerSummary => ({
    id: container.id,
    podSandboxId: container.sandbox.id,
    metadata: container.config.metadata,
    image: { image: container.image.reference },
    imageRef: `${container.image.repository}@${container.image.digest}`,
    state: container.state,
    createdAt: container.createdAt,
    labels: container.config.labels,
    annotations: container.config.annotations,
  });
  const status = (container: Container): ContainerStatus => {
    const { uid, gid, groups } = container.credentials;
    return {
      ...summary(container),
      startedAt: container.startedAt,
      finishedAt: container.finishedAt,
      exitCode: container.exitCode,
      reason: container.reason,
      message: container.message,
      logPath: container.logPath,
      mounts: container.config.mounts,
      resources: container.resources,
      user: { uid, gid, supplementalGroups: groups },
    };
  };
  const matching = (filter: ContainerFilter | undefined): Container[] => {
    const one = filter?.id !== undefined ? containers.get(filter.id) : undefined;
    const uid = filter?.labels?.[podUidLabel];
    const pool: Iterable<Container> =
      filter?.id !== undefined
        ? one
          ? [one]
          : []
        : filter?.podSandboxId !== undefined
          ? (sandboxes.get(filter.podSandboxId)?.containers ?? [])
          : uid !== undefined
            ? [...(byPod.get(uid) ?? [])].flatMap((sandbox) => [...sandbox.containers])
            : containers.values();
    return [...pool].filter(
      (container) =>
        (filter?.state === undefined || filter.state === container.state) &&
        (filter?.podSandboxId === undefined || filter.podSandboxId === container.sandbox.id) &&
        hasLabels(container.config.labels, filter?.labels),
    );
  };
  const openLog = ({ logPath }: Container): void => {
    if (logPath !== '') options.files.append(logPath, new Uint8Array(0));
  };
  const kill = (container: Container): Promise<void> => stopContainer(container, clock, 0);
  const remove = async (container: Container): Promise<void> => {
    await kill(container);
    containers.delete(container.id);
    container.sandbox.containers.delete(container);
    names.delete(`container/${containerName(container)}`);
    emit('DELETED', container.sandbox, container.id);
  };
  const stopSandbox = async (sandbox: Sandbox): Promise<void> => {
    for (const container of sandbox.containers) await kill(container);
    if (!sandbox.ready) return;
    sandbox.ready = false;
    pods.close(sandbox);
    emit('SANDBOX', sandbox);
  };

  const service: RuntimeService = {
    version: async () => ({ runtimeName: 'coracle-sim', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' }),
    async status() {
      const networkReady: RuntimeCondition = { type: 'NetworkReady', status: true, reason: '', message: '' };
      return { conditions: [runtimeReady, pods.ready ? networkReady : networkMissing], runtimeHandlers: ['', 'runc'] };
    },
    async updateRuntimeConfig(podCidr) {
      if (podCidr !== '') pods.configure(podCidr);
    },
    async runPodSandbox(config, runtimeHandler) {
      if (runtimeHandler !== '' && runtimeHandler !== 'runc')
        throw new CriError(
          'Unknown',
          `failed to get sandbox runtime: no runtime for "${runtimeHandler}" is configured`,
        );
      const id = newId();
      reserve('sandbox', sandboxName(config), id);
      let sandbox: Sandbox;
      try {
        sandbox = createSandbox(clock, pods, id, config, runtimeHandler);
      } catch (error) {
        names.delete(`sandbox/${sandboxName(config)}`);
        throw error;
      }
      sandboxes.set(id, sandbox);
      const { uid } = config.metadata;
      const own = byPod.get(uid) ?? new Set();
      own.add(sandbox);
      byPod.set(uid, own);
      emit('SANDBOX', sandbox);
      return id;
    },
    async stopPodSandbox(id) {
      const sandbox = sandboxes.get(id);
      if (sandbox) await stopSandbox(sandbox);
    },
    async removePodSandbox(id) {
      const sandbox = sandboxes.get(id);
      if (!sandbox) return;
      await stopSandbox(sandbox);
      for (const container of [...sandbox.containers]) await remove(container);
      sandboxes.delete(id);
      const { uid } = sandbox.config.metadata;
      const own = byPod.get(uid);
      own?.delete(sandbox);
      if (own?.size === 0) byPod.delete(uid);
      names.delete(`sandbox/${sandboxName(sandbox.config)}`);
      emit('SANDBOX', sandbox);
    },
    podSandboxStatus: async (id) => sandboxStatus(sandboxOf(id)),
    async listPodSandbox(filter) {
      const uid = filter?.labels?.[podUidLabel];
      const pool =
        filter?.id !== undefined
          ? [sandboxes.get(filter.id)]
          : uid !== undefined
            ? [...(byPod.get(uid) ?? [])]
            : [...sandboxes.values()];
      return pool
        .filter(
          (sandbox): sandbox is Sandbox => sandbox !== undefined && hasLabels(sandbox.config.labels, filter?.labels),
        )
        .map(sandboxStatus);
    },
    async createContainer(sandboxId, config) {
      const sandbox = sandboxOf(sandboxId);
      if (!sandbox.ready)
        throw new CriError(
          'Unknown',
          `failed to get sandbox container task: no running task found: task ${sandboxId} not found: not found`,
        );
      const image = images.find(config.image.image);
      if (!image) throw imageAbsent(config.image.image);
      const id = newId();
      reserve('container', containerName({ config, sandbox }), id);
      try {
        const container = buildContainer(maker, id, sandbox, config, image);
        containers.set(id, container);
        sandbox.containers.add(container);
        emit('CREATED', sandbox, id);
        return id;
      } catch (error) {
        names.delete(`container/${containerName({ config, sandbox })}`);
        throw error;
      }
    },
    async startContainer(id) {
      const container = containerOf(id);
      openLog(container);
      startContainer(container, clock, () => emit('STOPPED', container.sandbox, id));
      emit('STARTED', container.sandbox, id);
    },
    async stopContainer(id, timeoutSeconds) {
      const container = containers.get(id);
      if (container) await stopContainer(container, clock, timeoutSeconds);
    },
    async removeContainer(id) {
      const container = containers.get(id);
      if (container) await remove(container);
    },
    listContainers: async (filter) => matching(filter).map(summary),
    containerStatus: async (id) => status(containerOf(id)),
    async updateContainerResources(id, resources) {
      const container = containerOf(id);
      container.resources = { ...container.resources, ...resources };
      applyResources(container.workload.cgroup, container.resources);
    },
    async reopenContainerLog(id) {
      openLog(runningOf(id));
    },
    execSync: async (id, command, timeoutSeconds) => execSync(runningOf(id), command, timeoutSeconds, newId(), clock),
    exec: async (id, command, streams) => execSession(runningOf(id), command, streams, newId()),
    attach: async (id, streams) => attachSession(runningOf(id), streams),
    async portForward(id, port) {
      const sandbox = sandboxOf(id);
      if (!sandbox.ready) throw new CriError('Unknown', `sandbox container "${id}" is not running`);
      try {
        return toDuplex(await sandbox.net.connect({ ip: '127.0.0.1', port }));
      } catch {
        // Whatever the reason, the far side has one text for it.
        throw new CriError(
          'Unknown',
          `failed to execute portforward in network namespace "/var/run/netns/cni-${id.slice(0, 8)}": failed to connect to localhost:${port} inside namespace "${id}", IPv4: dial tcp4 127.0.0.1:${port}: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found `,
        );
      }
    },
    containerStats: async (filter) =>
      matching(filter)
        .filter((container) => container.state === 'RUNNING')
        .map((container) => containerStats(container, clock)),
    async *events(signal) {
      const queue = boundedQueue<ContainerEvent>(backlog);
      const stop = (): void => queue.close();
      watchers.add(queue);
      signal.addEventListener('abort', stop, { once: true });
      try {
        yield* queue;
      } finally {
        signal.removeEventListener('abort', stop);
        watchers.delete(queue);
      }
    },
  };

  return {
    ...hanging(service, () => answering, clock),
    setAnswering(value) {
      answering = value;
    },
    powerOff() {
      for (const watcher of watchers) watcher.close(new CriError('Unavailable', 'the machine is off'));
      watchers.clear();
      for (const container of containers.values()) killContainer(container);
      for (const sandbox of sandboxes.values()) {
        if (sandbox.ready) pods.close(sandbox);
        sandbox.ready = false;
      }
      for (const all of [sandboxes, containers, byPod, names]) all.clear();
    },
    *running() {
      for (const container of containers.values()) if (container.state === 'RUNNING') yield container;
    },
  };
}

const podUidLabel = 'io.kubernetes.pod.uid';
/** How long a caller waits for a daemon that hangs, milliseconds; the kubelet's own default (--runtime-request-timeout). */
const requestTimeout = 120_000;

/** The same service, whose calls time out while `answering` says no. */
function hanging(service: RuntimeService, answering: () => boolean, clock: Clock): RuntimeService {
  const guard =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (answering()) return call(...args);
      await sleep(clock, requestTimeout);
      throw new CriError('DeadlineExceeded', 'context deadline exceeded');
    };
  return {
    version: guard(service.version),
    status: guard(service.status),
    updateRuntimeConfig: guard(service.updateRuntimeConfig),
    runPodSandbox: guard(service.runPodSandbox),
    stopPodSandbox: guard(service.stopPodSandbox),
    removePodSandbox: guard(service.removePodSandbox),
    podSandboxStatus: guard(service.podSandboxStatus),
    listPodSandbox: guard(service.listPodSandbox),
    createContainer: guard(service.createContainer),
    startContainer: guard(service.startContainer),
    stopContainer: guard(service.stopContainer),
    removeContainer: guard(service.removeContainer),
    listContainers: guard(service.listContainers),
    containerStatus: guard(service.containerStatus),
    updateContainerResources: guard(service.updateContainerResources),
    reopenContainerLog: guard(service.reopenContainerLog),
    execSync: guard(service.execSync),
    exec: guard(service.exec),
    attach: guard(service.attach),
    portForward: guard(service.portForward),
    containerStats: guard(service.containerStats),
    events: service.events,
  };
}
