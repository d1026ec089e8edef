import { SysError } from '../errno.ts';
import { readData } from '../vfs/file-data.ts';
import { type Caller, type Inode, writeInode } from '../vfs/inode.ts';
import type { Tty } from './tty.ts';

/**
 * An open file description: what file descriptors, shared by fork and dup, point to. Operations never block; a process
 * that meets "would block" waits on `onReady` and tries again.
 */
export interface OpenFile {
  readonly kind: 'file' | 'pipe' | 'tty' | 'socket' | 'device' | 'directory';
  refs: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly path: string;
  readonly inode?: Inode;
  readonly tty?: Tty;
  offset: number;
  /** Bytes, null at the end, undefined when there is nothing yet. */
  tryRead(max: number): Uint8Array | null | undefined;
  /** How many bytes were taken; 0 = would block. Throws EPIPE, ENOSPC, … */
  tryWrite(data: Uint8Array): number;
  onReady(kind: 'read' | 'write', wake: () => void): () => void;
  /** The last descriptor is gone. */
  released(): void;
}

const nothing = (): void => undefined;
export const alwaysReady = (_kind: 'read' | 'write', wake: () => void): (() => void) => {
  queueMicrotask(wake);
  return nothing;
};

/** Lets go of one reference. */
export function releaseFile(file: OpenFile): void {
  file.refs--;
  if (file.refs === 0) file.released();
}

/** A regular, generated or directory inode opened. */
export function openInodeFile(
  inode: Inode,
  path: string,
  mode: { readonly read: boolean; readonly write: boolean; readonly append: boolean },
  caller: Caller | undefined,
): OpenFile {
  let generated: Buffer | undefined;
  const file: OpenFile = {
    kind: inode.type === 'directory' ? 'directory' : 'file',
    refs: 0,
    readable: mode.read,
    writable: mode.write,
    path,
    inode,
    offset: 0,
    tryRead(max) {
      if (inode.type === 'directory') throw new SysError('EISDIR', path);
      if (inode.generate) {
        generated ??= Buffer.from(inode.generate(caller));
        const part = generated.subarray(file.offset, file.offset + max);
        file.offset += part.length;
        return part.length === 0 ? null : part;
      }
      if (!inode.data) return null;
      const part = readData(inode.data, file.offset, max);
      file.offset += part.length;
      return part.length === 0 ? null : part;
    },
    tryWrite(data) {
      if (!mode.write) throw new SysError('EBADF', path);
      if (inode.generate) {
        if (!inode.accept) throw new SysError('EACCES', path);
        inode.accept(Buffer.from(data).toString());
        return data.length;
      }
      if (mode.append) file.offset = inode.data?.size ?? 0;
      writeInode(inode, file.offset, data);
      file.offset += data.length;
      return data.length;
    },
    onReady: alwaysReady,
    released: nothing,
  };
  return file;
}

/** An end of something that is only read or only written through functions: log sinks, session streams. */
export function streamFile(
  path: string,
  ends: Partial<Pick<OpenFile, 'tryRead' | 'tryWrite' | 'onReady' | 'released' | 'kind'>>,
): OpenFile {
  return {
    kind: ends.kind ?? 'pipe',
    refs: 0,
    readable: ends.tryRead !== undefined,
    writable: ends.tryWrite !== undefined,
    path,
    offset: 0,
    tryRead:
      ends.tryRead ??
      (() => {
        throw new SysError('EBADF', path);
      }),
    tryWrite:
      ends.tryWrite ??
      (() => {
        throw new SysError('EBADF', path);
      }),
    onReady: ends.onReady ?? alwaysReady,
    released: ends.released ?? nothing,
  };
}
