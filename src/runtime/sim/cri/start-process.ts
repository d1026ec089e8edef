import { CriError } from '../../cri.ts';
import { SysError } from '../errno.ts';
import { become, type Executable, prepare, run, searchPath } from '../kernel/exec.ts';
import type { OpenFile } from '../kernel/open-file.ts';
import { Process } from '../kernel/process.ts';
import type { Tty } from '../kernel/tty.ts';
import { resolve } from '../vfs/mount-space.ts';
import type { Container } from './container.ts';

/** runc's words for a command that cannot be executed. */
export function startFailure(container: Container, argv: readonly string[], p: Process): string | undefined {
  const name = argv[0] ?? '';
  const path = name.includes('/') ? name : searchPath(p, name, container.env.get('PATH'));
  if (path === undefined) return `exec: ${JSON.stringify(name)}: executable file not found in $PATH: unknown`;
  try {
    const { inode } = resolve(p.view, path);
    if (!inode) return `exec: ${JSON.stringify(name)}: stat ${name}: no such file or directory: unknown`;
    prepare(p, path, argv);
    return undefined;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      return error.message.endsWith(path) || error.message.includes(`, ${path}`)
        ? `exec: ${JSON.stringify(name)}: stat ${name}: no such file or directory: unknown`
        : `exec ${path}: no such file or directory: unknown`;
    return error.code === 'ENOEXEC'
      ? `exec ${path}: exec format error`
      : `exec: ${JSON.stringify(name)}: permission denied: unknown`;
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
  let executable: Executable;
  try {
    executable = prepare(p, path, argv);
  } catch (error) {
    throw new CriError('Unknown', error instanceof Error ? error.message : String(error));
  }
  run(p, (process) => become(process, executable));
}
