import { type Clock, systemClock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/random.ts';
import { builtinImages } from '../images/catalogue.ts';
import type { SimImage } from '../images/sim-image.ts';
import { createCgroup } from '../kernel/cgroup.ts';
import { createDev } from '../kernel/devices.ts';
import { become, prepare, run, searchPath } from '../kernel/exec.ts';
import { streamFile } from '../kernel/open-file.ts';
import { createPipe } from '../kernel/pipe.ts';
import { createProc, createSys } from '../kernel/proc-fs.ts';
import { Process } from '../kernel/process.ts';
import { createPidNamespace, type ProgramTable, type Workload } from '../kernel/workload.ts';
import { createSimNetwork, type SimNetwork } from '../net/sim-network.ts';
import { readData } from '../vfs/file-data.ts';
import { createFileSystem, createInode, type Inode, overlay, writeInode } from '../vfs/inode.ts';
import { find, type Mounted, type MountSpace, rootCredentials, type Viewpoint } from '../vfs/mount-space.ts';
import { makeDirectories, openInode } from '../vfs/operations.ts';
import { builtinPrograms } from './table.ts';

/** A running command in a box. */
export interface BoxRun {
  readonly p: Process;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  /** Resolves when the text is in either stream. */
  saw(text: string): Promise<void>;
  /** Writes to its standard input, or ends it. */
  type(text: string | null): void;
}

/** A container without a cluster: an image's files, a network of its own or a shared one. */
export interface SimBox {
  readonly workload: Workload;
  readonly network: SimNetwork;
  readonly ip: string;
  /** Starts a command; with the image's own when none is given. */
  start(argv?: readonly string[], options?: BoxOptions): BoxRun;
  /** Runs a command to its end. */
  run(argv: readonly string[], options?: BoxOptions): Promise<{ stdout: string; stderr: string; code: number }>;
  write(path: string, text: string, mode?: number): void;
  read(path: string): string;
}

export interface BoxOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly cwd?: string;
}

/** Finds a builtin image by `nginx` or `nginx:1.25`. */
export function builtinImage(name: string): SimImage {
  const [repository = '', tag = 'latest'] = name.split(':');
  const full = repository.includes('.')
    ? repository
    : repository.includes('/')
      ? `docker.io/${repository}`
      : `docker.io/library/${repository}`;
  const found = builtinImages().find((image) => image.repository === full && image.tags.includes(tag));
  if (!found) throw new Error(`no image ${name}`);
  return found;
}

let nextAddress = 1;

/** Makes a box of an image. */
export function simBox(
  image: SimImage,
  settings: {
    readonly network?: SimNetwork;
    readonly clock?: Clock;
    readonly memoryLimit?: number;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly hosts?: string;
    readonly programs?: ProgramTable;
  } = {},
): SimBox {
  const clock = settings.clock ?? systemClock;
  const network = settings.network ?? createSimNetwork({ clock, connectTimeoutMs: 300 });
  const ip = `10.244.${nextAddress >> 8}.${nextAddress++ & 255}`;
  const now = (): number => clock.now();
  const mounts = new Map<Inode, Mounted>();
  const space: MountSpace = {
    root: overlay(createFileSystem('overlay', now), image.tree()),
    rootReadonly: false,
    mounts,
  };
  const view: Viewpoint = { space, credentials: rootCredentials, cwd: '/' };
  const cgroup = createCgroup(network.pacer);
  cgroup.memoryLimit = settings.memoryLimit ?? 0;
  const own = image.programs ?? {};
  const late = (): Workload => workload;
  const workload: Workload = {
    id: 'box',
    name: 'box',
    hostname: 'box',
    clock,
    random: seededRandom(1),
    cgroup,
    pids: createPidNamespace(),
    space,
    net: network.createNamespace('box', 'node', [ip]),
    programs: { find: (name) => own[name] ?? (settings.programs ?? builtinPrograms).find(name) },
    machine: {
      cpus: 4,
      memoryBytes: 2 ** 33,
      bootedAt: now() - 90_000,
      kernelVersion: '6.1.0-sim',
      nodeName: 'node',
      architecture: 'amd64',
    },
    privileged: false,
    noNewPrivs: false,
    capabilities: new Set(['NET_RAW', 'CHOWN', 'KILL']),
    seccomp: true,
    annotations: settings.annotations ?? {},
    sysctls: {},
    image: image.repository.slice(image.repository.indexOf('/') + 1).replace(/^library\//, ''),
  };
  const mount = (path: string, root: Inode, type: string): void => {
    mounts.set(makeDirectories(view, path), {
      path,
      root,
      readonly: false,
      source: type,
      type,
      options: 'rw,relatime',
    });
  };
  mount('/proc', createProc(now, late), 'proc');
  mount('/dev', createDev(createFileSystem('tmpfs', now, 1 << 26)), 'tmpfs');
  mount('/dev/shm', createInode(createFileSystem('tmpfs', now, 1 << 26), 'directory', 0o1777), 'tmpfs');
  mount('/sys', createSys(now, late), 'sysfs');
  const write = (path: string, text: string, mode = 0o644): void => {
    makeDirectories(view, path.slice(0, path.lastIndexOf('/')) || '/');
    const { inode } = openInode(view, path, { write: true, create: true, truncate: true }, mode);
    inode.mode = mode;
    writeInode(inode, 0, Buffer.from(text));
  };
  write('/etc/hosts', settings.hosts ?? '127.0.0.1\tlocalhost\n');
  write('/etc/hostname', 'box\n');

  const start = (argv?: readonly string[], options: BoxOptions = {}): BoxRun => {
    const words = argv ?? [...(image.entrypoint ?? []), ...(image.cmd ?? [])];
    const imageUid = Number(/^\d+/.exec(image.user ?? '0')?.[0] ?? 0);
    const uid = options.uid ?? imageUid;
    const p = new Process(workload, undefined, { uid, gid: uid, groups: [uid], override: uid === 0 });
    p.env = new Map(
      Object.entries({
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOSTNAME: 'box',
        HOME: uid === 0 ? '/root' : '/',
        ...image.env,
        ...options.env,
      }),
    );
    p.cwd = options.cwd ?? image.workingDir ?? '/';
    const out: Record<1 | 2, Buffer[]> = { 1: [], 2: [] };
    const watchers = new Set<() => void>();
    const sink = (fd: 1 | 2) =>
      streamFile('pipe:[1]', {
        tryWrite(data) {
          out[fd].push(Buffer.from(data));
          for (const watcher of [...watchers]) watcher();
          return data.length;
        },
      });
    const pipe = createPipe();
    p.install(pipe.reader, 0);
    p.install(sink(1), 1);
    p.install(sink(2), 2);
    const text = (fd: 1 | 2): string => Buffer.concat(out[fd]).toString();
    const type = (input: string | null): void => {
      if (input === null) pipe.writer.released();
      else if (pipe.writer.tryWrite(Buffer.from(input)) < Buffer.byteLength(input))
        throw new Error('standard input is full');
    };
    if (options.stdin !== undefined) {
      type(options.stdin);
      type(null);
    } else if (argv) type(null);
    const ended = new Promise<number>((resolve) => p.whenEnded((status) => resolve(status.code)));
    const name = words[0] ?? '';
    const path = searchPath(p, name);
    if (path === undefined) throw new Error(`no ${name} in the image`);
    const executable = prepare(p, path, words);
    run(p, (process) => become(process, executable));
    return {
      p,
      stdout: () => text(1),
      stderr: () => text(2),
      ended,
      type,
      saw: (wanted) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (!text(1).includes(wanted) && !text(2).includes(wanted)) return;
            watchers.delete(look);
            resolve();
          };
          watchers.add(look);
          look();
          void ended.then((code) =>
            reject(new Error(`ended with ${code} before it said ${JSON.stringify(wanted)}:\n${text(1)}${text(2)}`)),
          );
        }),
    };
  };
  return {
    workload,
    network,
    ip,
    start,
    async run(argv, options = {}) {
      // Each command is PID 1 of its own namespace, unless others still run.
      if ([...workload.pids.processes.values()].every((process) => !process.alive)) {
        workload.pids.processes.clear();
        workload.pids.nextPid = 1;
      }
      const started = start(argv, { stdin: '', ...options });
      const code = await started.ended;
      return { stdout: started.stdout(), stderr: started.stderr(), code };
    },
    write,
    read(path) {
      const { inode } = find(view, path);
      const parts: Uint8Array[] = [];
      for (let at = 0; inode.data && at < inode.data.size; ) {
        const part = readData(inode.data, at, 1 << 20);
        parts.push(part);
        at += part.length;
      }
      return Buffer.concat(parts).toString();
    },
  };
}
