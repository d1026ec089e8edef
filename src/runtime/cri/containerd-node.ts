import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { type Clock, sleep } from '../../base/clock.ts';
import type { RuntimeVersion } from '../cri.ts';
import type { NodeRuntime } from '../node-runtime.ts';
import { cgroups } from './cgroups.ts';
import { type Channel, openChannel } from './channel.ts';
import { containerdConfig, containerdPaths } from './containerd-config.ts';
import type { ContainerdParts } from './detect-containerd.ts';
import { diskFiles } from './disk-files.ts';
import { criImageService } from './image-service.ts';
import { imageVolumes } from './image-volumes.ts';
import { readMachine, readUsage } from './machine.ts';
import { pauseImage, pauseImageName } from './pause-image.ts';
import { criRuntimeService } from './runtime-service.ts';

export interface ContainerdNodeOptions {
  /** Root, state, socket, configuration and log of the daemon. */
  readonly dir: string;
  readonly parts: ContainerdParts;
  readonly clock: Clock;
  /** Ends waiting for the daemon. */
  readonly signal?: AbortSignal;
}

export interface ContainerdNode extends NodeRuntime {
  /** Puts a network configuration (CNI conflist) where the runtime looks. */
  writeNetworkConfig(name: string, conflist: string): Promise<void>;
  /** Loads an image archive (docker save or OCI layout). */
  loadImage(archive: Buffer | string): Promise<void>;
  readonly pid: number;
}

const startTimeout = 20_000;

const answers = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect({ path: socket });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });

/** Starts the daemon unless one already answers on our socket (it outlives us, so that pods do). Gives its process id. */
export async function startDaemon(options: ContainerdNodeOptions): Promise<number> {
  const paths = containerdPaths(options.dir);
  const pidFile = `${options.dir}/containerd.pid`;
  if (await answers(paths.socket)) return Number(await readFile(pidFile, 'utf8'));
  for (const dir of [options.dir, paths.certs, paths.cni]) await mkdir(dir, { recursive: true, mode: 0o711 });
  const { cniBinDir, restrictOomScoreAdj } = options.parts;
  const settings = { dir: options.dir, streamAddress: '127.0.0.1', cniBinDir, restrictOomScoreAdj };
  await writeFile(paths.config, containerdConfig(settings), { mode: 0o600 });
  const log = await open(paths.log, 'a', 0o600);
  const child: ChildProcess = spawn(options.parts.containerd, ['--config', paths.config], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  await log.close();
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  const deadline = options.clock.monotonic() + startTimeout;
  while (!(await answers(paths.socket))) {
    if (ended || options.clock.monotonic() > deadline) {
      const said = (await readFile(paths.log, 'utf8')).trim().split('\n').slice(-3).join('; ');
      throw new Error(`containerd did not start: ${said}`);
    }
    await Promise.race([sleep(options.clock, 30, options.signal), failed]);
  }
  child.unref();
  await writeFile(pidFile, String(child.pid), { mode: 0o600 });
  return child.pid ?? 0;
}

/** Whether this containerd mounts images into containers by itself: since 2.1. */
function mountsImages(version: RuntimeVersion): boolean {
  const [major = 0, minor = 0] = version.runtimeVersion.replace(/^v/, '').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 1);
}

/** Waits until CRI itself answers, which is a moment after the socket does. */
export async function untilServing(channel: Channel, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + startTimeout;
  for (;;) {
    try {
      await channel.runtime.call('Version', {}, 2000);
      return;
    } catch (error) {
      if (clock.monotonic() > deadline) throw error;
      await sleep(clock, 50);
    }
  }
}

/** A real node: a containerd of our own below `dir`, spoken to over CRI, with the machine's disk and network. */
export async function containerdNode(options: ContainerdNodeOptions): Promise<ContainerdNode> {
  const paths = containerdPaths(options.dir);
  let pid = await startDaemon(options);
  const channel = await openChannel(paths.socket);
  await untilServing(channel, options.clock);
  const images = criImageService(channel.images);
  const version = await channel.runtime.call<RuntimeVersion>('Version', {});

  const loadImage = async (archive: Buffer | string): Promise<void> => {
    const fromFile = typeof archive === 'string';
    const args = [
      '--address',
      paths.socket,
      '-n',
      'k8s.io',
      'images',
      'import',
      '--all-platforms',
      fromFile ? archive : '-',
    ];
    const child = spawn(options.parts.ctr, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2000);
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(fromFile ? '' : archive);
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`cannot load the image: ${complaint.trim()}`);
  };
  if (!(await images.imageStatus({ image: pauseImageName }))) {
    const archive = await pauseImage(process.arch);
    if (archive) await loadImage(archive);
  }

  const service = criRuntimeService(
    channel,
    options.clock,
    mountsImages(version)
      ? undefined
      : imageVolumes({ ctr: options.parts.ctr, socket: paths.socket, dir: `${options.dir}/image-volumes` }),
  );

  return {
    kind: 'containerd',
    get pid() {
      return pid;
    },
    runtime: {
      ...service,
      async *events(signal) {
        // Whoever listens again after the daemon has died brings it back; its pods have gone on running.
        pid = await startDaemon(options);
        yield* service.events(signal);
      },
    },
    images,
    files: diskFiles(),
    dialer: {
      connect: (host, port, signal) =>
        new Promise((resolve, reject) => {
          const socket = connect({ host, port, signal });
          socket.once('connect', () => resolve(socket));
          socket.once('error', reject);
        }),
    },
    machine: () => readMachine(options.dir),
    usage: () => readUsage(options.clock),
    cgroups: cgroups(),
    loadImage,
    writeNetworkConfig: (name, conflist) => writeFile(`${paths.cni}/${name}`, conflist, { mode: 0o600 }),
    close: async () => channel.close(),
  };
}
