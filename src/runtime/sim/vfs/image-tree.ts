import { executableFile } from '../kernel/exec.ts';
import { fileData } from './file-data.ts';
import { createFileSystem, createInode, type Inode, link, lookup, overlay } from './inode.ts';

/** A file of an image: text (mode 0644), a program, a link, or everything spelled out. */
export type ImageFile =
  | string
  | { readonly program: string; readonly memoryKiB?: number; readonly mode?: number }
  | { readonly link: string }
  | { readonly directory: true; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | { readonly text: string; readonly mode?: number; readonly uid?: number; readonly gid?: number };

/** The files of an image layer by absolute path. */
export type ImageFiles = Readonly<Record<string, ImageFile>>;

/** A read-only tree of `files` over the tree of the layer below. Dates are those of a build long ago. */
export function imageTree(files: ImageFiles, lower?: Inode): Inode {
  const fs = createFileSystem('overlay', () => built);
  const root = lower ? overlay(fs, lower) : createInode(fs, 'directory');
  for (const [path, file] of Object.entries(files)) place(root, path, file);
  return root;
}

const built = Date.UTC(2025, 0, 15);

function place(root: Inode, path: string, file: ImageFile): void {
  const parts = path.split('/').filter((part) => part !== '');
  const name = parts.pop();
  if (name === undefined) return;
  let dir = root;
  for (const part of parts) {
    let next = lookup(dir, part);
    // Merged /usr: /bin may be a link to usr/bin.
    if (next?.type === 'symlink' && typeof next.target === 'string') next = lookupPath(root, next.target);
    if (!next) {
      next = createInode(root.fs, 'directory');
      link(dir, part, next);
    }
    dir = next;
  }
  link(dir, name, make(root, file, lookup(dir, name)));
}

const lookupPath = (root: Inode, path: string): Inode | undefined =>
  path
    .split('/')
    .filter((part) => part !== '')
    .reduce<Inode | undefined>((dir, part) => dir && lookup(dir, part), root);

function make(root: Inode, file: ImageFile, existing: Inode | undefined): Inode {
  if (typeof file === 'object' && 'directory' in file) {
    const dir = existing ?? createInode(root.fs, 'directory');
    dir.mode = file.mode ?? 0o755;
    dir.uid = file.uid ?? 0;
    dir.gid = file.gid ?? 0;
    return dir;
  }
  if (typeof file === 'object' && 'link' in file) {
    const inode = createInode(root.fs, 'symlink');
    inode.target = file.link;
    return inode;
  }
  const inode = createInode(root.fs, 'file');
  if (typeof file === 'string') inode.data = fileData(Buffer.from(file));
  else if ('program' in file) {
    inode.data = fileData(Buffer.from(executableFile(file.program, file.memoryKiB), 'latin1'));
    inode.mode = file.mode ?? 0o755;
  } else {
    inode.data = fileData(Buffer.from(file.text));
    inode.mode = file.mode ?? 0o644;
    inode.uid = file.uid ?? 0;
    inode.gid = file.gid ?? 0;
  }
  return inode;
}
