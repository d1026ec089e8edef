import type { NodeFiles } from '../../runtime/node-files.ts';
import { parseLogLine } from './cri-log.ts';

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Only what was written at or after this, epoch milliseconds. */
  readonly since?: number;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly stream: 'All' | 'Stdout' | 'Stderr';
}

export interface LogSource {
  readonly files: NodeFiles;
  readonly path: string;
  /** True while more may come. */
  readonly running: () => Promise<boolean>;
  /** Calls back when the container may have ended. Returns what stops it. */
  readonly onChange: (listener: () => void) => () => void;
}

const blockSize = 64 * 1024;
const newline = 0x0a;

/** Where the last `lines` lines begin. */
async function tailOffset(files: NodeFiles, path: string, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size;
  let left = lines;
  let end = size;
  let skippedLast = false;
  while (end > 0) {
    const start = Math.max(0, end - blockSize);
    const block = await files.readAt(path, start, end - start);
    for (let i = block.length - 1; i >= 0; i--) {
      if (block[i] !== newline) continue;
      if (!skippedLast && start + i === size - 1) {
        skippedLast = true;
        continue;
      }
      if (--left === 0) return start + i + 1;
    }
    end = start;
  }
  return 0;
}

/** `2026-01-01T00:00:00.1Z` with nine decimals, as upstream prints it. */
export function fixedNanos(time: string): string {
  const match = /^(.*?T\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time);
  return match ? `${match[1]}.${(match[2] ?? '').padEnd(9, '0').slice(0, 9)}${match[3]}` : time;
}

/**
 * Writes a container's log. Resolves at its end, or with `follow` when the container has ended; at once when the signal is
 * aborted. Upstream: ReadLogs in k8s.io/cri-client/pkg/logs.
 */
export async function readLog(
  source: LogSource,
  options: LogOptions,
  write: (chunk: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { files, path } = source;
  let stat = await files.stat(path);
  if (!stat)
    throw new Error(
      `failed to try resolving symlinks in path ${JSON.stringify(path)}: lstat ${path}: no such file or directory`,
    );
  let offset = options.tailLines === undefined ? 0 : await tailOffset(files, path, stat.size, options.tailLines);
  let inode = stat.inode;
  let rest: Buffer = Buffer.alloc(0);
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let lineStart = true;
  let changed = false;
  let wake: (() => void) | undefined;
  const onChange = (): void => {
    changed = true;
    wake?.();
  };
  const stops = options.follow ? [files.watch(path, onChange), source.onChange(onChange)] : [];
  signal.addEventListener('abort', onChange, { once: true });

  const emit = async (lines: readonly Buffer[]): Promise<void> => {
    const out: Buffer[] = [];
    for (const line of lines) {
      const entry = parseLogLine(line);
      if (!entry) continue;
      if (options.stream !== 'All' && options.stream.toLowerCase() !== entry.stream) continue;
      if (options.since !== undefined && Date.parse(entry.time) < options.since) continue;
      if (options.timestamps && lineStart) out.push(Buffer.from(`${fixedNanos(entry.time)} `));
      out.push(entry.content);
      if (!entry.partial) out.push(Buffer.from('\n'));
      lineStart = !entry.partial;
    }
    if (out.length === 0) return;
    const chunk = Buffer.concat(out);
    const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= part.length;
    await write(part);
  };

  try {
    while (!signal.aborted && left > 0) {
      changed = false;
      const alive = options.follow && (await source.running());
      for (;;) {
        const block = await files.readAt(path, offset, blockSize).catch(() => Buffer.alloc(0));
        if (block.length === 0 || signal.aborted || left <= 0) break;
        offset += block.length;
        const text = rest.length === 0 ? block : Buffer.concat([rest, block]);
        const lines: Buffer[] = [];
        let start = 0;
        for (let end = text.indexOf(newline); end >= 0; end = text.indexOf(newline, start)) {
          lines.push(text.subarray(start, end));
          start = end + 1;
        }
        rest = text.subarray(start);
        await emit(lines);
      }
      if (left <= 0 || signal.aborted) return;
      stat = await files.stat(path);
      if (stat && (stat.inode !== inode || stat.size < offset)) {
        // Rotated: go on with the new file.
        inode = stat.inode;
        offset = 0;
        rest = Buffer.alloc(0);
        stops[0]?.();
        if (options.follow) stops[0] = files.watch(path, onChange);
        continue;
      }
      if (!alive) return;
      if (!changed)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      wake = undefined;
    }
  } finally {
    for (const stop of stops) stop();
    signal.removeEventListener('abort', onChange);
  }
}
