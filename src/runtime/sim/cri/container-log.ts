import type { Clock } from '../../../base/clock.ts';
import { waitQueue } from '../kernel/wait-queue.ts';

/** Where attached sessions get a container's output; false when they cannot take more now. */
export interface OutputTap {
  write(stream: 'stdout' | 'stderr', data: Uint8Array): void;
  full(): boolean;
}

/** The container's output: lines for its log file, bytes for those attached. */
export interface ContainerLog {
  /** Bytes taken, 0 = a reader is behind; with `force` all of them, and a reader who is behind misses some. */
  write(stream: 'stdout' | 'stderr', data: Uint8Array, force?: boolean): number;
  onReady(wake: () => void): () => void;
  readonly taps: Set<OutputTap>;
  drained(): void;
  /** Writes what is left without an end of line. */
  flush(): void;
}

/** containerd splits longer lines (max_container_log_line_size). */
const longestLine = 16 * 1024;

/** RFC 3339 with nanoseconds, growing within a millisecond so that order is kept. */
export function nanoStamps(clock: Clock): () => string {
  let last = 0;
  let nanos = 0;
  return () => {
    const now = clock.now();
    nanos = Math.floor(now) === Math.floor(last) ? Math.min(nanos + 1000, 999_999) : Math.floor((now % 1) * 1_000_000);
    last = now;
    return `${new Date(Math.floor(now)).toISOString().slice(0, 23)}${String(nanos).padStart(6, '0')}Z`;
  };
}

/** Writes the CRI log format: `<time> stdout|stderr F|P <text>`. */
export function createContainerLog(clock: Clock, append: (bytes: Uint8Array) => void): ContainerLog {
  const stamp = nanoStamps(clock);
  const rest: Record<'stdout' | 'stderr', Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const ready = waitQueue();
  const taps = new Set<OutputTap>();
  const line = (stream: string, tag: 'F' | 'P', text: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from(`${stamp()} ${stream} ${tag} `), text, Buffer.from('\n')]);
  const log: ContainerLog = {
    taps,
    write(stream, data, force) {
      if (!force) for (const tap of taps) if (tap.full()) return 0;
      for (const tap of taps) tap.write(stream, data);
      let text = rest[stream].length > 0 ? Buffer.concat([rest[stream], data]) : Buffer.from(data);
      const out: Buffer[] = [];
      for (;;) {
        const end = text.indexOf(10);
        const length = end < 0 ? text.length : end;
        if (length > longestLine || (end < 0 && length === longestLine)) {
          out.push(line(stream, 'P', text.subarray(0, longestLine)));
          text = text.subarray(longestLine);
        } else if (end >= 0) {
          out.push(line(stream, 'F', text.subarray(0, end)));
          text = text.subarray(end + 1);
        } else break;
      }
      rest[stream] = Buffer.from(text);
      if (out.length > 0) append(Buffer.concat(out));
      return data.length;
    },
    onReady: (wake) => ready.add(wake),
    drained: () => ready.wake(),
    flush() {
      for (const stream of ['stdout', 'stderr'] as const) {
        if (rest[stream].length > 0) append(line(stream, 'P', rest[stream]));
        rest[stream] = Buffer.alloc(0);
      }
    },
  };
  return log;
}
