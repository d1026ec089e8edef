import { isSysError, strerror } from '../../errno.ts';
import { type Inode, sizeOf, usageOf } from '../../vfs/inode.ts';
import { find } from '../../vfs/mount-space.ts';
import { listPath, readLinkPath } from '../../vfs/operations.ts';
import { type Applet, usage } from '../applet.ts';
import { readNames } from '../names.ts';
import { humanSize, linkCount, modeText } from './ls.ts';

const kinds = {
  file: 'regular file',
  directory: 'directory',
  symlink: 'symbolic link',
  char: 'character special file',
  fifo: 'fifo',
  socket: 'socket',
};

const stamp = (time: number): string =>
  `${new Date(time).toISOString().replace('T', ' ').slice(0, 23).padEnd(29, '0')} +0000`;

/** stat [-L] [-t] [-c FORMAT] FILE… */
export async function stat(a: Applet): Promise<number> {
  const options = a.options('Ltfc:', { format: 'c', printf: 'c', dereference: 'L' });
  if (options.rest.length === 0) throw usage(a);
  const names = readNames(a.p);
  let status = 0;
  for (const path of options.rest) {
    try {
      const { inode } = find(a.p.view, path, options.has('L'));
      const target = inode.type === 'symlink' ? readLinkPath(a.p.view, path) : undefined;
      const format = options.value('c');
      const fields = describe(inode, path, target, names);
      if (format !== undefined)
        await a.out(`${format.replace(/%([a-zA-Z%])/g, (all, letter: string) => fields[letter] ?? all)}\n`);
      else
        await a.out(
          `  File: ${path}${target === undefined ? '' : ` -> ${target}`}\n` +
            `  Size: ${fields['s']?.padEnd(10)}\tBlocks: ${fields['b']?.padEnd(10)} IO Block: 4096   ${fields['F']}\n` +
            `Device: ${a.flavour === 'busybox' ? '4dh/77d' : '0,77'}\tInode: ${fields['i']?.padEnd(10)}  Links: ${fields['h']}\n` +
            `Access: (${fields['a']?.padStart(4, '0')}/${fields['A']})  Uid: (${fields['u']?.padStart(5)}/${fields['U']?.padStart(8)})   Gid: (${fields['g']?.padStart(5)}/${fields['G']?.padStart(8)})\n` +
            `Access: ${fields['y']}\nModify: ${fields['y']}\nChange: ${fields['y']}\n${a.flavour === 'gnu' ? ' Birth: -\n' : ''}`,
        );
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = await a.warn(
        a.flavour === 'busybox'
          ? `can't stat '${path}': ${strerror(error)}`
          : `cannot statx '${path}': ${strerror(error)}`,
      );
    }
  }
  return status;
}

function describe(
  inode: Inode,
  path: string,
  target: string | undefined,
  names: ReturnType<typeof readNames>,
): Record<string, string> {
  const size = sizeOf(inode);
  return {
    '%': '%',
    n: path,
    N: target === undefined ? `'${path}'` : `'${path}' -> '${target}'`,
    s: String(size),
    b: String(Math.ceil(size / 4096) * 8),
    B: '512',
    o: '4096',
    F: size === 0 && inode.type === 'file' ? 'regular empty file' : kinds[inode.type],
    a: (inode.mode & 0o7777).toString(8),
    A: modeText(inode),
    f: (
      inode.mode |
      { file: 0o100000, directory: 0o40000, symlink: 0o120000, char: 0o20000, fifo: 0o10000, socket: 0o140000 }[
        inode.type
      ]
    ).toString(16),
    u: String(inode.uid),
    g: String(inode.gid),
    U: names.user(inode.uid) ?? 'UNKNOWN',
    G: names.group(inode.gid) ?? 'UNKNOWN',
    h: String(linkCount(inode)),
    i: String(inode.ino),
    d: '77',
    D: '4d',
    t: '0',
    T: inode.fs.type === 'overlay' ? 'overlayfs' : inode.fs.type,
    x: stamp(inode.mtime),
    y: stamp(inode.mtime),
    z: stamp(inode.mtime),
    X: String(Math.floor(inode.mtime / 1000)),
    Y: String(Math.floor(inode.mtime / 1000)),
    Z: String(Math.floor(inode.mtime / 1000)),
  };
}

/** du [-shkmadx] [FILE]…, in kibibytes. */
export async function du(a: Applet): Promise<number> {
  const options = a.options('shkmabcxHLlPd:', {
    summarize: 's',
    'human-readable': 'h',
    all: 'a',
    'max-depth': 'd',
    bytes: 'b',
  });
  const depth = options.has('s') ? 0 : options.has('d') ? a.number(options.value('d') ?? '') : Number.POSITIVE_INFINITY;
  const shown = (bytes: number): string =>
    options.has('b')
      ? String(bytes)
      : options.has('h')
        ? humanSize(bytes)
        : String(Math.ceil(bytes / (options.has('m') ? 1 << 20 : 1024)));
  let status = 0;
  let grand = 0;
  const seen = new Set<Inode>();
  const measure = async (path: string, level: number): Promise<number> => {
    const { inode } = find(a.p.view, path, level === 0);
    if (seen.has(inode)) return 0;
    if (inode.nlink > 1) seen.add(inode);
    const size = sizeOf(inode);
    if (inode.type !== 'directory') {
      const own = options.has('b') ? size : Math.ceil(size / 4096) * 4096;
      if (level === 0 || (options.has('a') && level <= depth)) await a.out(`${shown(own)}\t${path}\n`);
      return own;
    }
    let total = options.has('b') ? size : 4096;
    try {
      for (const name of listPath(a.p.view, path))
        total += await measure(`${path.replace(/\/$/, '')}/${name}`, level + 1);
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = await a.warn(
        a.flavour === 'busybox'
          ? `can't open '${path}': ${strerror(error)}`
          : `cannot read directory '${path}': ${strerror(error)}`,
      );
    }
    if (level <= depth) await a.out(`${shown(total)}\t${path}\n`);
    return total;
  };
  for (const path of options.rest.length > 0 ? options.rest : ['.']) {
    try {
      grand += await measure(path, 0);
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = await a.warn(
        a.flavour === 'busybox' ? `${path}: ${strerror(error)}` : `cannot access '${path}': ${strerror(error)}`,
      );
    }
  }
  if (options.has('c')) await a.out(`${shown(grand)}\ttotal\n`);
  return status;
}

/** df [-hkPTi] [FILE]…: the container's root and what is mounted. */
export async function df(a: Applet): Promise<number> {
  const options = a.options('hkmPTia', { 'human-readable': 'h' });
  const { space } = a.p.workload;
  const all = [{ source: 'overlay', path: '/', root: space.root, type: 'overlay' }, ...space.mounts.values()].filter(
    ({ type, path }) => !['proc', 'sysfs', 'cgroup2'].includes(type) && path !== '',
  );
  let status = 0;
  const asked: typeof all = [];
  for (const path of options.rest) {
    try {
      const found = find(a.p.view, path).path;
      const best = all
        .filter((m) => found === m.path || found.startsWith(m.path === '/' ? '/' : `${m.path}/`))
        .sort((x, y) => y.path.length - x.path.length)[0];
      if (best) asked.push(best);
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = await a.warn(`${path}: ${a.flavour === 'busybox' ? "can't find mount point" : strerror(error)}`);
    }
  }
  const human = options.has('h');
  const size = (bytes: number): string => (human ? humanSize(bytes) : String(Math.round(bytes / 1024)));
  const type = options.has('T') ? 'Type       ' : '';
  await a.out(
    human
      ? `Filesystem           ${type}     Size      Used Available Use% Mounted on\n`
      : `Filesystem           ${type}1${options.has('P') ? '024-blocks' : 'K-blocks'}      Used Available Use% Mounted on\n`,
  );
  for (const mount of options.rest.length > 0 ? asked : all) {
    const { fs } = mount.root;
    const total = fs.limit > 0 ? fs.limit : 100 * 2 ** 30;
    const used = fs.limit > 0 ? fs.used : usageOf(mount.root, (inode) => space.mounts.has(inode)).bytes;
    const percent = Math.ceil((used * 100) / total);
    const kind = options.has('T') ? ` ${mount.type.padEnd(10)}` : '';
    await a.out(
      `${mount.source.padEnd(20)}${kind} ${size(total).padStart(9)} ${size(used).padStart(9)} ${size(Math.max(0, total - used)).padStart(9)} ${String(percent).padStart(3)}% ${mount.path}\n`,
    );
  }
  return status;
}
