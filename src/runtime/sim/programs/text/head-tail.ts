import { isSysError } from '../../errno.ts';
import { find } from '../../vfs/mount-space.ts';
import { type Applet, Failure, type Options } from '../applet.ts';
import { eachInput } from '../input.ts';

const long = { lines: 'n', bytes: 'c', quiet: 'q', silent: 'q', verbose: 'v', follow: 'f', retry: 'F' };

/** `-5` is `-n 5`. */
const modern = (args: readonly string[]): readonly string[] =>
  args.map((word, index) =>
    /^-\d+[fF]?$/.test(word) && !/^-\w*[nc]$/.test(args[index - 1] ?? '')
      ? `-${/[fF]$/.exec(word)?.[0] ?? ''}n${word.slice(1).replace(/[fF]$/, '')}`
      : word,
  );

function countOf(text: string): number {
  const match = /^([-+]?\d+)([kKmMbG]?)B?$/.exec(text);
  if (!match) throw new Failure(`invalid number '${text}'`);
  const unit = { '': 1, b: 512, k: 1024, K: 1024, m: 1 << 20, M: 1 << 20, G: 1 << 30 }[match[2] ?? ''] ?? 1;
  return Number(match[1]) * unit;
}

const header = (name: string, first: boolean): string =>
  `${first ? '' : '\n'}==> ${name === '-' ? 'standard input' : name} <==\n`;

const titled = (options: Options): boolean => options.has('v') || (options.rest.length > 1 && !options.has('q'));

/** Where the last `count` lines begin. */
function lastLines(data: Uint8Array, count: number): number {
  let at = data.length;
  if (at > 0 && data[at - 1] === 10) at--;
  for (let left = count; at > 0; ) {
    const before = data.lastIndexOf(10, at - 1);
    left--;
    if (left === 0) return before + 1;
    if (before < 0) return 0;
    at = before;
  }
  return count === 0 ? data.length : 0;
}

/** head [-n N] [-c N] [-qv] [FILE]… */
export async function head(a: Applet): Promise<number> {
  const options = a.options('n:c:qv', long, modern(a.args));
  const byBytes = options.has('c');
  const count = countOf(options.value('c') ?? options.value('n') ?? '10');
  let first = true;
  return eachInput(a, options.rest, async (fd, name) => {
    if (titled(options)) await a.out(header(name, first));
    first = false;
    if (count < 0) {
      const data = await a.p.readAll(fd);
      await a.out(data.subarray(0, byBytes ? Math.max(0, data.length + count) : lastLines(data, -count)));
      return;
    }
    for (let left = count; left > 0; ) {
      const part = await a.p.read(fd, byBytes ? Math.min(left, 65_536) : 4096);
      if (part === null) return;
      let end = byBytes ? part.length : 0;
      if (byBytes) left -= part.length;
      while (!byBytes && left > 0 && end < part.length) {
        const at = part.indexOf(10, end);
        end = at < 0 ? part.length : at + 1;
        if (at >= 0) left--;
      }
      await a.flush();
      await a.p.write(1, part.subarray(0, end));
    }
  });
}

/** tail [-n [+]N] [-c [+]N] [-f] [-F] [-qv] [FILE]… */
export async function tail(a: Applet): Promise<number> {
  const options = a.options('n:c:s:fFqv', long, modern(a.args));
  const byBytes = options.has('c');
  const text = options.value('c') ?? options.value('n') ?? '10';
  const count = Math.abs(countOf(text));
  const fromStart = text.startsWith('+');
  const follow = options.has('f') || options.has('F');
  const open: { fd: number; name: string }[] = [];
  let first = true;
  let status = 0;
  for (const name of options.rest.length === 0 ? ['-'] : options.rest) {
    try {
      const fd = name === '-' ? 0 : a.p.open(name, { read: true });
      if (titled(options)) await a.out(header(name, first));
      first = false;
      const data = await a.p.readAll(fd);
      const start = fromStart
        ? byBytes
          ? count - 1
          : afterLines(data, count - 1)
        : byBytes
          ? data.length - count
          : lastLines(data, count);
      await a.out(data.subarray(Math.max(0, start)));
      open.push({ fd, name });
    } catch (error) {
      if (isSysError(error, 'EISDIR')) status = await a.warn(`error reading '${name}': Is a directory`);
      else if (!isSysError(error)) throw error;
      else
        status = await (a.flavour === 'busybox'
          ? a.cannotOpen(name, error)
          : a.warn(
              `cannot open '${name}' for reading: ${error.code === 'EACCES' ? 'Permission denied' : 'No such file or directory'}`,
            ));
      if (options.has('F')) open.push({ fd: -1, name });
    }
  }
  await a.flush();
  if (open.length === 0 && (follow || a.flavour === 'busybox')) {
    await a.warn(a.flavour === 'busybox' ? 'no files' : 'no files remaining');
    return 1;
  }
  if (!follow) return status;
  return followFiles(a, open, titled(options), options.has('F'));
}

function afterLines(data: Uint8Array, count: number): number {
  let at = 0;
  for (let left = count; left > 0; left--) {
    const end = data.indexOf(10, at);
    if (end < 0) return data.length;
    at = end + 1;
  }
  return at;
}

/** Prints what is appended, woken by the files' watchers. With `byName`, a replaced or created file is opened anew. */
async function followFiles(
  a: Applet,
  open: { fd: number; name: string }[],
  titles: boolean,
  byName: boolean,
): Promise<number> {
  const { p } = a;
  let shown = open.at(-1)?.name;
  for (;;) {
    let moved = false;
    for (const item of open) {
      if (byName) reopen(a, item);
      if (item.fd < 0) continue;
      const inode = p.fds[item.fd]?.inode;
      const file = p.fds[item.fd];
      if (inode?.data && file && inode.data.size < file.offset) file.offset = 0;
      for (let part = file?.tryRead(65_536); part; part = file?.tryRead(65_536)) {
        if (titles && shown !== item.name) await p.write(1, header(item.name, false));
        shown = item.name;
        await p.write(1, part);
        moved = true;
      }
      if (item.fd === 0 && !inode) return 0;
    }
    if (moved) continue;
    await p.block((wake) => watch(a, open, byName, wake));
  }
}

function reopen(a: Applet, item: { fd: number; name: string }): void {
  try {
    const { inode } = find(a.p.view, item.name);
    if (a.p.fds[item.fd]?.inode === inode) return;
    if (item.fd >= 0) a.p.close(item.fd);
    item.fd = a.p.open(item.name, { read: true });
  } catch (error) {
    if (!isSysError(error)) throw error;
  }
}

function watch(
  a: Applet,
  open: readonly { fd: number; name: string }[],
  byName: boolean,
  wake: () => void,
): () => void {
  const undo: (() => void)[] = [];
  for (const { fd } of open) {
    const inode = a.p.fds[fd]?.inode;
    if (!inode) continue;
    const watcher = (): void => wake();
    inode.watchers ??= new Set();
    inode.watchers.add(watcher);
    undo.push(() => inode.watchers?.delete(watcher));
  }
  if (byName) {
    // A file that is replaced says nothing of its successor: look once a second, as tail does.
    const timer = a.p.workload.clock.after(1000, wake, { background: true });
    undo.push(() => timer.cancel());
  }
  return () => {
    for (const back of undo) back();
  };
}
