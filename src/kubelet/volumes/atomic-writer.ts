import { posix } from 'node:path';
import type { Random } from '../../base/random.ts';
import type { NodeFiles } from '../../runtime/node-files.ts';

/** One file of a volume that is written as a whole. */
export interface ProjectedFile {
  readonly data: Buffer;
  readonly mode: number;
  /** The owner, where it must be a certain one. */
  readonly uid?: number;
}
export type Payload = ReadonlyMap<string, ProjectedFile>;

const dataName = '..data';

/** Throws where a path would leave the volume or hide the writer's own links (pkg/volume/util/atomic_writer.go validatePath). */
function validatePath(path: string): void {
  if (path === '') throw new Error(`invalid path: must not be empty: ${JSON.stringify(path)}`);
  if (path.startsWith('/')) throw new Error(`invalid path: must be relative path: ${path}`);
  if (path.length > 4096) throw new Error('invalid path: must be less than or equal to 4096 characters');
  const parts = path.split('/');
  if (parts.includes('..')) throw new Error(`invalid path: must not contain '..': ${path}`);
  if (parts[0]?.startsWith('..')) throw new Error(`invalid path: must not start with '..': ${path}`);
}

async function sameContent(files: NodeFiles, directory: string, payload: Payload): Promise<boolean> {
  for (const [path, file] of payload) {
    const full = posix.join(directory, path);
    const stat = await files.stat(full);
    if (stat?.type !== 'file' || (stat.mode & 0o777) !== (file.mode & 0o777)) return false;
    if (!(await files.read(full)).equals(file.data)) return false;
  }
  return true;
}

const listFiles = async (files: NodeFiles, directory: string, prefix = ''): Promise<string[]> => {
  const out: string[] = [];
  for (const name of await files.list(directory)) {
    const stat = await files.stat(posix.join(directory, name), false);
    if (stat?.type === 'directory')
      out.push(...(await listFiles(files, posix.join(directory, name), `${prefix}${name}/`)));
    else out.push(`${prefix}${name}`);
  }
  return out;
};

/**
 * Makes the directory show the payload, all of it at one instant: files go into a fresh timestamped directory, then the link
 * `..data` is swapped. True when something changed. Upstream: pkg/volume/util/atomic_writer.go.
 */
export async function writeAtomically(
  files: NodeFiles,
  target: string,
  payload: Payload,
  options: { readonly now: number; readonly random: Random; readonly fsGroup?: number },
): Promise<boolean> {
  for (const path of payload.keys()) validatePath(path);
  const link = posix.join(target, dataName);
  const old = (await files.stat(link, false)) ? await files.readlink(link) : undefined;
  const mode = (it: number): number => (options.fsGroup === undefined ? it : it | 0o440);
  const wanted: Payload = new Map([...payload].map(([path, file]) => [path, { ...file, mode: mode(file.mode) }]));
  let stale: string[] = [];
  if (old !== undefined) {
    const present = await listFiles(files, posix.join(target, old));
    stale = present.filter((path) => !wanted.has(path));
    if (
      stale.length === 0 &&
      present.length === wanted.size &&
      (await sameContent(files, posix.join(target, old), wanted))
    )
      return false;
  }
  const stamp = new Date(options.now).toISOString().slice(0, 19).replace('T', ' ').replaceAll(/[- :]/g, '_');
  const name = `..${stamp}.${Math.floor(options.random.next() * 1e10)}`;
  const directory = posix.join(target, name);
  await files.mkdir(directory, 0o755);
  const directories = new Set<string>();
  for (const [path, file] of wanted) {
    const parent = posix.dirname(path);
    if (parent !== '.' && !directories.has(parent)) {
      await files.mkdir(posix.join(directory, parent), 0o755);
      directories.add(parent);
    }
    const full = posix.join(directory, path);
    await files.write(full, file.data, file.mode);
    await files.chmod(full, file.mode);
    if (file.uid !== undefined || options.fsGroup !== undefined)
      await files.chown(full, file.uid ?? 0, options.fsGroup ?? 0);
  }
  if (options.fsGroup !== undefined) {
    await files.chown(directory, 0, options.fsGroup);
    await files.chmod(directory, 0o2775);
  }
  const temporary = posix.join(target, '..data_tmp');
  await files.remove(temporary);
  await files.symlink(name, temporary);
  await files.rename(temporary, link);
  const visible = new Set([...wanted.keys()].map((path) => path.split('/')[0] ?? path));
  for (const top of visible) {
    const at = posix.join(target, top);
    if (!(await files.stat(at, false))) await files.symlink(`${dataName}/${top}`, at);
  }
  for (const path of stale) {
    const top = path.split('/')[0] ?? path;
    if (!visible.has(top)) await files.remove(posix.join(target, top));
  }
  if (old !== undefined) await files.remove(posix.join(target, old));
  return true;
}
