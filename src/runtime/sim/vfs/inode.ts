import { SysError } from '../errno.ts';
import { copyData, type FileData, fileData, truncateData, writeData } from './file-data.ts';

export type InodeType = 'file' | 'directory' | 'symlink' | 'char' | 'fifo' | 'socket';

/** Who looks: proc files answer for the process that asks. */
export interface Caller {
  readonly pid: number;
}

/** A directory whose content is worked out when it is looked at (procfs). */
export interface DynamicDirectory {
  list(caller: Caller | undefined): readonly string[];
  lookup(name: string, caller: Caller | undefined): Inode | undefined;
}

/** What makes a file system: its name, limit and account. */
export interface FileSystem {
  readonly type: 'overlay' | 'tmpfs' | 'ext4' | 'proc' | 'sysfs' | 'cgroup2' | 'devtmpfs';
  /** Bytes, 0 = no limit. */
  limit: number;
  used: number;
  inodes: number;
  nextIno: number;
  readonly now: () => number;
  /** Told of every change of `used`, before it is made; throws to refuse. For memory and shared disks. */
  readonly charge?: (bytes: number) => void;
}

/** One file of a virtual file system. */
export interface Inode {
  readonly fs: FileSystem;
  readonly ino: number;
  readonly type: InodeType;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  nlink: number;
  data?: FileData;
  /** The data belongs to an image layer: copied at the first write. */
  shared?: boolean;
  entries?: Map<string, Inode>;
  /** The same directory one layer down; its children are taken over one by one as they are looked at. */
  lower?: Inode;
  gone?: Set<string>;
  target?: string | ((caller: Caller | undefined) => string);
  /** The device's name, of a char inode; kernel/devices.ts knows them. */
  device?: string;
  /** Content made when read. */
  generate?: (caller: Caller | undefined) => string;
  /** Takes what is written to a generated file. */
  accept?: (text: string) => void;
  dynamic?: DynamicDirectory;
  /** The pipe behind a fifo or the open file behind /proc/self/fd/N; the kernel knows its type. */
  attachment?: unknown;
  watchers?: Set<(name?: string) => void>;
}

/** A file system of its own. `limit` in bytes, 0 = none. */
export function createFileSystem(
  type: FileSystem['type'],
  now: () => number,
  limit = 0,
  charge?: (bytes: number) => void,
): FileSystem {
  return { type, limit, used: 0, inodes: 0, nextIno: 2, now, ...(charge ? { charge } : {}) };
}

const defaultMode: Readonly<Record<InodeType, number>> = {
  file: 0o644,
  directory: 0o755,
  symlink: 0o777,
  char: 0o666,
  fifo: 0o644,
  socket: 0o755,
};

/** A new inode, not yet in any directory. */
export function createInode(fs: FileSystem, type: InodeType, mode = defaultMode[type], uid = 0, gid = 0): Inode {
  const inode: Inode = { fs, ino: fs.nextIno++, type, mode, uid, gid, mtime: fs.now(), nlink: 1 };
  if (type === 'file') inode.data = fileData();
  if (type === 'directory') inode.entries = new Map();
  fs.inodes++;
  return inode;
}

/** A writable directory over `lower`, sharing its files until they are written to (an overlay). */
export function overlay(fs: FileSystem, lower: Inode): Inode {
  return { ...metadata(lower), fs, ino: fs.nextIno++, type: 'directory', lower };
}

const metadata = (of: Inode): { mode: number; uid: number; gid: number; mtime: number; nlink: number } => ({
  mode: of.mode,
  uid: of.uid,
  gid: of.gid,
  mtime: of.mtime,
  nlink: 1,
});

/** The child of a directory, or undefined. */
export function lookup(dir: Inode, name: string, caller?: Caller): Inode | undefined {
  if (dir.dynamic) {
    const found = dir.entries?.get(name);
    return found ?? dir.dynamic.lookup(name, caller);
  }
  const own = dir.entries?.get(name);
  if (own) return own;
  if (!dir.lower || dir.gone?.has(name)) return undefined;
  const below = lookup(dir.lower, name);
  if (!below) return undefined;
  const taken: Inode =
    below.type === 'directory'
      ? overlay(dir.fs, below)
      : { ...below, fs: dir.fs, ino: dir.fs.nextIno++, ...(below.data ? { shared: true } : {}) };
  delete taken.watchers;
  dir.entries ??= new Map();
  dir.entries.set(name, taken);
  return taken;
}

/** The names in a directory, sorted. */
export function names(dir: Inode, caller?: Caller): readonly string[] {
  const all = new Set<string>(dir.entries?.keys() ?? []);
  if (dir.dynamic) for (const name of dir.dynamic.list(caller)) all.add(name);
  if (dir.lower) for (const name of names(dir.lower)) if (!dir.gone?.has(name)) all.add(name);
  return [...all].sort();
}

/** Puts an inode into a directory; what was there is replaced. */
export function link(dir: Inode, name: string, inode: Inode): void {
  const before = dir.entries?.get(name);
  if (before && before !== inode) release(before);
  dir.entries ??= new Map();
  dir.entries.set(name, inode);
  dir.gone?.delete(name);
  touched(dir, name);
}

/** Takes a name out of a directory. `kept` when the inode lives on under another name (rename). */
export function unlink(dir: Inode, name: string, kept = false): void {
  const inode = lookup(dir, name);
  dir.entries?.delete(name);
  if (dir.lower && lookup(dir.lower, name)) {
    dir.gone ??= new Set();
    dir.gone.add(name);
  }
  if (inode && !kept) release(inode);
  touched(dir, name);
  if (inode?.watchers) for (const watcher of inode.watchers) watcher();
}

/** Gives back what an inode that lost a name took, children included. */
export function release(inode: Inode): void {
  inode.nlink--;
  if (inode.nlink > 0) return;
  if (inode.type === 'directory') {
    for (const child of inode.entries?.values() ?? []) release(child);
    return;
  }
  if (!inode.shared) account(inode.fs, -(inode.data?.size ?? 0));
  inode.fs.inodes = Math.max(0, inode.fs.inodes - 1);
}

function account(fs: FileSystem, delta: number): void {
  if (delta > 0 && fs.limit > 0 && fs.used + delta > fs.limit) throw new SysError('ENOSPC');
  if (delta !== 0) fs.charge?.(delta);
  fs.used = Math.max(0, fs.used + delta);
}

function touched(inode: Inode, name?: string): void {
  inode.mtime = inode.fs.now();
  if (inode.watchers) for (const watcher of [...inode.watchers]) watcher(name);
}

function own(inode: Inode): FileData {
  const data = inode.data ?? fileData();
  if (!inode.shared) {
    inode.data = data;
    return data;
  }
  account(inode.fs, data.size);
  inode.shared = false;
  inode.data = copyData(data);
  return inode.data;
}

/** Writes into a file; ENOSPC when its file system is full. */
export function writeInode(inode: Inode, offset: number, bytes: Uint8Array): void {
  const data = own(inode);
  account(inode.fs, Math.max(0, offset + bytes.length - data.size));
  writeData(data, offset, bytes);
  touched(inode);
}

/** Sets the size of a file. */
export function truncateInode(inode: Inode, size: number): void {
  if (size === 0 && inode.shared) {
    inode.shared = false;
    inode.data = fileData();
  } else {
    const data = own(inode);
    account(inode.fs, size - data.size);
    truncateData(data, size);
  }
  touched(inode);
}

/** The size that stat(2) shows. */
export function sizeOf(inode: Inode): number {
  if (inode.type === 'symlink') return typeof inode.target === 'string' ? inode.target.length : 0;
  if (inode.type === 'directory') return inode.fs.type === 'tmpfs' ? 40 + (inode.entries?.size ?? 0) * 20 : 4096;
  return inode.data?.size ?? 0;
}

/** Bytes and inodes below, counting what this layer owns only; `stop` cuts off other mounts. */
export function usageOf(inode: Inode, stop?: (inode: Inode) => boolean): { bytes: number; inodes: number } {
  const borrowed = inode.lower !== undefined || inode.shared === true;
  let bytes = borrowed ? 0 : inode.type === 'directory' ? 4096 : blocks(inode.data?.size ?? 0);
  let inodes = borrowed ? 0 : 1;
  for (const child of inode.entries?.values() ?? []) {
    if (stop?.(child)) continue;
    const below = usageOf(child, stop);
    bytes += below.bytes;
    inodes += below.inodes;
  }
  return { bytes, inodes };
}

const blocks = (size: number): number => Math.ceil(size / 4096) * 4096;
