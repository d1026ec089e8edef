import { SysError, strerror } from '../errno.ts';
import { become, type Executable, prepare, run, searchPath } from '../kernel/exec.ts';
import type { OpenFile } from '../kernel/open-file.ts';
import { Process } from '../kernel/process.ts';
import type { Tty } from '../kernel/tty.ts';
import { may, resolve } from '../vfs/mount-space.ts';
import type { Container } from './container.ts';

/** runc's words for a command that cannot be executed. What execve(2) itself refuses comes later: see `launch`. */
export function startFailure(container: Container, argv: readonly string[], p: Process): string | undefined {
  const name = argv[0] ?? '';
  const quoted = JSON.stringify(name);
  const path = name.includes('/') ? name : searchPath(p, name, container.env.get('PATH'));
  if (path === undefined) return `exec: ${quoted}: executable file not found in $PATH: unknown`;
  try {
    const { inode } = resolve(p.view, path);
    if (!inode) return `exec: ${quoted}: stat ${name}: no such file or directory: unknown`;
    if (inode.type !== 'file' || !may(p.credentials, inode, 1)) return `exec: ${quoted}: permission denied: unknown`;
    return undefined;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return `exec: ${quoted}: stat ${name}: ${strerror(error).toLowerCase()}: unknown`;
  }
}

/** A process of the container that nothing in it has started; not yet running. */
export function newProcess(container: Container): Process {
  const p = new Process(container.workload, undefined, container.credentials);
  p.env = new Map(container.env);
  p.cwd = container.cwd;
  p.pgid = p.pid;
  return p;
}

/** Lets a process live as its pod's annotations say. */
export function launchScript(container: Container, p: Process, files: readonly OpenFile[]): void {
  files.forEach((file, fd) => void p.install(file, fd));
  p.argv = container.argv;
  p.comm = (container.argv[0] ?? '').replace(/^.*\//, '').slice(0, 15);
  run(p, async (process) => (await import('../programs/scripted.ts')).scripted(process));
}

/** Gives a process its standard streams and lets it go. The command must have been found to be executable. */
export function launch(
  container: Container,
  p: Process,
  argv: readonly string[],
  files: readonly OpenFile[],
  tty: Tty | undefined,
): void {
  files.forEach((file, fd) => void p.install(file, fd));
  if (tty) {
    p.tty = tty;
    tty.onSignal = (signal) => {
      for (const other of p.workload.pids.processes.values())
        if (other.tty === tty && other.alive && !other.background) other.signal(signal);
    };
  }
  const name = argv[0] ?? '';
  const path = name.includes('/') ? name : (searchPath(p, name, container.env.get('PATH')) ?? name);
  run(p, async (process) => {
    let executable: Executable;
    try {
      executable = prepare(process, path, argv);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      // The container runs by now, so runc can only say it there and leave (runc: libcontainer/init_linux.go).
      await process.complain(`exec ${path}: ${strerror(error).toLowerCase()}\n`);
      return 255;
    }
    return become(process, executable);
  });
}
