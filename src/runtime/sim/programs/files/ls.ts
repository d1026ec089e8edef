import { isSysError, strerror } from '../../errno.ts';
import { type Inode, sizeOf } from '../../vfs/inode.ts';
import { find } from '../../vfs/mount-space.ts';
import { listPath, readLinkPath } from '../../vfs/operations.ts';
import type { Applet, Options } from '../applet.ts';
import { type Names, readNames } from '../names.ts';

/** `drwxr-xr-x` of an inode. */
export function modeText(inode: Inode): string {
  const type = { file: '-', directory: 'd', symlink: 'l', char: 'c', fifo: 'p', socket: 's' }[inode.type];
  const bits = [...'rwxrwxrwx'].map((letter, index) => (inode.mode & (0o400 >> index) ? letter : '-'));
  const special = (bit: number, at: number, letter: string): void => {
    if (inode.mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return type + bits.join('');
}

/** Links as stat(2) counts them: a directory has its own dot and one from each child directory. */
export function linkCount(inode: Inode): number {
  if (inode.type !== 'directory') return inode.nlink;
  let count = 2;
  for (const child of inode.entries?.values() ?? []) if (child.type === 'directory') count++;
  return count;
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Jan 15 00:00`, or with the year when it is half a year away. */
export function listDate(mtime: number, now: number): string {
  const date = new Date(mtime);
  const day = `${monthNames[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)}`;
  const recent = Math.abs(now - mtime) < 15_778_800_000;
  const two = (value: number): string => String(value).padStart(2, '0');
  return recent ? `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}` : `${day}  ${date.getUTCFullYear()}`;
}

/** `1.5K` of a number of bytes. */
export function humanSize(bytes: number): string {
  if (bytes < 1024) return String(bytes);
  let value = bytes / 1024;
  for (const unit of 'KMGT') {
    if (value < 1024) return `${(Math.ceil(value * 10) / 10).toFixed(1)}${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)}P`;
}

interface Entry {
  readonly name: string;
  readonly inode: Inode;
  readonly target?: string;
}

const sizeShown = (inode: Inode, human: boolean): string =>
  inode.type === 'char' ? '1,   3' : human ? humanSize(sizeOf(inode)) : String(sizeOf(inode));

function ordered(entries: readonly Entry[], options: Options): readonly Entry[] {
  const sorted = [...entries];
  if (options.has('S')) sorted.sort((a, b) => sizeOf(b.inode) - sizeOf(a.inode));
  else if (options.has('t')) sorted.sort((a, b) => b.inode.mtime - a.inode.mtime);
  else if (options.has('U') || options.has('f')) return sorted;
  return options.has('r') ? sorted.reverse() : sorted;
}

async function show(a: Applet, entries: readonly Entry[], options: Options, names: Names): Promise<void> {
  const mark = (inode: Inode): string => {
    if (options.has('F') && inode.type === 'file' && inode.mode & 0o111) return '*';
    if (options.has('F') && inode.type === 'symlink') return '@';
    return (options.has('F') || options.has('p')) && inode.type === 'directory' ? '/' : '';
  };
  const sorted = ordered(entries, options);
  const long = ['l', 'n', 'g', 'o'].some((letter) => options.has(letter));
  if (!long) {
    const lead = (inode: Inode): string => (options.has('i') ? `${String(inode.ino).padStart(7)} ` : '');
    const words = sorted.map(({ name, inode }) => lead(inode) + name + mark(inode));
    const wide = (a.p.fds[1]?.kind === 'tty' || options.has('C')) && !options.has('1') && words.length > 0;
    if (wide) await columns(a, words, a.p.tty?.columns || 80);
    else for (const word of words) await a.out(`${word}\n`);
    return;
  }
  const now = a.p.workload.clock.now();
  const ids = options.has('n');
  const rows = sorted.map((entry) => {
    const { inode } = entry;
    return {
      ...entry,
      user: (ids ? undefined : names.user(inode.uid)) ?? String(inode.uid),
      group: (ids ? undefined : names.group(inode.gid)) ?? String(inode.gid),
      size: sizeShown(inode, options.has('h')),
    };
  });
  const width = (pick: (row: (typeof rows)[number]) => string): number =>
    Math.max(0, ...rows.map((row) => pick(row).length));
  const gnu = a.flavour === 'gnu';
  const widths = gnu
    ? {
        links: width((row) => String(linkCount(row.inode))),
        user: width((row) => row.user),
        group: width((row) => row.group),
        size: width((row) => row.size),
      }
    : { links: 4, user: 8, group: 8, size: 9 };
  for (const { name, inode, target, user, group, size } of rows) {
    const links = String(linkCount(inode)).padStart(widths.links);
    const owner = options.has('g') ? '' : `${user.padEnd(widths.user)} `;
    const gap = gnu ? '' : '';
    const team = options.has('o') ? '' : `${group.padEnd(widths.group)} `;
    const when = options.has('e') ? new Date(inode.mtime).toUTCString() : listDate(inode.mtime, now);
    const lead = options.has('i') ? `${String(inode.ino).padStart(7)} ` : '';
    const arrow = target === undefined ? mark(inode) : ` -> ${target}`;
    await a.out(
      `${lead}${modeText(inode)} ${links} ${owner}${gap}${team}${size.padStart(widths.size)} ${when} ${name}${arrow}\n`,
    );
  }
}

async function columns(a: Applet, words: readonly string[], total: number): Promise<void> {
  const width = Math.max(...words.map((word) => word.length)) + 2;
  const across = Math.max(1, Math.floor(total / width));
  const down = Math.ceil(words.length / across);
  for (let row = 0; row < down; row++) {
    const line = words.filter((_, index) => index % down === row);
    await a.out(`${line.map((word, index) => (index === line.length - 1 ? word : word.padEnd(width))).join('')}\n`);
  }
}

/** ls [-1AaCdFghilnopRrStU] [FILE]… */
export async function ls(a: Applet): Promise<number> {
  const options = a.options('1AaCdFfgHhikLlnopqRrSstUuvwxce', {
    all: 'a',
    'almost-all': 'A',
    directory: 'd',
    recursive: 'R',
    'human-readable': 'h',
    reverse: 'r',
    inode: 'i',
    color: 'w',
    full: 'e',
  });
  const names = readNames(a.p);
  const missing = a.flavour === 'gnu' ? 2 : 1;
  let status = 0;
  const fail = async (path: string, error: unknown, reading: boolean): Promise<void> => {
    if (!isSysError(error)) throw error;
    status = missing;
    await a.warn(
      a.flavour === 'gnu'
        ? `cannot ${reading ? 'open directory' : 'access'} '${path}': ${strerror(error)}`
        : reading
          ? `can't open '${path}': ${strerror(error)}`
          : `${path}: ${strerror(error)}`,
    );
  };
  const entry = (path: string, name: string): Entry => {
    const long = options.has('l') || options.has('n');
    const { inode } = find(a.p.view, path, options.has('L'));
    return inode.type === 'symlink' && long ? { name, inode, target: readLinkPath(a.p.view, path) } : { name, inode };
  };
  const files: Entry[] = [];
  const directories: string[] = [];
  const operands = options.rest.length > 0 ? options.rest : ['.'];
  for (const path of a.flavour === 'gnu' || operands.length > 1 ? [...operands].sort() : operands) {
    try {
      const follow = !(options.has('l') || options.has('d') || options.has('F')) || path.endsWith('/');
      const { inode } = find(a.p.view, path, follow);
      if (inode.type === 'directory' && !options.has('d')) directories.push(path);
      else files.push(entry(path, path));
    } catch (error) {
      await fail(path, error, false);
    }
  }
  if (files.length > 0) await show(a, files, options, names);
  let first = files.length === 0;
  const titles = operands.length > 1 || options.has('R');
  const list = async (path: string): Promise<void> => {
    let children: readonly string[];
    try {
      children = listPath(a.p.view, path);
    } catch (error) {
      await fail(path, error, true);
      return;
    }
    if (titles) await a.out(`${first ? '' : '\n'}${path}:\n`);
    first = false;
    const hidden = options.has('a') || options.has('A') || options.has('f');
    const shown = [
      ...(options.has('a') || options.has('f') ? ['.', '..'] : []),
      ...children.filter((name) => hidden || !name.startsWith('.')),
    ];
    const entries: Entry[] = [];
    for (const name of shown) {
      try {
        entries.push(entry(`${path}/${name}`, name));
      } catch (error) {
        await fail(`${path}/${name}`, error, false);
      }
    }
    if (options.has('l') || options.has('s')) {
      const blocks = entries.reduce(
        (sum, { inode }) =>
          sum + (inode.type === 'symlink' || inode.type === 'char' ? 0 : Math.ceil(sizeOf(inode) / 4096) * 4),
        0,
      );
      await a.out(`total ${options.has('h') ? humanSize(blocks * 1024) : blocks}\n`);
    }
    await show(a, entries, options, names);
    if (!options.has('R')) return;
    for (const { name, inode } of entries)
      if (inode.type === 'directory' && name !== '.' && name !== '..') await list(`${path.replace(/\/$/, '')}/${name}`);
  };
  for (const path of directories) await list(path);
  return status;
}
