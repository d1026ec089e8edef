import { gunzipSync, gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { isSysError, SysError, strerror } from '../../errno.ts';
import { matches } from '../../shell/pattern.ts';
import type { Inode } from '../../vfs/inode.ts';
import { find, resolve } from '../../vfs/mount-space.ts';
import {
  changeMode,
  changeOwner,
  hardLink,
  listPath,
  makeDirectories,
  makeNode,
  readLinkPath,
  setTime,
  unlinkPath,
} from '../../vfs/operations.ts';
import { type Applet, Failure, type Options, usage } from '../applet.ts';
import { readNames } from '../names.ts';
import { formatTime } from '../system/time.ts';
import { modeText } from './ls.ts';

const long = {
  create: 'c',
  extract: 'x',
  get: 'x',
  list: 't',
  file: 'f',
  directory: 'C',
  gzip: 'z',
  verbose: 'v',
  exclude: 'X',
  'no-same-owner': 'o',
  'no-same-permissions': 'p',
  'strip-components': 'S',
  'to-stdout': 'O',
  'files-from': 'T',
  'keep-old-files': 'k',
  overwrite: 'U',
  'same-permissions': 'p',
  'preserve-permissions': 'p',
  touch: 'm',
  dereference: 'h',
  'no-recursion': 'n',
  warning: 'W',
  'numeric-owner': 'N',
  owner: 'w',
  group: 'w',
};

/** tar c|x|t [fvzCOpkmh] …: streams both ways, as kubectl cp needs it. */
export async function tar(a: Applet): Promise<number> {
  const [first = '', ...rest] = a.args;
  // `tar cf - .` has its letters without a dash.
  const args = first.startsWith('-') || first === '' ? a.args : bundled(first, rest);
  const options = a.options('cxtvzohpOkmjJanNUPf:C:X:S:T:W:w:', long, args);
  const modes = ['c', 'x', 't'].filter((letter) => options.has(letter));
  if (modes.length !== 1) {
    if (a.flavour === 'busybox') throw usage(a);
    throw new Failure(
      "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\nTry 'tar --help' or 'tar --usage' for more information.",
      2,
    );
  }
  const base = options.value('C');
  const archive = options.value('f') ?? '-';
  const outer = a.p.cwd;
  if (options.has('c')) return create(a, options, archive, base);
  if (base !== undefined && options.has('x')) {
    try {
      if (find(a.p.view, base).inode.type !== 'directory') throw new SysError('ENOTDIR');
    } catch (error) {
      if (!isSysError(error)) throw error;
      if (a.flavour === 'gnu')
        throw new Failure(`${base}: Cannot open: ${strerror(error)}\ntar: Error is not recoverable: exiting now`, 2);
      throw new Failure(`can't change directory to '${base}': ${strerror(error)}`);
    }
  }
  return unpack(a, options, archive, base ?? outer);
}

/** Old style letters take their values from the words that follow, in order. */
function bundled(letters: string, rest: readonly string[]): string[] {
  const values = [...rest];
  const out: string[] = [];
  for (const letter of letters) {
    out.push(`-${letter}`);
    if ('fCXT'.includes(letter)) out.push(values.shift() ?? '');
  }
  return [...out, ...values];
}

async function create(a: Applet, options: Options, archive: string, base: string | undefined): Promise<number> {
  if (options.rest.length === 0 && !options.has('T'))
    throw new Failure(
      a.flavour === 'gnu' ? 'Cowardly refusing to create an empty archive' : 'empty archive',
      a.flavour === 'gnu' ? 2 : 1,
    );
  let fd = 1;
  try {
    if (archive !== '-') fd = a.p.open(archive, { write: true, create: true, truncate: true });
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(
      a.flavour === 'gnu'
        ? `${archive}: Cannot open: ${strerror(error)}\ntar: Error is not recoverable: exiting now`
        : `can't open '${archive}': ${strerror(error)}`,
      a.flavour === 'gnu' ? 2 : 1,
    );
  }
  const names = readNames(a.p);
  const excluded = options.all('X');
  const stream = pack();
  const zipped: Uint8Array[] = [];
  let status = 0;
  const flush = async (): Promise<void> => {
    for (let part = stream.read() as Buffer | null; part !== null; part = stream.read() as Buffer | null) {
      if (options.has('z')) zipped.push(part);
      else await a.p.write(fd, part);
    }
  };
  const output = a.p.file(fd).inode;
  const add = async (name: string): Promise<void> => {
    const path = base === undefined || name.startsWith('/') ? name : `${base.replace(/\/$/, '')}/${name}`;
    if (excluded.some((pattern) => matches(pattern, name) || name.split('/').some((part) => matches(pattern, part))))
      return;
    try {
      const { inode } = find(a.p.view, path, options.has('h'));
      if (inode === output) return;
      const shown = name.replace(/^\/+/, '').replace(/\/+$/, '') || '.';
      const head = {
        name: inode.type === 'directory' ? `${shown}/` : shown,
        mode: inode.mode & 0o7777,
        uid: inode.uid,
        gid: inode.gid,
        uname: names.user(inode.uid) ?? '',
        gname: names.group(inode.gid) ?? '',
        mtime: new Date(inode.mtime),
      };
      if (options.has('v')) await a.p.complain(`${head.name}\n`);
      if (inode.type === 'directory') {
        stream.entry({ ...head, type: 'directory' });
        await flush();
        for (const child of listPath(a.p.view, path)) await add(`${name.replace(/\/+$/, '') || ''}/${child}`);
      } else if (inode.type === 'symlink')
        stream.entry({ ...head, type: 'symlink', linkname: readLinkPath(a.p.view, path) });
      else if (inode.type === 'file') await addFile(a, stream, head, path, inode, flush);
      await flush();
    } catch (error) {
      if (!isSysError(error) || error.code === 'EPIPE') throw error;
      status = await a.warn(
        a.flavour === 'gnu'
          ? `${name}: Cannot ${error.code === 'EACCES' ? 'open' : 'stat'}: ${strerror(error)}`
          : `${name}: ${strerror(error)}`,
      );
    }
  };
  if (options.rest.some((name) => name.startsWith('/')))
    await a.p.complain(
      a.flavour === 'gnu'
        ? "tar: Removing leading `/' from member names\n"
        : "tar: removing leading '/' from member names\n",
    );
  for (const name of options.rest) await add(name);
  stream.finalize();
  await flush();
  if (options.has('z')) await a.p.write(fd, gzipSync(Buffer.concat(zipped)));
  if (status === 0) return 0;
  await a.warn(
    a.flavour === 'gnu'
      ? 'Exiting with failure status due to previous errors'
      : 'error exit delayed from previous errors',
  );
  return a.flavour === 'gnu' ? 2 : 1;
}

type Pack = ReturnType<typeof pack>;

async function addFile(
  a: Applet,
  stream: Pack,
  head: { name: string; mode: number; mtime: Date },
  path: string,
  inode: Inode,
  flush: () => Promise<void>,
): Promise<void> {
  const size = inode.generate ? Buffer.byteLength(inode.generate(a.p)) : (inode.data?.size ?? 0);
  const fd = a.p.open(path, { read: true });
  const entry = stream.entry({ ...head, size, type: 'file' });
  let left = size;
  for (let part = await a.p.read(fd, 1 << 16); part !== null && left > 0; part = await a.p.read(fd, 1 << 16)) {
    const piece = Buffer.from(part.subarray(0, left));
    left -= piece.length;
    entry?.write(piece);
    await flush();
  }
  // A file that shrank meanwhile is filled up with zeros, as tar does.
  if (left > 0) entry?.write(Buffer.alloc(left));
  entry?.end(Buffer.alloc(0));
  a.p.close(fd);
}

interface Member {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly size: number;
  readonly target: string;
}

/** Members of an archive as they arrive, their content through `next`. */
async function eachMember(
  a: Applet,
  fd: number,
  zipped: boolean,
  act: (member: Member, content: () => Promise<Buffer | undefined>) => Promise<void>,
): Promise<boolean> {
  const stream = extract();
  const queue: (() => Promise<void>)[] = [];
  let failure: Error | undefined;
  let seen = false;
  stream.on('error', (error: Error) => {
    failure = error;
  });
  stream.on('entry', (header, body, next) => {
    seen = true;
    queue.push(async () => {
      const member: Member = {
        name: header.name,
        type: header.type ?? 'file',
        mode: header.mode ?? 0o644,
        uid: header.uid ?? 0,
        gid: header.gid ?? 0,
        mtime: header.mtime?.getTime() ?? 0,
        size: header.size ?? 0,
        target: header.linkname ?? '',
      };
      let left = member.size;
      // At the end of the archive the parser may still hold the last piece back for a turn.
      let idle = 0;
      const content = async (): Promise<Buffer | undefined> => {
        while (left > 0) {
          const part = body.read() as Buffer | null;
          if (part !== null) {
            left -= part.length;
            return part;
          }
          if (!(await feed()) && ++idle > 3) return undefined;
          if (ended) await settle();
        }
        return undefined;
      };
      await act(member, content);
      while (left > 0 && (await content()));
      body.resume();
      next();
    });
  });
  let ended = false;
  const settle = (): Promise<void> => a.p.outside(new Promise<void>((resolve) => setImmediate(resolve)));
  const feed = async (): Promise<boolean> => {
    if (ended || failure) return false;
    const part = await a.p.read(fd, 1 << 16);
    if (part === null) {
      ended = true;
      stream.end(Buffer.alloc(0));
      return false;
    }
    stream.write(Buffer.from(part));
    // The parser passes on what it has in ticks of its own.
    await settle();
    return true;
  };
  if (zipped) {
    const data = await a.p.readAll(fd);
    try {
      stream.write(gunzipSync(data));
    } catch {
      throw new Failure(
        a.flavour === 'gnu' ? 'Child returned status 1\ntar: Error is not recoverable: exiting now' : 'invalid magic',
        a.flavour === 'gnu' ? 2 : 1,
      );
    }
    ended = true;
    stream.end(Buffer.alloc(0));
  }
  for (let more = true; more || queue.length > 0; ) {
    const job = queue.shift();
    if (job) await job();
    else {
      more = await feed();
      await settle();
    }
    if (failure)
      throw new Failure(
        a.flavour === 'gnu'
          ? 'This does not look like a tar archive\ntar: Exiting with failure status due to previous errors'
          : 'invalid tar magic',
        a.flavour === 'gnu' ? 2 : 1,
      );
  }
  return seen;
}

async function unpack(a: Applet, options: Options, archive: string, base: string): Promise<number> {
  let fd = 0;
  try {
    if (archive !== '-') fd = a.p.open(archive, { read: true });
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(
      a.flavour === 'gnu'
        ? `${archive}: Cannot open: ${strerror(error)}\ntar: Error is not recoverable: exiting now`
        : `can't open '${archive}': ${strerror(error)}`,
      a.flavour === 'gnu' ? 2 : 1,
    );
  }
  const listing = options.has('t');
  const strip = Number(options.value('S') ?? 0);
  const names = readNames(a.p);
  let status = 0;
  const wanted = (name: string): boolean =>
    options.rest.length === 0 ||
    options.rest.some((one) => name === one || name.startsWith(`${one.replace(/\/$/, '')}/`) || name === `${one}/`);
  const zipped = options.has('z') || /\.t?gz$/.test(archive);
  const seen = await eachMember(a, fd, zipped, async (member, content) => {
    if (!wanted(member.name)) return;
    if (options.has('v') || listing) {
      const line = options.has('v') && listing ? `${listLine(member, names)}` : member.name;
      await a.out(`${line}\n`);
    }
    if (listing) return;
    const name = member.name.split('/').slice(strip).join('/');
    if (name.split('/').includes('..')) {
      status = await a.warn(`name with '..' skipped: ${member.name}`.replace(/^.*$/, (text) => text));
      return;
    }
    if (name === '') return;
    try {
      await place(a, options, `${base.replace(/\/$/, '')}/${name.replace(/^\/+/, '')}`, base, member, content);
    } catch (error) {
      if (!isSysError(error) || error.code === 'EPIPE') throw error;
      status = await a.warn(
        a.flavour === 'gnu'
          ? `${name}: Cannot ${member.type === 'directory' ? 'mkdir' : 'open'}: ${strerror(error)}`
          : `can't ${member.type === 'directory' ? 'make dir' : 'open'} '${name}': ${strerror(error)}`.replace(
              "can't make dir",
              "can't create directory",
            ),
      );
    }
  });
  if (!seen && !zipped) {
    await a.warn(a.flavour === 'gnu' ? 'This does not look like a tar archive' : 'short read');
    return a.flavour === 'gnu' ? 2 : 1;
  }
  if (status !== 0 && a.flavour === 'gnu') {
    await a.warn('Exiting with failure status due to previous errors');
    return 2;
  }
  return status;
}

function listLine(member: Member, names: ReturnType<typeof readNames>): string {
  const type = { directory: 'directory', symlink: 'symlink' }[member.type] ?? 'file';
  const mode = modeText({ type, mode: member.mode } as Inode);
  const owner = `${names.user(member.uid) ?? member.uid}/${names.group(member.gid) ?? member.gid}`;
  return `${mode} ${owner} ${String(member.size).padStart(9)} ${formatTime('%Y-%m-%d %H:%M:%S', member.mtime)} ${member.name}${member.type === 'symlink' ? ` -> ${member.target}` : ''}`;
}

async function place(
  a: Applet,
  options: Options,
  path: string,
  base: string,
  member: Member,
  content: () => Promise<Buffer | undefined>,
): Promise<void> {
  const { view } = a.p;
  const mode = options.has('p') ? member.mode & 0o7777 : member.mode & 0o777 & ~a.p.umask;
  if (options.has('O')) {
    for (let part = await content(); part; part = await content()) await a.p.write(1, part);
    return;
  }
  if (member.type === 'directory') {
    if (resolve(view, path).inode?.type !== 'directory') makeDirectories(view, path);
    if (a.p.credentials.override || resolve(view, path).inode?.uid === a.p.credentials.uid)
      changeMode(view, path, mode);
    return;
  }
  makeDirectories(view, path.slice(0, path.lastIndexOf('/')) || '/');
  const before = resolve(view, path, false).inode;
  if (before && before.type !== 'directory') unlinkPath(view, path);
  if (member.type === 'symlink') {
    makeNode(view, path, 'symlink', 0o777, member.target);
    return;
  }
  if (member.type === 'link') {
    hardLink(view, `${base.replace(/\/$/, '')}/${member.target}`, path);
    return;
  }
  if (member.type !== 'file' && member.type !== 'contiguous-file') return;
  const fd = a.p.open(path, { write: true, create: true, truncate: true }, member.mode);
  for (let part = await content(); part; part = await content()) await a.p.write(fd, part);
  a.p.close(fd);
  if (options.has('p')) changeMode(view, path, mode);
  if (a.p.credentials.override && !options.has('o')) changeOwner(view, path, member.uid, member.gid);
  if (!options.has('m')) setTime(view, path, member.mtime);
}
