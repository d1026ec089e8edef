import { Writable } from 'node:stream';
import { CriError, type StreamOptions, type StreamSession } from '../../cri.ts';
import { streamFile } from '../kernel/open-file.ts';
import { byteQueue } from '../kernel/pipe.ts';
import type { Process } from '../kernel/process.ts';
import { createTty } from '../kernel/tty.ts';
import { writeAll } from '../net/duplex.ts';
import type { Container } from './container.ts';
import { readableOf, sessionPipes, ttyStreams } from './session.ts';
import { launch, newProcess, startFailure } from './start-process.ts';

/** containerd's error for an exec whose command cannot run. */
export const execFailure = (id: string, why: string): CriError =>
  new CriError(
    'Unknown',
    `failed to exec in container: failed to start exec "${id}": OCI runtime exec failed: exec failed: unable to start container process: ${why}`,
  );

/** Waits for a process's end. */
export const ended = (p: Process): Promise<{ readonly exitCode: number }> =>
  new Promise((resolve) => p.whenEnded(({ code }) => resolve({ exitCode: code })));

/** A command in a running container with streams of its own. */
export function execSession(
  container: Container,
  command: readonly string[],
  options: StreamOptions,
  id: string,
): StreamSession & { readonly process: Process } {
  const p = newProcess(container);
  const why = startFailure(container, command, p);
  if (why) {
    p.terminate('KILL');
    throw execFailure(id, why);
  }
  if (options.tty) {
    const tty = createTty();
    p.env.set('TERM', 'xterm');
    const streams = ttyStreams(tty, options);
    const slave = tty.open();
    launch(container, p, command, [slave, slave, slave], tty);
    p.whenEnded(() => tty.finish());
    return {
      ...streams,
      process: p,
      exit: ended(p),
      resize: (width, height) => tty.resize(width, height),
      close() {
        if (p.alive) tty.hangUp();
        if (p.alive) p.terminate('KILL');
        streams.stdin?.destroy();
        streams.stdout?.destroy();
      },
    };
  }
  const pipes = sessionPipes(options);
  launch(container, p, command, pipes.files, undefined);
  p.whenEnded(() => pipes.finish());
  return {
    stdin: pipes.stdin,
    stdout: pipes.stdout,
    stderr: pipes.stderr,
    process: p,
    exit: ended(p),
    resize: () => undefined,
    close() {
      if (p.alive) p.terminate('KILL');
      pipes.close();
    },
  };
}

const tapCapacity = 1 << 20;

/** Joins the streams of a running container's main process. */
export function attachSession(container: Container, options: StreamOptions): StreamSession {
  const streams = { stdout: byteQueue(tapCapacity), stderr: byteQueue(tapCapacity) };
  const tap = {
    write(stream: 'stdout' | 'stderr', data: Uint8Array): void {
      const queue = streams[stream];
      if (!queue.ended && !queue.abandoned && options[stream]) queue.tryWrite(data);
    },
    full: () =>
      (options.stdout && streams.stdout.size > tapCapacity / 2) ||
      (options.stderr && streams.stderr.size > tapCapacity / 2),
  };
  container.log.taps.add(tap);
  const finish = (): void => {
    container.log.taps.delete(tap);
    container.log.drained();
    for (const queue of [streams.stdout, streams.stderr]) if (!queue.ended) queue.end();
  };
  let detach = (): void => undefined;
  const exit = new Promise<{ exitCode: number }>((resolve) => {
    detach = () => {
      finish();
      resolve({ exitCode: container.exitCode });
    };
    container.exited.add(detach);
  });
  const { tty, stdin } = container;
  const input = options.stdin
    ? new Writable({
        write(chunk: Uint8Array, _encoding, done) {
          if (tty) tty.input(chunk);
          else if (stdin && !stdin.ended && !stdin.abandoned) {
            writeAll(streamFile('pipe:[1]', { tryWrite: stdin.tryWrite, onReady: stdin.onReady }), chunk, () => done());
            return;
          }
          done();
        },
        final(done) {
          if (container.config.stdinOnce && stdin && !stdin.ended) stdin.end();
          done();
        },
      })
    : null;
  const readable = (name: 'stdout' | 'stderr'): ReturnType<typeof readableOf> =>
    readableOf({
      tryRead(max) {
        const part = streams[name].tryRead(max);
        if (part) container.log.drained();
        return part;
      },
      onReady: (wake) => streams[name].onReady('read', wake),
    });
  return {
    stdin: input,
    stdout: options.stdout ? readable('stdout') : null,
    stderr: options.stderr && !tty ? readable('stderr') : null,
    exit,
    resize: (width, height) => tty?.resize(width, height),
    close() {
      container.exited.delete(detach);
      detach();
      input?.destroy();
    },
  };
}
