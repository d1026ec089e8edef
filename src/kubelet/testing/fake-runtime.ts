import { Duplex, PassThrough } from 'node:stream';
import { boundedQueue } from '../../base/bounded-queue.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import {
  type ContainerConfig,
  type ContainerEvent,
  type ContainerState,
  type ContainerStatus,
  CriError,
  type Image,
  type PodSandboxConfig,
  type PodSandboxStatus,
} from '../../runtime/cri.ts';
import type { NodeFiles } from '../../runtime/node-files.ts';
import type { MachineInfo, NodeRuntime } from '../../runtime/node-runtime.ts';
import { fakeSession } from './fake-session.ts';

/** What a container of the fake does when it starts. */
export interface Behaviour {
  /** Ends by itself after so many milliseconds; absent = runs until stopped. */
  readonly exitAfter?: number;
  readonly exitCode?: number;
  readonly reason?: string;
  /** Refuses to start with this text. */
  readonly startError?: string;
  /** Milliseconds from TERM to the end; absent = at once. `Infinity` = only KILL ends it. */
  readonly termAfter?: number;
  /** Written to its log when it starts. */
  readonly log?: string;
  /** Written to its termination message file when it ends. */
  readonly message?: string;
}

/** A runtime for tests that does what it is told and writes down what it was asked. */
export interface FakeRuntime extends NodeRuntime {
  /** What was asked, in order: `run-sandbox web`, `create web/app#0`, `start app#0`, `stop app#0 30`, … */
  readonly transcript: string[];
  /** By image; what pulls answer: an error, or the image's size. */
  readonly registry: Map<
    string,
    { readonly sizeBytes: number; readonly uid?: number; readonly username?: string; readonly needs?: string } | Error
  >;
  /** By container name, read at each start. */
  readonly behaviours: Map<string, Behaviour>;
  /** By `host:port`: answers connections; without an entry they are refused. */
  readonly listeners: Map<string, (socket: Duplex) => void>;
  /** By the command's words; the default is success without output. */
  readonly commands: Map<
    string,
    () => Promise<{ readonly stdout?: string; readonly stderr?: string; readonly exitCode?: number }>
  >;
  readonly configs: Map<string, ContainerConfig>;
  readonly sandboxes: Map<string, PodSandboxConfig>;
  /** Ends a container as if its process had. */
  exit(name: string, exitCode: number, reason?: string): void;
  conditions: { runtime: boolean; network: boolean };
}

interface FakeContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  readonly createdAt: number;
  state: ContainerState;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  message: string;
  ended: (() => void)[];
}

const notFound = (what: string): CriError => new CriError('NotFound', `${what}: not found`);

export function fakeRuntime(options: {
  readonly clock: Clock;
  readonly files: NodeFiles;
  readonly nodeName: string;
  readonly machine?: Partial<MachineInfo>;
}): FakeRuntime {
  const { clock, files } = options;
  const transcript: string[] = [];
  const registry: FakeRuntime['registry'] = new Map();
  const behaviours = new Map<string, Behaviour>();
  const listeners: FakeRuntime['listeners'] = new Map();
  const commands: FakeRuntime['commands'] = new Map();
  const sandboxes = new Map<string, { status: PodSandboxStatus; config: PodSandboxConfig }>();
  const containers = new Map<string, FakeContainer>();
  const pulled = new Map<string, Image>();
  const watchers = new Set<ReturnType<typeof boundedQueue<ContainerEvent>>>();
  const conditions = { runtime: true, network: true };
  let serial = 0;

  const emit = (type: ContainerEvent['type'], sandboxId: string, containerId = ''): void => {
    const podUid = sandboxes.get(sandboxId)?.config.metadata.uid ?? '';
    for (const watcher of watchers)
      watcher.push({ type, containerId, podSandboxId: sandboxId, podUid, at: clock.now() });
  };
  const logPath = (it: FakeContainer): string =>
    `${sandboxes.get(it.sandboxId)?.config.logDirectory}/${it.config.logPath}`;
  const label = (it: FakeContainer): string => `${it.config.metadata.name}#${it.config.metadata.attempt}`;
  const statusOf = (it: FakeContainer): ContainerStatus => ({
    id: it.id,
    podSandboxId: it.sandboxId,
    metadata: it.config.metadata,
    image: it.config.image,
    imageRef: it.config.image.image,
    state: it.state,
    createdAt: it.createdAt,
    labels: it.config.labels,
    annotations: it.config.annotations,
    startedAt: it.startedAt,
    finishedAt: it.finishedAt,
    exitCode: it.exitCode,
    reason: it.reason,
    message: it.message,
    logPath: logPath(it),
    mounts: it.config.mounts,
  });
  const get = (id: string): FakeContainer => {
    const it = containers.get(id);
    if (!it) throw notFound(`container ${id}`);
    return it;
  };
  const end = (it: FakeContainer, exitCode: number, reason?: string): void => {
    if (it.state !== 'RUNNING') return;
    const message = behaviours.get(it.config.metadata.name)?.message;
    const target = it.config.mounts.find((mount) => mount.containerPath === '/dev/termination-log');
    const finish = (): void => {
      it.state = 'EXITED';
      it.exitCode = exitCode;
      it.finishedAt = clock.now();
      it.reason = reason ?? (exitCode === 0 ? 'Completed' : 'Error');
      for (const done of it.ended.splice(0)) done();
      emit('STOPPED', it.sandboxId, it.id);
    };
    if (message !== undefined && target) void files.write(target.hostPath, message).then(finish);
    else finish();
  };

  return {
    kind: 'sim',
    transcript,
    registry,
    behaviours,
    listeners,
    commands,
    configs: new Map(),
    sandboxes: new Map(),
    conditions,
    files,
    exit(name, exitCode, reason) {
      for (const it of containers.values())
        if (it.config.metadata.name === name && it.state === 'RUNNING') end(it, exitCode, reason);
    },
    dialer: {
      connect(host, port) {
        const listener = listeners.get(`${host}:${port}`);
        if (!listener)
          return Promise.reject(
            Object.assign(new Error(`connect ECONNREFUSED ${host}:${port}`), { code: 'ECONNREFUSED' }),
          );
        const to = new PassThrough();
        const from = new PassThrough();
        const client = Duplex.from({ readable: from, writable: to });
        const server = Duplex.from({ readable: to, writable: from });
        client.on('error', () => undefined);
        server.on('error', () => undefined);
        listener(server);
        return Promise.resolve(client);
      },
    },
    runtime: {
      version: () => Promise.resolve({ runtimeName: 'fake', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' }),
      status: () =>
        Promise.resolve({
          conditions: [
            { type: 'RuntimeReady', status: conditions.runtime, reason: '', message: '' },
            {
              type: 'NetworkReady',
              status: conditions.network,
              reason: conditions.network ? '' : 'NetworkPluginNotReady',
              message: conditions.network ? '' : 'Network plugin returns error: cni plugin not initialized',
            },
          ],
          runtimeHandlers: [''],
        }),
      updateRuntimeConfig: () => Promise.resolve(),
      runPodSandbox(config) {
        const id = `sandbox-${++serial}`;
        transcript.push(`run-sandbox ${config.metadata.name}#${config.metadata.attempt}`);
        sandboxes.set(id, {
          config,
          status: {
            id,
            metadata: config.metadata,
            state: 'READY',
            createdAt: clock.now(),
            ips: config.linux.securityContext.namespaceOptions.network === 'NODE' ? [] : [`10.0.0.${serial}`],
            namespaceOptions: config.linux.securityContext.namespaceOptions,
            labels: config.labels,
            annotations: config.annotations,
            runtimeHandler: '',
          },
        });
        emit('SANDBOX', id);
        return Promise.resolve(id);
      },
      stopPodSandbox(id) {
        const it = sandboxes.get(id);
        if (it?.status.state === 'READY') {
          transcript.push(`stop-sandbox ${it.config.metadata.name}#${it.config.metadata.attempt}`);
          for (const container of containers.values()) if (container.sandboxId === id) end(container, 137);
          it.status = { ...it.status, state: 'NOTREADY' };
          emit('SANDBOX', id);
        }
        return Promise.resolve();
      },
      removePodSandbox(id) {
        const it = sandboxes.get(id);
        if (it) transcript.push(`remove-sandbox ${it.config.metadata.name}#${it.config.metadata.attempt}`);
        sandboxes.delete(id);
        return Promise.resolve();
      },
      podSandboxStatus(id) {
        const it = sandboxes.get(id);
        return it ? Promise.resolve(it.status) : Promise.reject(notFound(`sandbox ${id}`));
      },
      listPodSandbox: (filter) =>
        Promise.resolve(
          [...sandboxes.values()]
            .map((it) => it.status)
            .filter((it) => Object.entries(filter?.labels ?? {}).every(([key, value]) => it.labels[key] === value)),
        ),
      createContainer(sandboxId, config) {
        const id = `container-${++serial}`;
        transcript.push(`create ${config.metadata.name}#${config.metadata.attempt}`);
        containers.set(id, {
          id,
          sandboxId,
          config,
          createdAt: clock.now(),
          state: 'CREATED',
          startedAt: 0,
          finishedAt: 0,
          exitCode: 0,
          reason: '',
          message: '',
          ended: [],
        });
        emit('CREATED', sandboxId, id);
        return Promise.resolve(id);
      },
      async startContainer(id) {
        const it = get(id);
        const how = behaviours.get(it.config.metadata.name) ?? {};
        transcript.push(`start ${label(it)}`);
        if (how.startError !== undefined) {
          Object.assign(it, {
            state: 'EXITED',
            exitCode: 128,
            reason: 'StartError',
            message: how.startError,
            finishedAt: clock.now(),
          });
          emit('STOPPED', it.sandboxId, id);
          throw new CriError('Unknown', how.startError);
        }
        await files.write(logPath(it), how.log ?? '');
        it.state = 'RUNNING';
        it.startedAt = clock.now();
        emit('STARTED', it.sandboxId, id);
        if (how.exitAfter !== undefined) clock.after(how.exitAfter, () => end(it, how.exitCode ?? 0, how.reason));
      },
      async stopContainer(id, timeoutSeconds) {
        const it = get(id);
        if (it.state !== 'RUNNING') return;
        transcript.push(`stop ${label(it)} ${timeoutSeconds}`);
        const after = behaviours.get(it.config.metadata.name)?.termAfter ?? 0;
        const ended = new Promise<void>((resolve) => it.ended.push(resolve));
        if (after < timeoutSeconds * 1000) clock.after(after, () => end(it, 143));
        else clock.after(timeoutSeconds * 1000, () => end(it, 137));
        await ended;
      },
      removeContainer(id) {
        const it = containers.get(id);
        if (it) transcript.push(`remove ${label(it)}`);
        containers.delete(id);
        return Promise.resolve();
      },
      listContainers: (filter) =>
        Promise.resolve(
          [...containers.values()]
            .map(statusOf)
            .filter((it) => Object.entries(filter?.labels ?? {}).every(([key, value]) => it.labels[key] === value)),
        ),
      containerStatus: async (id) => statusOf(get(id)),
      updateContainerResources(id, resources) {
        transcript.push(`update ${label(get(id))} memory=${resources.memoryLimitInBytes} quota=${resources.cpuQuota}`);
        return Promise.resolve();
      },
      async reopenContainerLog(id) {
        await files.write(logPath(get(id)), '');
      },
      async execSync(id, command, timeoutSeconds) {
        get(id);
        transcript.push(`exec ${command.join(' ')}`);
        const run: Promise<{ readonly stdout?: string; readonly stderr?: string; readonly exitCode?: number }> =
          commands.get(command.join(' '))?.() ?? Promise.resolve({});
        const expiry = new AbortController();
        const late: Promise<never> | undefined =
          timeoutSeconds > 0
            ? sleep(clock, timeoutSeconds * 1000, expiry.signal).then(() => {
                throw new CriError(
                  'DeadlineExceeded',
                  `failed to exec in container: timeout ${timeoutSeconds}s exceeded: context deadline exceeded`,
                );
              })
            : undefined;
        late?.catch(() => undefined);
        const done = await (late ? Promise.race([run, late]) : run);
        expiry.abort();
        return {
          stdout: Buffer.from(done.stdout ?? ''),
          stderr: Buffer.from(done.stderr ?? ''),
          exitCode: done.exitCode ?? 0,
        };
      },
      exec(id, command, streams) {
        get(id);
        return Promise.resolve(fakeSession(command, streams.stdin));
      },
      attach(id, streams) {
        get(id);
        return Promise.resolve(fakeSession(['cat'], streams.stdin));
      },
      portForward(_id, port) {
        if (port !== 80)
          return Promise.reject(
            new CriError('Unknown', `failed to connect to localhost:${port} inside namespace: connection refused`),
          );
        const echo = new PassThrough();
        return Promise.resolve(echo);
      },
      containerStats: () => Promise.resolve([]),
      async *events(signal) {
        const queue = boundedQueue<ContainerEvent>(10_000);
        watchers.add(queue);
        const stop = (): void => queue.close();
        signal.addEventListener('abort', stop, { once: true });
        try {
          yield* queue;
        } finally {
          watchers.delete(queue);
        }
      },
    },
    images: {
      listImages: () => Promise.resolve([...pulled.values()]),
      imageStatus: ({ image }) =>
        Promise.resolve([...pulled.values()].find((it) => it.id === image || it.repoTags.includes(image))),
      pullImage({ image }, auth) {
        transcript.push(`pull ${image}${auth ? ` as ${auth.username}` : ''}`);
        const known = registry.get(image);
        if (!known)
          return Promise.reject(
            new CriError(
              'NotFound',
              `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
            ),
          );
        if (known instanceof Error) return Promise.reject(known);
        if (known.needs !== undefined && auth?.password !== known.needs)
          return Promise.reject(
            new CriError('Unknown', 'pulling failed with status code [manifests]: 401 Unauthorized'),
          );
        const id = `sha256:${Buffer.from(image).toString('hex').padEnd(64, '0').slice(0, 64)}`;
        pulled.set(image, {
          id,
          repoTags: [image],
          repoDigests: [],
          sizeBytes: known.sizeBytes,
          ...(known.uid !== undefined && { uid: known.uid }),
          username: known.username ?? '',
          pinned: false,
        });
        return Promise.resolve(id);
      },
      removeImage({ image }) {
        for (const [name, it] of pulled) if (it.id === image || name === image) pulled.delete(name);
        return Promise.resolve();
      },
      imageFsInfo: () => Promise.resolve({ mountpoint: '/', usedBytes: 0, inodesUsed: 0 }),
    },
    machine: () =>
      Promise.resolve({
        hostname: options.nodeName,
        cpus: 4,
        memoryBytes: 8 * 2 ** 30,
        swapBytes: 0,
        ephemeralBytes: 100 * 2 ** 30,
        maxPids: 32768,
        machineId: 'm',
        systemUuid: 's',
        bootId: 'b',
        kernelVersion: '6.18',
        osImage: 'Fake 1',
        operatingSystem: 'linux',
        architecture: 'amd64',
        address: '192.168.0.10',
        ...options.machine,
      }),
    usage: () =>
      Promise.resolve({
        timestamp: clock.now(),
        cpuUsageCoreNanoSeconds: 0,
        memoryWorkingSetBytes: 2 ** 30,
        memoryAvailableBytes: 7 * 2 ** 30,
        pids: 10,
      }),
    close: () => Promise.resolve(),
  };
}
