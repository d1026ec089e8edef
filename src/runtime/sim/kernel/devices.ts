import { SysError } from '../errno.ts';
import { createInode, type FileSystem, type Inode, link } from '../vfs/inode.ts';
import type { OpenFlags } from '../vfs/operations.ts';
import { alwaysReady, type OpenFile, openInodeFile, streamFile } from './open-file.ts';
import { createFifo } from './pipe.ts';
import type { Process } from './process.ts';

const zeros = new Uint8Array(1 << 20);

/** Opens what an inode stands for: a device, a fifo, another process's descriptor, or the file itself. */
export function openSpecial(p: Process, inode: Inode, path: string, flags: OpenFlags): OpenFile {
  if (inode.type === 'fifo') {
    inode.attachment ??= createFifo();
    const fifo = inode.attachment as ReturnType<typeof createFifo>;
    return fifo.open(flags.read === true, flags.write === true, path);
  }
  // /proc/PID/fd/N: the same open file, as opening a pipe or terminal again gives the same thing.
  if (inode.attachment !== undefined) return inode.attachment as OpenFile;
  if (inode.type === 'char') return openDevice(p, inode.device ?? '', path);
  if (inode.type === 'socket') throw new SysError('ECONNREFUSED', path);
  return openInodeFile(
    inode,
    path,
    { read: flags.read === true, write: flags.write === true, append: flags.append === true },
    p,
  );
}

function openDevice(p: Process, device: string, path: string): OpenFile {
  const swallow = (data: Uint8Array): number => data.length;
  const base = { kind: 'device', onReady: alwaysReady } as const;
  switch (device) {
    case 'null':
      return streamFile(path, { ...base, tryRead: () => null, tryWrite: swallow });
    case 'zero':
      return streamFile(path, { ...base, tryRead: (max) => zeros.subarray(0, max), tryWrite: swallow });
    case 'full':
      return streamFile(path, {
        ...base,
        tryRead: (max) => zeros.subarray(0, max),
        tryWrite: () => {
          throw new SysError('ENOSPC', path);
        },
      });
    case 'random':
    case 'urandom':
      return streamFile(path, {
        ...base,
        tryRead: (max) => p.workload.random.bytes(Math.min(max, 65536)),
        tryWrite: swallow,
      });
    case 'tty':
      if (!p.tty) throw new SysError('ENOENT', path);
      return p.tty.open();
    default:
      throw new SysError('ENOENT', path);
  }
}

const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** The /dev of a container. */
export function createDev(fs: FileSystem): Inode {
  const dev = createInode(fs, 'directory');
  for (const name of devices) {
    const node = createInode(fs, 'char');
    node.device = name;
    link(dev, name, node);
  }
  const links: readonly (readonly [string, string])[] = [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
    ['ptmx', 'pts/ptmx'],
    ['core', '/proc/kcore'],
  ];
  for (const [name, target] of links) {
    const node = createInode(fs, 'symlink');
    node.target = target;
    link(dev, name, node);
  }
  for (const name of ['pts', 'mqueue']) link(dev, name, createInode(fs, 'directory'));
  return dev;
}
