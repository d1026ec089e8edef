import { SysError } from '../errno.ts';
import { createInode, type Inode, type InodeType, link, lookup, names, truncateInode, unlink } from './inode.ts';
import { type Found, find, may, resolve, type Viewpoint } from './mount-space.ts';

/** What to open for and how (open(2)). */
export interface OpenFlags {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly append?: boolean;
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
}

const writableIn = (view: Viewpoint, found: Found, path: string): void => {
  if (found.readonly) throw new SysError('EROFS', path);
  if (!may(view.credentials, found.parent, 3)) throw new SysError('EACCES', path);
};

const sticky = (view: Viewpoint, found: Found & { inode: Inode }, path: string): void => {
  const { uid, override } = view.credentials;
  if (found.parent.mode & 0o1000 && !override && uid !== found.inode.uid && uid !== found.parent.uid)
    throw new SysError('EPERM', path);
};

const owner = (view: Viewpoint, inode: Inode, path: string): void => {
  if (!view.credentials.override && view.credentials.uid !== inode.uid) throw new SysError('EPERM', path);
};

/** Finds, or creates as asked, the inode to open. `mode` already has the umask taken off. */
export function openInode(view: Viewpoint, path: string, flags: OpenFlags, mode: number): Found & { inode: Inode } {
  const found = resolve(view, path, !flags.exclusive);
  if (!found.inode) {
    if (!flags.create) throw new SysError('ENOENT', path);
    if (path.endsWith('/')) throw new SysError('EISDIR', path);
    writableIn(view, found, path);
    return withInode(found, add(view, found, 'file', mode));
  }
  const inode = found.inode;
  if (flags.exclusive && flags.create) throw new SysError('EEXIST', path);
  if (inode.attachment !== undefined) return withInode(found, inode);
  if (flags.write) {
    if (inode.type === 'directory') throw new SysError('EISDIR', path);
    if (found.readonly && inode.type === 'file') throw new SysError('EROFS', path);
  }
  const bits = (flags.read ? 4 : 0) | (flags.write ? 2 : 0);
  if (!may(view.credentials, inode, bits)) throw new SysError('EACCES', path);
  if (flags.truncate && flags.write && inode.type === 'file' && !inode.generate) truncateInode(inode, 0);
  return withInode(found, inode);
}

const withInode = (found: Found, inode: Inode): Found & { inode: Inode } => ({
  inode,
  parent: found.parent,
  name: found.name,
  readonly: found.readonly,
  path: found.path,
});

function add(view: Viewpoint, found: Found, type: InodeType, mode: number): Inode {
  const { uid, gid } = view.credentials;
  const setgid = (found.parent.mode & 0o2000) !== 0;
  const inode = createInode(found.parent.fs, type, mode, uid, setgid ? found.parent.gid : gid);
  if (setgid && type === 'directory') inode.mode |= 0o2000;
  link(found.parent, found.name, inode);
  return inode;
}

/** mkdir(2), mkfifo(3), symlink(2), bind of a socket. */
export function makeNode(view: Viewpoint, path: string, type: InodeType, mode: number, target?: string): Inode {
  const found = resolve(view, path.replace(/\/+$/, '') || '/', false);
  if (found.inode) throw new SysError('EEXIST', path);
  writableIn(view, found, path);
  const inode = add(view, found, type, mode);
  if (target !== undefined) inode.target = target;
  return inode;
}

/** link(2). */
export function hardLink(view: Viewpoint, from: string, to: string): void {
  const source = find(view, from, false);
  if (source.inode.type === 'directory') throw new SysError('EPERM', from);
  const found = resolve(view, to, false);
  if (found.inode) throw new SysError('EEXIST', to);
  writableIn(view, found, to);
  if (found.parent.fs !== source.inode.fs) throw new SysError('EXDEV', to);
  source.inode.nlink++;
  link(found.parent, found.name, source.inode);
}

const busy = (view: Viewpoint, found: Found, path: string): void => {
  const plain = found.name === '' ? undefined : lookup(found.parent, found.name, view.caller);
  if (found.inode === view.space.root || (plain && plain !== found.inode) || (plain && view.space.mounts.has(plain)))
    throw new SysError('EBUSY', path);
};

/** unlink(2): a file, link or node, no directory. */
export function unlinkPath(view: Viewpoint, path: string): void {
  const found = find(view, path, false);
  if (found.inode.type === 'directory') throw new SysError('EISDIR', path);
  writableIn(view, found, path);
  busy(view, found, path);
  sticky(view, found, path);
  unlink(found.parent, found.name);
}

/** rmdir(2). */
export function removeDirectory(view: Viewpoint, path: string): void {
  const found = find(view, path, false);
  if (found.inode.type !== 'directory') throw new SysError('ENOTDIR', path);
  writableIn(view, found, path);
  busy(view, found, path);
  sticky(view, found, path);
  if (names(found.inode, view.caller).length > 0) throw new SysError('ENOTEMPTY', path);
  unlink(found.parent, found.name);
}

/** rename(2): atomic, replaces. */
export function renamePath(view: Viewpoint, from: string, to: string): void {
  const source = find(view, from, false);
  const target = resolve(view, to.replace(/\/+$/, '') || '/', false);
  writableIn(view, source, from);
  busy(view, source, from);
  sticky(view, source, from);
  writableIn(view, target, to);
  if (target.parent.fs !== source.parent.fs) throw new SysError('EXDEV', to);
  if (target.inode === source.inode) return;
  if (`${target.path}/`.startsWith(`${source.path}/`) && source.inode.type === 'directory')
    throw new SysError('EINVAL', to);
  if (target.inode) {
    busy(view, target, to);
    if (target.inode.type === 'directory') {
      if (source.inode.type !== 'directory') throw new SysError('EISDIR', to);
      if (names(target.inode, view.caller).length > 0) throw new SysError('ENOTEMPTY', to);
    } else if (source.inode.type === 'directory') throw new SysError('ENOTDIR', to);
  }
  unlink(source.parent, source.name, true);
  link(target.parent, target.name, source.inode);
}

/** chmod(2). */
export function changeMode(view: Viewpoint, path: string, mode: number): void {
  const found = find(view, path);
  if (found.readonly) throw new SysError('EROFS', path);
  owner(view, found.inode, path);
  found.inode.mode = mode & 0o7777;
}

/** chown(2); undefined leaves an id. */
export function changeOwner(
  view: Viewpoint,
  path: string,
  uid: number | undefined,
  gid: number | undefined,
  follow = true,
): void {
  const found = find(view, path, follow);
  if (found.readonly) throw new SysError('EROFS', path);
  if (!view.credentials.override && !(uid === undefined && view.credentials.uid === found.inode.uid))
    throw new SysError('EPERM', path);
  if (uid !== undefined) found.inode.uid = uid;
  if (gid !== undefined) found.inode.gid = gid;
}

/** utimes(2); creates nothing. */
export function setTime(view: Viewpoint, path: string, mtime: number): void {
  const found = find(view, path);
  if (found.readonly) throw new SysError('EROFS', path);
  if (view.credentials.uid !== found.inode.uid && !may(view.credentials, found.inode, 2))
    throw new SysError('EACCES', path);
  found.inode.mtime = mtime;
}

/** The names in a directory, sorted. */
export function listPath(view: Viewpoint, path: string): readonly string[] {
  const { inode } = find(view, path);
  if (inode.type !== 'directory') throw new SysError('ENOTDIR', path);
  if (!may(view.credentials, inode, 4)) throw new SysError('EACCES', path);
  return names(inode, view.caller);
}

/** readlink(2). */
export function readLinkPath(view: Viewpoint, path: string): string {
  const { inode } = find(view, path, false);
  if (inode.type !== 'symlink') throw new SysError('EINVAL', path);
  return typeof inode.target === 'function' ? inode.target(view.caller) : (inode.target ?? '');
}

/** Makes a directory and its parents; existing directories are fine. */
export function makeDirectories(view: Viewpoint, path: string, mode = 0o755): Inode {
  const absolute = path.startsWith('/') ? path : `${view.cwd}/${path}`;
  try {
    const found = resolve(view, absolute);
    if (found.inode?.type === 'directory') return found.inode;
    if (!found.inode) return makeNode(view, absolute, 'directory', mode);
  } catch (error) {
    // Parents are missing too.
    if (!(error instanceof SysError) || error.code !== 'ENOENT') throw error;
  }
  let at = '';
  let inode = find(view, '/').inode;
  for (const part of absolute.split('/').filter((name) => name !== '' && name !== '.')) {
    at += `/${part}`;
    const found = resolve(view, at);
    if (found.inode && found.inode.type !== 'directory') throw new SysError('ENOTDIR', at);
    inode = found.inode ?? makeNode(view, at, 'directory', mode);
  }
  return inode;
}

/** Removes a whole tree; absent is fine; what is mounted stays. */
export function removeTree(view: Viewpoint, path: string): void {
  const found = resolve(view, path, false);
  if (!found.inode) return;
  if (found.inode.type === 'directory') {
    for (const name of listPath(view, path)) removeTree(view, `${path}/${name}`);
    removeDirectory(view, path);
  } else unlinkPath(view, path);
}
