import { deserialize, serialize } from 'node:v8';
import type { FileData } from './file-data.ts';
import { createInode, type FileSystem, type Inode, type InodeType, link, lookup } from './inode.ts';

interface SavedNode {
  readonly type: InodeType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly data?: FileData;
  readonly target?: string;
  readonly entries?: readonly (readonly [string, SavedNode])[];
}

/** What begins with a boot anew: the kubelet's and the runtime's own files, and what is no disk. */
const volatile = new Set(['/var/lib/kubelet', '/var/log/pods', '/proc', '/sys', '/dev', '/run', '/tmp', '/etc']);
const kept: ReadonlySet<InodeType> = new Set(['file', 'directory', 'symlink']);

function save(inode: Inode, path: string): SavedNode | undefined {
  const { type, mode, uid, gid, mtime, data, target } = inode;
  if (!kept.has(type) || volatile.has(path)) return undefined;
  const entries = [...(inode.entries ?? [])].flatMap(([name, child]) => {
    const saved = save(child, `${path}/${name}`);
    return saved ? [[name, saved] as const] : [];
  });
  return {
    type,
    mode,
    uid,
    gid,
    mtime,
    ...(type === 'file' && data && { data }),
    ...(typeof target === 'string' && { target }),
    ...(type === 'directory' && { entries }),
  };
}

const filesIn = (saved: SavedNode): number =>
  saved.type === 'directory' ? (saved.entries ?? []).reduce((sum, [, child]) => sum + filesIn(child), 0) : 1;

/** The disk's files as bytes; undefined when there is none worth keeping. Pages of zeros take no room. */
export function saveDisk(root: Inode): Buffer | undefined {
  const saved = save(root, '');
  return saved && filesIn(saved) > 0 ? serialize(saved) : undefined;
}

function restore(fs: FileSystem, dir: Inode, saved: SavedNode): void {
  for (const [name, child] of saved.entries ?? []) {
    const present = lookup(dir, name);
    const inode =
      present?.type === child.type && child.type === 'directory'
        ? present
        : createInode(fs, child.type, child.mode, child.uid, child.gid);
    if (child.data) {
      inode.data = child.data;
      fs.used += child.data.size;
    }
    if (child.target !== undefined) inode.target = child.target;
    if (inode !== present) link(dir, name, inode);
    if (child.type === 'directory') restore(fs, inode, child);
    inode.mode = child.mode;
    inode.mtime = child.mtime;
  }
}

/** Puts back what `saveDisk` gave. */
export function restoreDisk(fs: FileSystem, root: Inode, bytes: Uint8Array): void {
  restore(fs, root, deserialize(bytes) as SavedNode);
}
