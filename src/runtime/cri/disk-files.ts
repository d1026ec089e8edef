import { execFile } from 'node:child_process';
import { type FSWatcher, statSync, watch as watchFs } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { NodeFileStat, NodeFiles } from '../node-files.ts';

const run = promisify(execFile);
const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

function typeOf(stat: Awaited<ReturnType<typeof fs.lstat>>): NodeFileStat['type'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isSocket()) return 'socket';
  if (stat.isFIFO()) return 'fifo';
  return stat.isBlockDevice() ? 'block' : 'char';
}

/** Mount points at or below a path, deepest first, from /proc/self/mountinfo (spaces there are written \040). */
export function mountsBelow(mountinfo: string, path: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .sort((a, b) => b.length - a.length);
}

async function usageOf(path: string, seen: Set<string>): Promise<{ bytes: number; inodes: number }> {
  const stat = await fs.lstat(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  const id = `${stat?.dev}:${stat?.ino}`;
  if (!stat || seen.has(id)) return { bytes: 0, inodes: 0 };
  seen.add(id);
  let total = { bytes: stat.blocks * 512, inodes: 1 };
  if (!stat.isDirectory()) return total;
  for (const name of await fs.readdir(path)) {
    const below = await usageOf(join(path, name), seen);
    total = { bytes: total.bytes + below.bytes, inodes: total.inodes + below.inodes };
  }
  return total;
}

/** The node's files on the real disk. Memory file systems are tmpfs mounts made by mount(8). */
export function diskFiles(): NodeFiles {
  const unmount = async (path: string): Promise<void> => {
    for (const point of mountsBelow(await fs.readFile('/proc/self/mountinfo', 'utf8'), path))
      await run('umount', [point]);
  };
  return {
    async stat(path, follow = true) {
      try {
        const stat = follow ? await fs.stat(path) : await fs.lstat(path);
        return {
          type: typeOf(stat),
          size: stat.size,
          mode: stat.mode & 0o7777,
          uid: stat.uid,
          gid: stat.gid,
          mtime: stat.mtimeMs,
          inode: stat.ino,
        };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    read: (path) => fs.readFile(path),
    async readAt(path, offset, length) {
      const handle = await fs.open(path, 'r');
      try {
        const buffer = Buffer.alloc(length);
        const { bytesRead } = await handle.read(buffer, 0, length, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
    async write(path, data, mode) {
      await fs.writeFile(path, data, mode === undefined ? {} : { mode });
      // The mode given at creation is cut by the umask and ignored for a file that exists.
      if (mode !== undefined) await fs.chmod(path, mode);
    },
    append: (path, data) => fs.appendFile(path, data),
    async mkdir(path, mode) {
      await fs.mkdir(path, { recursive: true });
      if (mode !== undefined) await fs.chmod(path, mode);
    },
    list: (path) => fs.readdir(path),
    symlink: (target, path) => fs.symlink(target, path),
    readlink: (path) => fs.readlink(path),
    rename: (from, to) => fs.rename(from, to),
    async remove(path) {
      const inside = mountsBelow(await fs.readFile('/proc/self/mountinfo', 'utf8'), path);
      if (inside.length > 0)
        throw Object.assign(new Error(`EBUSY: ${inside[0]} is mounted below ${path}`), { code: 'EBUSY' });
      await fs.rm(path, { recursive: true, force: true });
    },
    chmod: (path, mode) => fs.chmod(path, mode),
    chown: (path, uid, gid) => fs.chown(path, uid, gid),
    watch(path, onChange) {
      // The directory is watched, so that a file that is replaced or comes later is seen too.
      const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
      const options = { persistent: false };
      let watcher: FSWatcher | undefined = watchFs(isDirectory ? path : dirname(path), options, (_event, name) => {
        if (isDirectory || name === null || path.endsWith(`/${name}`)) onChange();
      });
      watcher.on('error', () => {
        watcher?.close();
        onChange();
      });
      return () => {
        watcher?.close();
        watcher = undefined;
      };
    },
    async mountMemory(path, sizeBytes) {
      const options = sizeBytes > 0 ? ['-o', `size=${sizeBytes}`] : [];
      await run('mount', ['-t', 'tmpfs', ...options, 'tmpfs', path]);
    },
    unmount,
    usage: (path) => usageOf(path, new Set()),
    async capacity(path) {
      const it = await fs.statfs(path);
      return {
        totalBytes: it.blocks * it.bsize,
        freeBytes: it.bavail * it.bsize,
        totalInodes: it.files,
        freeInodes: it.ffree,
      };
    },
  };
}
