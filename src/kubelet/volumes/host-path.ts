import type { NodeFileStat, NodeFiles } from '../../runtime/node-files.ts';

const wanted: Readonly<Record<string, { readonly type: NodeFileStat['type']; readonly words: string }>> = {
  Directory: { type: 'directory', words: 'a directory' },
  DirectoryOrCreate: { type: 'directory', words: 'a directory' },
  File: { type: 'file', words: 'a file' },
  FileOrCreate: { type: 'file', words: 'a file' },
  Socket: { type: 'socket', words: 'a socket file' },
  CharDevice: { type: 'char', words: 'a character device' },
  BlockDevice: { type: 'block', words: 'a block device' },
};

/** Makes what `…OrCreate` wants made, and throws upstream's text where the path is something else (pkg/volume/hostpath). */
export async function checkHostPath(files: NodeFiles, path: string, type: string | undefined): Promise<void> {
  if (path.split('/').includes('..')) throw new Error(`invalid HostPath \`${path}\`: must not contain '..'`);
  if (!type) return;
  const want = wanted[type];
  if (!want) throw new Error(`${type} is an invalid volume type`);
  const stat = await files.stat(path);
  if (!stat && type === 'DirectoryOrCreate') return files.mkdir(path, 0o755);
  if (!stat && type === 'FileOrCreate') return files.write(path, '', 0o644);
  if (stat?.type !== want.type) throw new Error(`hostPath type check failed: ${path} is not ${want.words}`);
}
