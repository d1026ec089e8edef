import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { type Inode, sizeOf } from '../../vfs/inode.ts';
import { find } from '../../vfs/mount-space.ts';

const types: Readonly<Record<string, string>> = {
  html: 'text/html',
  htm: 'text/html',
  css: 'text/css',
  js: 'application/javascript',
  mjs: 'application/javascript',
  json: 'application/json',
  txt: 'text/plain',
  xml: 'text/xml',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  ico: 'image/x-icon',
  webp: 'image/webp',
  pdf: 'application/pdf',
  gz: 'application/gzip',
  zip: 'application/zip',
  wasm: 'application/wasm',
  woff2: 'font/woff2',
  yaml: 'application/yaml',
};

/** The media type of a file by its name. */
export const mediaType = (path: string, fallback = 'application/octet-stream'): string =>
  types[/\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''] ?? fallback;

export type Served =
  | { readonly kind: 'file'; readonly data: Buffer; readonly inode: Inode; readonly path: string }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'absent' | 'denied'; readonly path: string };

/** Reads what lies under a document root; `..` does not lead out of it. */
export async function readServed(p: Process, root: string, path: string): Promise<Served> {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const full = `${root.replace(/\/$/, '')}/${parts.join('/')}`;
  try {
    const { inode } = find(p.view, full);
    if (inode.type === 'directory') return { kind: 'directory', path: full };
    const fd = p.open(full, { read: true });
    const data = await p.readAll(fd);
    p.close(fd);
    return { kind: 'file', data, inode, path: full };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return { kind: error.code === 'EACCES' ? 'denied' : 'absent', path: full };
  }
}

/** `"65a4-1c2"`, as nginx and Apache derive it from time and size. */
export const entityTag = (inode: Inode): string =>
  `"${Math.floor(inode.mtime / 1000).toString(16)}-${sizeOf(inode).toString(16)}"`;
