import type { Clock } from '../../../base/clock.ts';
import { CriError } from '../../cri.ts';
import { containerScript } from '../images/script-annotations.ts';
import { type OpenFile, streamFile } from '../kernel/open-file.ts';
import { byteQueue } from '../kernel/pipe.ts';
import type { ExitStatus } from '../kernel/process.ts';
import { parseSignal, type Signal } from '../kernel/signals.ts';
import { createTty, type Tty } from '../kernel/tty.ts';
import type { Container } from './container.ts';
import { launch, launchScript, newProcess, startFailure } from './start-process.ts';

const stdinCapacity = 65_536;

function logFile(container: Container, stream: 'stdout' | 'stderr'): OpenFile {
  const { log } = container;
  return streamFile(`pipe:[${stream === 'stdout' ? 2 : 3}]`, {
    tryWrite: (data) => log.write(stream, data),
    onReady: (_kind, wake) => log.onReady(wake),
  });
}

/** What a terminal shows goes to the log, as fast as the log takes it. */
function logTerminal(container: Container, tty: Tty): void {
  const pump = (): void => {
    for (;;) {
      const part = tty.tryRead(65_536);
      if (part === null) return;
      if (part === undefined) {
        tty.onReady(pump);
        return;
      }
      keep(part);
    }
  };
  // A terminal's output is taken even when somebody attached is slow: it has its own bounds.
  const keep = (part: Uint8Array): void => void container.log.write('stdout', part, true);
  pump();
}

function standardStreams(container: Container): readonly OpenFile[] {
  const { config } = container;
  if (config.tty) {
    const tty = createTty();
    container.tty = tty;
    const slave = tty.open();
    logTerminal(container, tty);
    return [slave, slave, slave];
  }
  let stdin: OpenFile;
  if (config.stdin) {
    const queue = byteQueue(stdinCapacity);
    container.stdin = queue;
    stdin = streamFile('pipe:[1]', {
      tryRead: queue.tryRead,
      onReady: queue.onReady,
      released: () => queue.abandon(),
    });
  } else stdin = streamFile('/dev/null', { kind: 'device', tryRead: () => null, tryWrite: (data) => data.length });
  return [stdin, logFile(container, 'stdout'), logFile(container, 'stderr')];
}

/** Starts a created container. Throws CriError with runc's words, and then the container has ended with StartError. */
export function startContainer(container: Container, clock: Clock, onEnded: () => void): void {
  if (container.state !== 'CREATED')
    throw new CriError('Unknown', `container is in CONTAINER_${container.state} state`);
  const p = newProcess(container);
  const { annotations, name } = container.workload;
  // Annotations that script this container stand in for its command, which need not exist then.
  const scripted = containerScript(annotations, name).kind !== 'none';
  const why = scripted ? undefined : startFailure(container, container.argv, p);
  if (why) {
    p.terminate('KILL');
    const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${why}`;
    container.state = 'EXITED';
    container.startedAt = 0;
    container.finishedAt = clock.now();
    container.exitCode = 128;
    container.reason = 'StartError';
    container.message = message;
    onEnded();
    throw new CriError('Unknown', message);
  }
  container.init = p;
  container.state = 'RUNNING';
  container.startedAt = clock.now();
  p.whenEnded((status) => {
    finish(container, clock, status);
    onEnded();
  });
  const streams = standardStreams(container);
  if (scripted) launchScript(container, p, streams);
  else launch(container, p, container.argv, streams, container.tty);
}

function finish(container: Container, clock: Clock, status: ExitStatus): void {
  // With its first process a container's others go, those that were exec'd too.
  for (const other of [...container.workload.cgroup.members]) other.terminate('KILL');
  container.tty?.finish();
  container.stdin?.abandon();
  container.log.flush();
  container.state = 'EXITED';
  container.finishedAt = clock.now();
  container.exitCode = status.code;
  container.reason = container.oomKilled ? 'OOMKilled' : status.code === 0 ? 'Completed' : 'Error';
  for (const tell of [...container.exited]) tell();
  container.exited.clear();
}

const stopSignalOf = (container: Container): Signal =>
  parseSignal(container.config.stopSignal || container.image.image.stopSignal || 'TERM') ?? 'TERM';

/** The stop signal, then KILL after `timeoutSeconds`. Resolves when it has stopped. */
export function stopContainer(container: Container, clock: Clock, timeoutSeconds: number): Promise<void> {
  const { init } = container;
  if (container.state !== 'RUNNING' || !init) return Promise.resolve();
  return new Promise((resolve) => {
    const kill = (): void => killContainer(container);
    const timer = timeoutSeconds > 0 ? clock.after(timeoutSeconds * 1000, kill, { background: true }) : undefined;
    container.exited.add(() => {
      timer?.cancel();
      resolve();
    });
    if (timeoutSeconds > 0) init.signal(stopSignalOf(container), false);
    else kill();
  });
}

/** Ends it at once. */
export function killContainer(container: Container): void {
  container.init?.signal('KILL', false);
}
