import type { NodeFileStat, NodeFiles } from '../../node-files.ts';
import { SysError } from '../errno.ts';
import { readData } from './file-data.ts';
import { createFileSystem, createInode, type FileSystem, type Inode, sizeOf, usageOf, writeInode } from './inode.ts';
import { find, type Mounted, type MountSpace, resolve, rootCredentials, type Viewpoint } from './mount-space.ts';
import {
  changeMode,
  changeOwner,
  listPath,
  makeDirectories,
  makeNode,
  openInode,
  readLinkPath,
  removeTree,
  renamePath,
  unlinkPath,
} from './operations.ts';

/** The node's virtual disk, and the same as the kubelet's NodeFiles. */
export interface SimNodeFiles {
  readonly files: NodeFiles;
  readonly space: MountSpace;
  readonly disk: FileSystem;
  /** Root's view of the node. */
  readonly view: Viewpoint;
  /** Appends without a promise, for container logs. Creates the file. */
  append(path: string, bytes: Uint8Array): void;
}

/** An empty disk of `totalBytes` with the usual directories. */
export function createSimNodeFiles(now: () => number, totalBytes: number): SimNodeFiles {
  const disk = createFileSystem('ext4', now, totalBytes);
  const mounts = new Map<Inode, Mounted>();
  const space: MountSpace = { root: createInode(disk, 'directory'), rootReadonly: false, mounts };
  const view: Viewpoint = { space, credentials: rootCredentials, cwd: '/' };
  for (const dir of ['/etc', '/var/lib', '/var/log/pods', '/run', '/proc', '/sys', '/dev', '/usr', '/home', '/root'])
    makeDirectories(view, dir);
  makeDirectories(view, '/tmp').mode = 0o1777;
  const append = (path: string, bytes: Uint8Array): void => {
    const { inode } = openInode(view, path, { write: true, create: true }, 0o640);
    writeInode(inode, inode.data?.size ?? 0, bytes);
  };
  return { files: nodeFiles(view, mounts, disk, now, append), space, disk, view, append };
}

const bytesOf = (data: Uint8Array | string): Uint8Array => (typeof data === 'string' ? Buffer.from(data) : data);

function statOf(inode: Inode): NodeFileStat {
  const { type, mode, uid, gid, mtime, ino } = inode;
  return { type, size: sizeOf(inode), mode, uid, gid, mtime, inode: ino };
}

function readAll(inode: Inode, path: string, offset: number, length: number): Buffer {
  if (inode.type === 'directory') throw new SysError('EISDIR', path);
  if (!inode.data) throw new SysError('EINVAL', path);
  const parts: Uint8Array[] = [];
  const end = Math.min(inode.data.size, offset + length);
  for (let at = offset; at < end; ) {
    const part = readData(inode.data, at, end - at);
    parts.push(part);
    at += part.length;
  }
  return Buffer.concat(parts);
}

function nodeFiles(
  view: Viewpoint,
  mounts: Map<Inode, Mounted>,
  disk: FileSystem,
  now: () => number,
  append: (path: string, bytes: Uint8Array) => void,
): NodeFiles {
  const mountsBelow = (path: string): [Inode, Mounted][] =>
    [...mounts].filter(([, mounted]) => `${mounted.path}/`.startsWith(`${path.replace(/\/+$/, '')}/`));
  return {
    async stat(path, follow = true) {
      try {
        const { inode } = resolve(view, path, follow);
        return inode && statOf(inode);
      } catch (error) {
        if (error instanceof SysError && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
        throw error;
      }
    },
    read: async (path) => readAll(find(view, path).inode, path, 0, Number.MAX_SAFE_INTEGER),
    readAt: async (path, offset, length) => readAll(find(view, path).inode, path, offset, length),
    async write(path, data, mode) {
      const found = openInode(view, path, { write: true, create: true, truncate: true }, mode ?? 0o644);
      if (mode !== undefined) found.inode.mode = mode;
      writeInode(found.inode, 0, bytesOf(data));
    },
    append: async (path, data) => append(path, bytesOf(data)),
    async mkdir(path, mode) {
      makeDirectories(view, path, mode);
    },
    list: async (path) => listPath(view, path),
    async symlink(target, path) {
      makeNode(view, path, 'symlink', 0o777, target);
    },
    readlink: async (path) => readLinkPath(view, path),
    async rename(from, to) {
      const source = find(view, from, false);
      const target = resolve(view, to, false);
      // rename(2) replaces a symlink or file by anything but a directory; the kubelet's writer relies on it.
      if (target.inode && target.inode.type !== 'directory' && source.inode.type === 'directory') unlinkPath(view, to);
      renamePath(view, from, to);
    },
    remove: async (path) => removeTree(view, path),
    chmod: async (path, mode) => changeMode(view, path, mode),
    chown: async (path, uid, gid) => changeOwner(view, path, uid, gid, false),
    watch: (path, onChange) => watch(view, path, onChange),
    async mountMemory(path, sizeBytes) {
      const at = find(view, path);
      const fs = createFileSystem('tmpfs', now, sizeBytes);
      const root = createInode(fs, 'directory', at.inode.mode, at.inode.uid, at.inode.gid);
      mounts.set(at.inode, {
        path: at.path,
        root,
        readonly: false,
        source: 'tmpfs',
        type: 'tmpfs',
        options: sizeBytes > 0 ? `rw,relatime,size=${Math.ceil(sizeBytes / 1024)}k` : 'rw,relatime',
      });
    },
    async unmount(path) {
      for (const [inode] of mountsBelow(path)) mounts.delete(inode);
    },
    async usage(path) {
      const found = resolve(view, path);
      if (!found.inode) return { bytes: 0, inodes: 0 };
      const root = found.inode;
      return usageOf(root, (inode) => inode !== root && mounts.has(inode));
    },
    async capacity(path) {
      const fs = resolve(view, path).inode?.fs ?? disk;
      const totalBytes = fs.limit > 0 ? fs.limit : disk.limit;
      const totalInodes = Math.max(65536, Math.floor(totalBytes / 16384));
      return {
        totalBytes,
        freeBytes: Math.max(0, totalBytes - fs.used),
        totalInodes,
        freeInodes: Math.max(0, totalInodes - fs.inodes),
      };
    },
  };
}

/** Follows a name: the file behind it may be replaced. */
function watch(view: Viewpoint, path: string, onChange: () => void): () => void {
  let file: Inode | undefined;
  const tell = (): void => {
    queueMicrotask(() => {
      if (!stopped) onChange();
    });
  };
  let stopped = false;
  const hold = (): void => {
    file?.watchers?.delete(tell);
    file = look();
    if (!file) return;
    file.watchers ??= new Set();
    file.watchers.add(tell);
  };
  const look = (): Inode | undefined => {
    try {
      return resolve(view, path).inode;
    } catch {
      // A path that cannot be walked is an absent file to a watcher.
      return undefined;
    }
  };
  const onEntry = (name?: string): void => {
    if (name !== last) return;
    hold();
    tell();
  };
  const cut = path.lastIndexOf('/');
  const last = path.slice(cut + 1);
  const dir = resolve({ ...view }, path.slice(0, cut) || '/').inode;
  if (dir) {
    dir.watchers ??= new Set();
    dir.watchers.add(onEntry);
  }
  hold();
  return () => {
    stopped = true;
    file?.watchers?.delete(tell);
    dir?.watchers?.delete(onEntry);
  };
}
