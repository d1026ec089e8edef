import { SysError } from '../errno.ts';
import type { OpenFile } from './open-file.ts';
import { waitQueue } from './wait-queue.ts';

/** A bounded queue of bytes with a reading and a writing side. */
export interface ByteQueue {
  readonly size: number;
  /** No more will be written. */
  end(): void;
  /** Nobody will read any more: writes fail. */
  abandon(): void;
  readonly ended: boolean;
  readonly abandoned: boolean;
  tryRead(max: number): Uint8Array | null | undefined;
  tryWrite(data: Uint8Array): number;
  onReady(kind: 'read' | 'write', wake: () => void): () => void;
}

/** A queue that holds at most `capacity` bytes. */
export function byteQueue(capacity: number): ByteQueue {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  let abandoned = false;
  const readers = waitQueue();
  const writers = waitQueue();
  return {
    get size() {
      return size;
    },
    get ended() {
      return ended;
    },
    get abandoned() {
      return abandoned;
    },
    end() {
      ended = true;
      readers.wake();
      writers.wake();
    },
    abandon() {
      abandoned = true;
      chunks = [];
      size = 0;
      writers.wake();
      readers.wake();
    },
    tryRead(max) {
      const first = chunks[0];
      if (!first) return ended || abandoned ? null : undefined;
      let out: Uint8Array;
      if (first.length > max) {
        out = first.subarray(0, max);
        chunks[0] = first.subarray(max);
      } else {
        out = first;
        chunks.shift();
      }
      size -= out.length;
      writers.wake();
      return out;
    },
    tryWrite(data) {
      if (abandoned || ended) throw new SysError('EPIPE');
      const room = capacity - size;
      // Small writes are atomic (PIPE_BUF), so lines of several writers do not mix.
      if (room <= 0 || (data.length <= 4096 && data.length > room)) return 0;
      const part = data.length > room ? data.slice(0, room) : data.slice();
      if (part.length > 0) chunks.push(part);
      size += part.length;
      readers.wake();
      return part.length;
    },
    onReady: (kind, wake) => (kind === 'read' ? readers : writers).add(wake),
  };
}

const pipeCapacity = 65536;

/** pipe(2): the reading and the writing end. */
export function createPipe(): { readonly reader: OpenFile; readonly writer: OpenFile } {
  const queue = byteQueue(pipeCapacity);
  const refuse = (): never => {
    throw new SysError('EBADF');
  };
  const base = { kind: 'pipe', refs: 0, path: 'pipe:[1]', offset: 0, onReady: queue.onReady } as const;
  return {
    reader: {
      ...base,
      readable: true,
      writable: false,
      tryRead: queue.tryRead,
      tryWrite: refuse,
      released: () => queue.abandon(),
    },
    writer: {
      ...base,
      readable: false,
      writable: true,
      tryRead: refuse,
      tryWrite: queue.tryWrite,
      released: () => queue.end(),
    },
  };
}

/** A named pipe: opened many times, ends when the last writer goes. */
export function createFifo(): { open(read: boolean, write: boolean, path: string): OpenFile } {
  const queue = byteQueue(pipeCapacity);
  const changed = waitQueue();
  let writers = 0;
  let everWritten = false;
  return {
    open(read, write, path) {
      if (write) {
        writers++;
        everWritten = true;
        changed.wake();
      }
      return {
        kind: 'pipe',
        refs: 0,
        readable: read,
        writable: write,
        path,
        offset: 0,
        tryRead(max) {
          const part = queue.tryRead(max);
          return part === undefined && writers === 0 && everWritten ? null : part;
        },
        tryWrite: queue.tryWrite,
        onReady(kind, wake) {
          const first = queue.onReady(kind, wake);
          const second = changed.add(wake);
          return () => {
            first();
            second();
          };
        },
        released() {
          if (!write) return;
          writers--;
          changed.wake();
        },
      };
    },
  };
}
