import { SysError } from '../errno.ts';
import { type Caller, type Inode, lookup } from './inode.ts';

/** Whose permissions count. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Passes every permission check (root with CAP_DAC_OVERRIDE). */
  readonly override: boolean;
}

export const rootCredentials: Credentials = { uid: 0, gid: 0, groups: [0], override: true };

/** Something mounted on a directory or file. */
export interface Mounted {
  readonly path: string;
  readonly root: Inode;
  readonly readonly: boolean;
  /** As /proc/mounts shows them. */
  readonly source: string;
  readonly type: string;
  readonly options: string;
}

/** A mount namespace: a root and what is mounted where, by the inode that is covered. */
export interface MountSpace {
  readonly root: Inode;
  rootReadonly: boolean;
  readonly mounts: Map<Inode, Mounted>;
  /** The node's own mounts, seen through bind mounts of its directories. */
  readonly outer?: Map<Inode, Mounted>;
}

/** A found (or, with `inode` undefined, creatable) file. */
export interface Found {
  readonly inode: Inode | undefined;
  readonly parent: Inode;
  readonly name: string;
  readonly readonly: boolean;
  /** Absolute, without links. */
  readonly path: string;
}

/** From where and as whom a path is looked up. */
export interface Viewpoint {
  readonly space: MountSpace;
  readonly credentials: Credentials;
  readonly cwd: string;
  readonly caller?: Caller;
}

/** Whether the permission bits (4 read, 2 write, 1 execute) are given. */
export function may(credentials: Credentials, inode: Inode, bits: number): boolean {
  if (credentials.override) return bits !== 1 || inode.type === 'directory' || (inode.mode & 0o111) !== 0;
  const shift = credentials.uid === inode.uid ? 6 : inGroup(credentials, inode.gid) ? 3 : 0;
  return ((inode.mode >> shift) & bits) === bits;
}

const inGroup = (credentials: Credentials, gid: number): boolean =>
  credentials.gid === gid || credentials.groups.includes(gid);

interface Frame {
  readonly inode: Inode;
  readonly readonly: boolean;
  readonly name: string;
}

/** The inode seen where `inode` lies, and whether writing is refused there. */
export function covered(space: MountSpace, inode: Inode, readonly: boolean): { inode: Inode; readonly: boolean } {
  let seen = inode;
  let ro = readonly;
  for (let depth = 0; depth < 8; depth++) {
    const mounted = space.mounts.get(seen) ?? space.outer?.get(seen);
    if (!mounted || mounted.root === seen) break;
    seen = mounted.root;
    ro = mounted.readonly || (ro && !space.mounts.has(inode));
  }
  return { inode: seen, readonly: ro };
}

/**
 * Looks a path up (path_resolution(7)). The last part may be absent. Throws ENOENT, ENOTDIR, EACCES, ELOOP or
 * ENAMETOOLONG.
 */
export function resolve(view: Viewpoint, path: string, follow = true): Found {
  if (path === '') throw new SysError('ENOENT', path);
  const { space, credentials, caller } = view;
  const top = covered(space, space.root, space.rootReadonly);
  const stack: Frame[] = [{ inode: top.inode, readonly: top.readonly, name: '' }];
  const rest = partsOf(path.startsWith('/') ? path : `${view.cwd}/${path}`);
  const mustBeDirectory = path.endsWith('/') || path.endsWith('/.');
  let links = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    const here = stack[stack.length - 1] as Frame;
    if (name === '..') {
      if (stack.length > 1) stack.pop();
      continue;
    }
    if (name.length > 255) throw new SysError('ENAMETOOLONG', path);
    if (here.inode.type !== 'directory') throw new SysError('ENOTDIR', path);
    if (!may(credentials, here.inode, 1)) throw new SysError('EACCES', path);
    const child = lookup(here.inode, name, caller);
    const last = rest.length === 0;
    if (!child) {
      if (!last) throw new SysError('ENOENT', path);
      return new Place(undefined, here.inode, name, here.readonly, stack, name);
    }
    if (child.type === 'symlink' && (!last || follow || mustBeDirectory)) {
      if (child.attachment !== undefined && last) return new Place(child, here.inode, name, here.readonly, stack, name);
      if (++links > 40) throw new SysError('ELOOP', path);
      const target = typeof child.target === 'function' ? child.target(caller) : (child.target ?? '');
      if (target.startsWith('/')) stack.length = 1;
      for (const part of partsOf(target)) rest.push(part);
      continue;
    }
    if (space.mounts.has(child) || space.outer?.has(child)) {
      const seen = covered(space, child, here.readonly);
      stack.push({ inode: seen.inode, readonly: seen.readonly, name });
    } else stack.push({ inode: child, readonly: here.readonly, name });
  }
  const end = stack[stack.length - 1] as Frame;
  if (mustBeDirectory && end.inode.type !== 'directory') throw new SysError('ENOTDIR', path);
  const parent = stack[stack.length - 2]?.inode ?? end.inode;
  return new Place(end.inode, parent, end.name, end.readonly, stack);
}

/** The names of a path, last first. */
function partsOf(path: string): string[] {
  const parts: string[] = [];
  let end = path.length;
  for (let at = end - 1; at >= -1; at--) {
    if (at >= 0 && path.charCodeAt(at) !== slash) continue;
    const length = end - at - 1;
    if (length > 1 || (length === 1 && path.charCodeAt(at + 1) !== dot)) parts.push(path.slice(at + 1, end));
    end = at;
  }
  return parts;
}

const slash = 47;
const dot = 46;

/** What was found; its path is put together only for those who ask. */
class Place implements Found {
  readonly inode: Inode | undefined;
  readonly parent: Inode;
  readonly name: string;
  readonly readonly: boolean;
  private readonly stack: readonly Frame[];
  private readonly last: string | undefined;
  constructor(
    inode: Inode | undefined,
    parent: Inode,
    name: string,
    readonly: boolean,
    stack: readonly Frame[],
    last?: string,
  ) {
    this.inode = inode;
    this.parent = parent;
    this.name = name;
    this.readonly = readonly;
    this.stack = stack;
    this.last = last;
  }
  get path(): string {
    return join(this.stack, this.last);
  }
}

function join(stack: readonly Frame[], last?: string): string {
  const parts = stack.slice(1).map((frame) => frame.name);
  if (last !== undefined) parts.push(last);
  return `/${parts.join('/')}`;
}

/** The inode at a path; ENOENT when absent. */
export function find(view: Viewpoint, path: string, follow = true): Found & { readonly inode: Inode } {
  const found = resolve(view, path, follow);
  if (!found.inode) throw new SysError('ENOENT', path);
  return found as Found & { readonly inode: Inode };
}
