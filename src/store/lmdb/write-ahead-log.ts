import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendWrite } from '../mvcc/backend.ts';
import { StoreCorruptError, StoreUnavailableError } from '../store.ts';
import { decodeFrame, encodeFrame, type Frame, frameMagic } from './frame.ts';

/**
 * Segments keep their length: they are filled with zeros before first use and used again when their frames are no longer needed.
 * So an append changes no length, and one write makes it durable.
 */
const segmentBytes = 16 * 1024 * 1024;
const headBytes = 32;
const zeros = Buffer.alloc(1024 * 1024);
const mostSpares = 2;

interface Segment {
  path: string;
  /** -1 for what was there when the log was opened: never appended to. */
  readonly fd: number;
  readonly room: number;
  end: number;
  /** The sequence number of its last frame. */
  last: number;
}

export interface WriteAheadLog {
  /** The number of the last frame. */
  readonly sequence: number;
  readonly bytes: number;
  /** Resolves when the writes are on disk; all of them or none. */
  append(writes: readonly BackendWrite[]): Promise<void>;
  /** Forgets frames up to `sequence`, whose writes are on disk elsewhere. */
  forget(sequence: number): void;
  /** Removes what `sequence` covers and leaves the rest for the next opening. */
  close(sequence: number): Promise<void>;
}

const nameOf = (sequence: number): string => `wal-${String(sequence).padStart(16, '0')}.log`;
const isSegment = (name: string): boolean => /^wal-\d{16}\.log$/.test(name);

function head(id: string): Buffer {
  const out = Buffer.alloc(headBytes);
  out.write('coracle wal 2 ', 0, 'latin1');
  out.write(id, 16, 'latin1');
  return out;
}

const firstOf = (name: string): number => Number(name.slice(4, 20));

/**
 * Reads the frames of one segment. What follows the last frame is zeros, older frames of an earlier use of the file, or the rest of a
 * write that a crash cut short and nobody was told of. Newer frames after a gap mean that the file is damaged.
 */
function readSegment(path: string, first: number, id: string): readonly Frame[] {
  const bytes = readFileSync(path);
  if (bytes.length < headBytes || bytes.compare(head(id), 0, headBytes, 0, headBytes) !== 0)
    throw new StoreCorruptError(`${path} is not a log of this store`);
  const frames: Frame[] = [];
  let at = headBytes;
  for (;;) {
    const found = decodeFrame(bytes, at);
    if (found?.frame.sequence !== first + frames.length) break;
    frames.push(found.frame);
    at = found.next;
  }
  for (let later = bytes.indexOf(frameMagic, at); later >= 0; later = bytes.indexOf(frameMagic, later + 1)) {
    const found = decodeFrame(bytes, later);
    if (found && found.frame.sequence >= first + frames.length)
      throw new StoreCorruptError(`${path} is damaged at byte ${at}`);
  }
  return frames;
}

function syncDirectory(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const unavailable = (error: unknown): StoreUnavailableError => {
  const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreUnavailableError(full ? 'no space left on the disk' : `the write did not reach the disk: ${reason}`);
};

/**
 * Opens the log of the store `id` (16 characters) in `dir`, giving every frame after `applied` to `replay` in order. Throws
 * `StoreCorruptError` for damage, foreign files and gaps.
 */
export function openLog(dir: string, id: string, applied: number, replay: (frame: Frame) => void): WriteAheadLog {
  for (const name of readdirSync(dir)) if (/^spare-\d+\.log$/.test(name)) unlinkSync(join(dir, name));
  const names = readdirSync(dir).filter(isSegment).sort();
  let sequence = applied;
  let segments: Segment[] = [];
  for (const name of names) {
    const path = join(dir, name);
    for (const frame of readSegment(path, firstOf(name), id)) {
      if (frame.sequence <= sequence) continue;
      if (frame.sequence !== sequence + 1)
        throw new StoreCorruptError(`${path} goes on at ${frame.sequence} after ${sequence}`);
      sequence = frame.sequence;
      replay(frame);
    }
    segments.push({ path, fd: -1, end: 0, room: segmentBytes, last: sequence });
  }
  let open: Segment | undefined;
  let spares: Segment[] = [];
  let spareCount = 0;
  let preparing: Promise<void> | undefined;
  let broken: StoreUnavailableError | undefined;
  let closed = false;

  const fill = async (file: FileHandle, room: number): Promise<void> => {
    await file.write(head(id), 0, headBytes, 0);
    for (let at = headBytes; at < room; at += zeros.length)
      await file.write(zeros, 0, Math.min(zeros.length, room - at), at);
    await file.sync();
  };
  const prepare = async (room: number): Promise<void> => {
    const path = join(dir, `spare-${spareCount++}.log`);
    const file = await openFile(path, 'wx', 0o600);
    try {
      await fill(file, room);
    } catch (error) {
      unlinkSync(path);
      throw error;
    } finally {
      await file.close();
    }
    if (closed) unlinkSync(path);
    else spares.push({ path, fd: openSync(path, constants.O_RDWR | constants.O_DSYNC), end: headBytes, room, last: 0 });
  };
  /** Makes the next segment while the present one is filled. A failure shows when it is needed. */
  const prepareSoon = (): void => {
    if (spares.length > 0 || preparing) return;
    preparing = prepare(segmentBytes)
      .catch(() => undefined)
      .finally(() => {
        preparing = undefined;
      });
  };
  const take = (least: number): Segment | undefined => {
    const found = spares.find((spare) => spare.room >= least);
    spares = spares.filter((spare) => spare !== found);
    return found;
  };
  const next = async (least: number): Promise<Segment> => {
    await preparing;
    let segment = take(least);
    if (!segment) {
      await prepare(Math.max(segmentBytes, least));
      segment = take(least);
    }
    if (!segment) throw new StoreUnavailableError('the log is closed');
    const path = join(dir, nameOf(sequence + 1));
    renameSync(segment.path, path);
    segment.path = path;
    syncDirectory(dir);
    segment.end = headBytes;
    segment.last = sequence;
    prepareSoon();
    return segment;
  };

  const writeAt = (fd: number, data: Buffer, position: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = (from: number): void =>
        write(fd, data, from, data.length - from, position + from, (error, written) => {
          if (error) reject(error);
          else if (from + written < data.length) go(from + written);
          else resolve();
        });
      go(0);
    });

  /** A frame that was refused but may have reached the disk must not come back. */
  const wipe = (segment: Segment, length: number): void => {
    try {
      writeSync(segment.fd, Buffer.alloc(length), 0, length, segment.end);
    } catch (error) {
      broken = unavailable(error);
    }
  };

  const discard = (segment: Segment): void => {
    if (segment.fd < 0 || segment.room !== segmentBytes || spares.length >= mostSpares || closed) {
      if (segment.fd >= 0) closeSync(segment.fd);
      unlinkSync(segment.path);
      return;
    }
    const path = join(dir, `spare-${spareCount++}.log`);
    renameSync(segment.path, path);
    segment.path = path;
    spares.push(segment);
  };

  return {
    get sequence() {
      return sequence;
    },
    get bytes() {
      return [...segments, ...spares, ...(open ? [open] : [])].reduce((total, { room }) => total + room, 0);
    },
    async append(writes) {
      if (broken) throw broken;
      const data = encodeFrame({ sequence: sequence + 1, writes });
      try {
        if (!open || open.end + data.length > open.room) {
          const following = await next(data.length + headBytes);
          if (open) segments.push(open);
          open = following;
        }
      } catch (error) {
        throw unavailable(error);
      }
      try {
        await writeAt(open.fd, data, open.end);
      } catch (error) {
        wipe(open, data.length);
        throw unavailable(error);
      }
      sequence += 1;
      open.end += data.length;
      open.last = sequence;
    },
    forget(upTo) {
      const done = segments.filter((segment) => segment.last <= upTo);
      segments = segments.filter((segment) => segment.last > upTo);
      for (const segment of done) discard(segment);
    },
    async close(upTo) {
      closed = true;
      await preparing;
      for (const segment of [...segments, ...(open ? [open] : [])]) {
        if (segment.last <= upTo) discard(segment);
        else if (segment.fd >= 0) closeSync(segment.fd);
      }
      for (const { fd, path } of spares) {
        closeSync(fd);
        unlinkSync(path);
      }
      segments = [];
      spares = [];
      open = undefined;
    },
  };
}
