import { isSysError, SysError, strerror } from '../../errno.ts';
import { truncateInode } from '../../vfs/inode.ts';
import { find, resolve } from '../../vfs/mount-space.ts';
import {
  changeMode,
  changeOwner,
  listPath,
  makeDirectories,
  makeNode,
  removeDirectory,
  setTime,
} from '../../vfs/operations.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import { readNames } from '../names.ts';
import { applyMode } from './modes.ts';

/** Does something to every operand; refused system calls are complained about with `text`, and the status is 1. */
export async function eachPath(
  a: Applet,
  operands: readonly string[],
  act: (path: string) => void | Promise<void>,
  text: (path: string, why: string) => string,
): Promise<number> {
  let status = 0;
  for (const path of operands) {
    try {
      await act(path);
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = await a.warn(text(path, strerror(error)));
    }
  }
  return status;
}

/** mkdir [-p] [-m MODE] DIR… */
export async function mkdir(a: Applet): Promise<number> {
  const options = a.options('pm:v', { parents: 'p', mode: 'm', verbose: 'v' });
  if (options.rest.length === 0) throw a.flavour === 'busybox' ? usage(a) : new Failure('missing operand');
  const { view, umask } = a.p;
  const mode = 0o777 & ~umask;
  return eachPath(
    a,
    options.rest,
    (path) => {
      if (options.has('p')) makeDirectories(view, path, mode);
      else makeNode(view, path, 'directory', mode);
      const asked = options.value('m');
      if (asked === undefined) return;
      const bits = applyMode(asked, 0o777, true);
      if (bits === undefined) throw new Failure(`invalid mode '${asked}'`);
      changeMode(view, path, bits);
    },
    (path, why) =>
      a.flavour === 'busybox'
        ? `can't create directory '${path}': ${why}`
        : `cannot create directory '${path}': ${why}`,
  );
}

/** rmdir [-p] DIR… */
export async function rmdir(a: Applet): Promise<number> {
  const options = a.options('p', { parents: 'p' });
  if (options.rest.length === 0) throw usage(a);
  return eachPath(
    a,
    options.rest,
    (path) => {
      removeDirectory(a.p.view, path);
      let parent = path.replace(/\/+$/, '');
      while (options.has('p') && parent.includes('/')) {
        parent = parent.slice(0, parent.lastIndexOf('/'));
        if (parent !== '') removeDirectory(a.p.view, parent);
      }
    },
    (path, why) => (a.flavour === 'busybox' ? `'${path}': ${why}` : `failed to remove '${path}': ${why}`),
  );
}

/** touch [-c] [-d DATE] [-r FILE] FILE… */
export async function touch(a: Applet): Promise<number> {
  const options = a.options('cd:t:r:amhf', { 'no-create': 'c', date: 'd', reference: 'r' });
  if (options.rest.length === 0) throw a.flavour === 'busybox' ? usage(a) : new Failure('missing file operand');
  const { p } = a;
  const like = options.value('r');
  const date = options.value('d');
  const parsed =
    date === undefined
      ? undefined
      : Date.parse(
          /^@\d+$/.test(date)
            ? new Date(Number(date.slice(1)) * 1000).toISOString()
            : `${date.replace(' ', 'T')}${/[Z+]/.test(date) ? '' : 'Z'}`,
        );
  if (parsed !== undefined && Number.isNaN(parsed)) throw new Failure(`invalid date '${date}'`);
  const time = like === undefined ? (parsed ?? p.workload.clock.now()) : find(p.view, like).inode.mtime;
  return eachPath(
    a,
    options.rest,
    (path) => {
      if (!resolve(p.view, path).inode) {
        if (options.has('c')) return;
        p.close(p.open(path, { write: true, create: true }));
      }
      setTime(p.view, path, time);
    },
    (path, why) => (a.flavour === 'busybox' ? `${path}: ${why}` : `cannot touch '${path}': ${why}`),
  );
}

/** Everything below a path, itself first. */
function* below(a: Applet, path: string): Generator<string> {
  yield path;
  if (find(a.p.view, path, false).inode.type !== 'directory') return;
  for (const name of listPath(a.p.view, path)) yield* below(a, `${path.replace(/\/$/, '')}/${name}`);
}

/** chmod [-R] MODE FILE… */
export async function chmod(a: Applet): Promise<number> {
  // A mode such as -x looks like an option.
  const at = a.args.findIndex((word) => /^-[rwxXst]+$/.test(word));
  const options = a.options('Rcvf', { recursive: 'R' }, at < 0 ? a.args : a.args.filter((_, index) => index !== at));
  const [mode, ...paths] = at < 0 ? options.rest : [a.args[at] ?? '', ...options.rest];
  if (mode === undefined || paths.length === 0)
    throw a.flavour === 'busybox' ? usage(a) : new Failure('missing operand');
  return eachPath(
    a,
    paths,
    (path) => {
      for (const one of options.has('R') ? [...below(a, path)] : [path]) {
        const { inode } = find(a.p.view, one);
        const bits = applyMode(mode, inode.mode, inode.type === 'directory', a.p.umask);
        if (bits === undefined) throw new Failure(`invalid mode '${mode}'`);
        changeMode(a.p.view, one, bits);
      }
    },
    (path, why) =>
      a.flavour === 'busybox'
        ? `${path}: ${why}`
        : why === 'Operation not permitted'
          ? `changing permissions of '${path}': ${why}`
          : `cannot access '${path}': ${why}`,
  );
}

/** chown [-R] OWNER[:GROUP] FILE… and chgrp GROUP FILE… */
export async function chown(a: Applet): Promise<number> {
  const options = a.options('Rhcvf', { recursive: 'R', 'no-dereference': 'h' });
  const [owner, ...paths] = options.rest;
  if (owner === undefined || paths.length === 0) throw usage(a);
  const names = readNames(a.p);
  const [user = '', group] = a.name === 'chgrp' ? ['', owner] : owner.split(/[:.]/);
  const uid = user === '' ? undefined : names.uid(user);
  const gid = group === undefined || group === '' ? undefined : names.gid(group);
  if (user !== '' && uid === undefined)
    throw new Failure(a.flavour === 'busybox' ? `unknown user ${user}` : `invalid user: '${owner}'`);
  if (group && gid === undefined)
    throw new Failure(a.flavour === 'busybox' ? `unknown group ${group}` : `invalid group: '${owner}'`);
  return eachPath(
    a,
    paths,
    (path) => {
      for (const one of options.has('R') ? [...below(a, path)] : [path])
        changeOwner(a.p.view, one, uid, gid, !options.has('h') && !options.has('R'));
    },
    (path, why) =>
      a.flavour === 'busybox'
        ? `${path}: ${why}`
        : why === 'Operation not permitted'
          ? `changing ownership of '${path}': ${why}`
          : `cannot access '${path}': ${why}`,
  );
}

/** mkfifo [-m MODE] NAME… */
export async function mkfifo(a: Applet): Promise<number> {
  const options = a.options('m:', { mode: 'm' });
  return eachPath(
    a,
    options.rest,
    (path) => void makeNode(a.p.view, path, 'fifo', 0o666 & ~a.p.umask),
    (path, why) => (a.flavour === 'busybox' ? `${path}: ${why}` : `cannot create fifo '${path}': ${why}`),
  );
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 512,
  k: 1024,
  K: 1024,
  m: 1 << 20,
  M: 1 << 20,
  g: 1 << 30,
  G: 1 << 30,
  T: 2 ** 40,
};

/** `10M` in bytes, or undefined. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)([bkKmMgGT]?)i?B?$/.exec(text);
  return match ? Number(match[1]) * (units[match[2] ?? ''] ?? 1) : undefined;
}

/** truncate -s SIZE FILE… and fallocate -l SIZE FILE */
export async function truncate(a: Applet): Promise<number> {
  const options = a.options('s:cl:o:', { size: 's', length: 'l' });
  const text = options.value('s') ?? options.value('l') ?? '';
  const size = parseSize(text.replace(/^[+-]/, ''));
  if (size === undefined) throw text === '' ? usage(a) : new Failure(`invalid number '${text}'`);
  return eachPath(
    a,
    options.rest,
    (path) => {
      const fd = a.p.open(path, { write: true, create: !options.has('c') });
      const inode = a.p.fds[fd]?.inode;
      if (!inode) throw new SysError('EINVAL', path);
      const now = inode.data?.size ?? 0;
      const target = text.startsWith('+') ? now + size : text.startsWith('-') ? Math.max(0, now - size) : size;
      if (a.name !== 'fallocate' || target > now) truncateInode(inode, target);
      a.p.close(fd);
    },
    (path, why) => (a.flavour === 'busybox' ? `${path}: ${why}` : `cannot open '${path}' for writing: ${why}`),
  );
}

/** mktemp [-d] [-p DIR] [-u] [-t] [TEMPLATE] */
export async function mktemp(a: Applet): Promise<number> {
  const options = a.options('dqtup:', { directory: 'd', tmpdir: 'p' });
  const { p } = a;
  const given = options.rest[0];
  const dir = options.value('p') ?? p.env.get('TMPDIR') ?? '/tmp';
  const template =
    given === undefined
      ? `${dir}/tmp.${a.flavour === 'busybox' ? 'XXXXXX' : 'XXXXXXXXXX'}`
      : options.has('t') || options.has('p')
        ? `${dir}/${given}`
        : given;
  const marks = /X+$/.exec(template)?.[0].length ?? 0;
  if (marks < 6 && !(a.flavour === 'gnu' && marks >= 3))
    throw new Failure(a.flavour === 'busybox' ? 'Invalid argument' : `too few X's in template '${template}'`);
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  const path =
    template.slice(0, -marks) +
    Array.from({ length: marks }, () => letters[Math.floor(p.workload.random.next() * letters.length)] ?? 'a').join('');
  try {
    if (options.has('d')) makeNode(p.view, path, 'directory', 0o700);
    else if (!options.has('u')) p.close(p.open(path, { write: true, create: true, exclusive: true }, 0o600));
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(
      a.flavour === 'busybox'
        ? `${template}: ${strerror(error)}`
        : `failed to create file via template '${template}': ${strerror(error)}`,
    );
  }
  await a.out(`${path}\n`);
  return 0;
}
