import { Readable, Writable } from 'node:stream';
import type { StreamOptions, StreamSession } from '../../cri.ts';
import { type OpenFile, streamFile } from '../kernel/open-file.ts';
import { type ByteQueue, byteQueue } from '../kernel/pipe.ts';
import type { Tty } from '../kernel/tty.ts';
import { writeAll } from '../net/duplex.ts';

const capacity = 1 << 20;

/** A Node stream of what is in a queue. */
export function readableOf(source: {
  tryRead(max: number): Uint8Array | null | undefined;
  onReady(wake: () => void): () => void;
}): Readable {
  let undo: (() => void) | undefined;
  return new Readable({
    read(size) {
      const part = source.tryRead(size || 65536);
      undo?.();
      undo = undefined;
      if (part === undefined) undo = source.onReady(() => this._read(size));
      else this.push(part);
    },
    destroy(error, done) {
      undo?.();
      done(error);
    },
  });
}

const queueReadable = (queue: ByteQueue): Readable =>
  readableOf({ tryRead: queue.tryRead, onReady: (wake) => queue.onReady('read', wake) });

/** Standard streams made of queues: the files for the process, the streams for the session. */
export interface SessionPipes {
  readonly files: readonly [OpenFile, OpenFile, OpenFile];
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** The process is gone: what it wrote can still be read, then the streams end. */
  finish(): void;
  close(): void;
}

const nullFile = (): OpenFile =>
  streamFile('/dev/null', { kind: 'device', tryRead: () => null, tryWrite: (data) => data.length });

/** Queues for the streams asked for; /dev/null for the others. */
export function sessionPipes(options: StreamOptions): SessionPipes {
  const input = options.stdin ? byteQueue(65536) : undefined;
  const output = options.stdout ? byteQueue(capacity) : undefined;
  const errors = options.stderr ? byteQueue(capacity) : undefined;
  const writer = (queue: ByteQueue | undefined): OpenFile =>
    queue ? streamFile('pipe:[2]', { tryWrite: queue.tryWrite, onReady: queue.onReady }) : nullFile();
  const stdin =
    input &&
    new Writable({
      write(chunk: Uint8Array, _encoding, done) {
        if (input.abandoned || input.ended) done();
        else
          writeAll(streamFile('pipe:[1]', { tryWrite: input.tryWrite, onReady: input.onReady }), chunk, () => done());
      },
      final(done) {
        input.end();
        done();
      },
    });
  const stdout = output ? queueReadable(output) : null;
  const stderr = errors ? queueReadable(errors) : null;
  return {
    files: [
      input ? streamFile('pipe:[1]', { tryRead: input.tryRead, onReady: input.onReady }) : nullFile(),
      writer(output),
      writer(errors),
    ],
    stdin: stdin ?? null,
    stdout,
    stderr,
    finish() {
      input?.abandon();
      output?.end();
      errors?.end();
    },
    close() {
      stdin?.destroy();
      input?.end();
      output?.abandon();
      errors?.abandon();
      stdout?.destroy();
      stderr?.destroy();
    },
  };
}

/** The session side of a terminal. */
export function ttyStreams(tty: Tty, options: StreamOptions): Pick<StreamSession, 'stdin' | 'stdout' | 'stderr'> {
  const stdin = options.stdin
    ? new Writable({
        write(chunk: Uint8Array, _encoding, done) {
          tty.input(chunk);
          done();
        },
      })
    : null;
  return {
    stdin,
    stdout: options.stdout ? readableOf({ tryRead: tty.tryRead, onReady: tty.onReady }) : null,
    stderr: null,
  };
}
