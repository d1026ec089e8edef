import { SysError } from '../errno.ts';
import { readData } from '../vfs/file-data.ts';
import { find, may } from '../vfs/mount-space.ts';
import { chargeMemory } from './cgroup.ts';
import { cost, type Process } from './process.ts';
import type { Program } from './workload.ts';

/** An executable file that is ready to run. */
export interface Executable {
  readonly path: string;
  readonly argv: readonly string[];
  readonly program: Program | (() => Promise<Program>);
  /** Resident memory at the start, bytes. */
  readonly memory: number;
}

/** What an executable file of the simulation holds: an ELF's first bytes, then the program's name and its memory in KiB. */
export const executableMark = '\x7fELF\x02\x01\x01coracle:';

/** The content of an executable that runs `program`. */
export const executableFile = (program: string, memoryKiB = 1024): string =>
  `${executableMark}${program}:${memoryKiB}\n`;

/** Lazily loaded programs are told from programs by this wrapper. */
const loaders = new WeakSet<object>();
export function lazyProgram(load: () => Promise<Program>): () => Promise<Program> {
  loaders.add(load);
  return load;
}

/** Makes ready to execute the file at `path`; throws ENOENT, EACCES, ENOEXEC, ELOOP, … */
export function prepare(p: Process, path: string, argv: readonly string[], depth = 0): Executable {
  if (depth > 4) throw new SysError('ELOOP', path);
  const { inode } = find(p.view, path);
  if (inode.type !== 'file') throw new SysError('EACCES', path);
  if (!may(p.credentials, inode, 1)) throw new SysError('EACCES', path);
  const head = Buffer.from(inode.data ? readData(inode.data, 0, 512) : new Uint8Array(0)).toString('latin1');
  const first = head.split('\n', 1)[0] ?? '';
  if (first.startsWith(executableMark)) {
    const [name = '', memory = '1024'] = first.slice(executableMark.length).split(':');
    const program = p.workload.programs.find(name === 'busybox' ? appletOf(argv) : name);
    if (!program) throw new SysError('ENOEXEC', path);
    return { path, argv, program, memory: Number(memory) * 1024 };
  }
  const shebang = /^#!\s*(\S+)[ \t]*(.*?)\s*$/.exec(first);
  if (shebang?.[1]) {
    const options = shebang[2] ? [shebang[2]] : [];
    return prepare(p, shebang[1], [shebang[1], ...options, path, ...argv.slice(1)], depth + 1);
  }
  throw new SysError('ENOEXEC', path);
}

/** Busybox is one file with many names. */
function appletOf(argv: readonly string[]): string {
  const name = baseName(argv[0] ?? '');
  return name === 'sh' ? 'ash' : name;
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Searches $PATH as execvp(3) does; a name with a slash is taken as it is. Undefined when not found. */
export function searchPath(p: Process, name: string, path = p.env.get('PATH') ?? defaultPath): string | undefined {
  if (name.includes('/')) return name;
  if (name === '') return undefined;
  for (const dir of path.split(':')) {
    const candidate = `${dir === '' ? '.' : dir}/${name}`;
    try {
      const { inode } = find(p.view, candidate);
      if (inode.type === 'file' && may(p.credentials, inode, 1)) return candidate;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }
  return undefined;
}

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** fork(2): a child with the same files and settings that runs `main`. EAGAIN at the PID limit. */
export function fork(parent: Process, main: (child: Process) => number | Promise<number>): Process {
  const { cgroup } = parent.workload;
  if (cgroup.pidsLimit > 0 && cgroup.members.size >= cgroup.pidsLimit) throw new SysError('EAGAIN');
  const child = new (parent.constructor as typeof Process)(parent.workload, parent, parent.credentials);
  parent.fds.forEach((file, fd) => {
    if (file) child.install(file, fd);
  });
  if (parent.handlers) {
    for (const [signal, action] of parent.handlers) if (action === 'ignore') child.handle(signal, 'ignore');
  }
  // A forked copy shares its parent's pages until it writes; what counts is little.
  child.rss = Math.min(parent.rss, 256 * 1024);
  run(child, main, true);
  return child;
}

/** Runs `main` as the life of a process. */
export function run(p: Process, main: (p: Process) => number | Promise<number>, forked = false): void {
  const life = async (): Promise<void> => {
    try {
      if (forked) {
        const wait = p.work(cost.fork);
        if (wait) await wait;
      }
      const code = await main(p);
      if (p.alive) void p.exit(code);
    } catch (error) {
      if (!p.alive) return;
      const text = error instanceof Error ? error.message : String(error);
      // A program that meets an error it does not handle dies as a crashing one does; its last words say why.
      if (!(error instanceof SysError)) await p.complain(`${p.comm}: ${text}\n`).catch(() => undefined);
      if (p.alive) void p.exit(error instanceof SysError && error.code === 'EPIPE' ? 1 : 134);
    }
  };
  queueMicrotask(() => void life());
}

/** execve(2) in a process: what it becomes, to be awaited by the caller as the rest of its life. */
export async function become(p: Process, executable: Executable): Promise<number> {
  p.argv = executable.argv;
  p.comm = baseName(executable.path).slice(0, 15);
  p.exe = executable.path;
  if (p.handlers) {
    for (const [signal, action] of [...p.handlers]) if (action !== 'ignore') p.handle(signal, undefined);
  }
  p.rss = 0;
  if (!chargeMemory(p.workload.cgroup, executable.memory, p)) return new Promise(() => undefined);
  p.rss = executable.memory;
  const program = loaders.has(executable.program)
    ? await (executable.program as () => Promise<Program>)()
    : (executable.program as Program);
  if (!p.alive) return 0;
  return program(p);
}

/** fork and exec of a prepared executable. */
export function spawn(parent: Process, executable: Executable, before?: (child: Process) => void): Process {
  return fork(parent, (child) => {
    before?.(child);
    return become(child, executable);
  });
}
