import { isSysError, SysError, strerror } from '../../errno.ts';
import { baseName } from '../../kernel/exec.ts';
import { find, resolve } from '../../vfs/mount-space.ts';
import {
  changeMode,
  changeOwner,
  hardLink,
  listPath,
  makeNode,
  readLinkPath,
  removeDirectory,
  removeTree,
  renamePath,
  setTime,
  unlinkPath,
} from '../../vfs/operations.ts';
import { type Applet, Failure, usage } from '../applet.ts';

interface CopyOptions {
  readonly recursive: boolean;
  readonly preserve: boolean;
  readonly links: boolean;
  readonly force: boolean;
  readonly skip: boolean;
}

/** Copies one file or tree. Throws SysError for the first that cannot be copied. */
async function copyPath(a: Applet, from: string, to: string, how: CopyOptions): Promise<number> {
  const { p } = a;
  const { view } = p;
  let status = 0;
  try {
    const { inode } = find(view, from, !how.links);
    const target = resolve(view, to);
    if (target.inode === inode) {
      if (a.flavour === 'gnu') return a.warn(`'${from}' and '${to}' are the same file`);
      return a.warn(`'${from}' and '${to}' are the same file`);
    }
    if (target.inode && how.skip) return 0;
    if (inode.type === 'directory') {
      if (!how.recursive) {
        await a.warn(
          a.flavour === 'gnu' ? `-r not specified; omitting directory '${from}'` : `omitting directory '${from}'`,
        );
        return 1;
      }
      if (!target.inode) makeNode(view, to, 'directory', (inode.mode & 0o777 & ~p.umask) | 0o700);
      for (const name of listPath(view, from))
        status = Math.max(status, await copyPath(a, `${from}/${name}`, `${to}/${name}`, how));
    } else if (inode.type === 'symlink' && how.links) {
      if (target.inode) unlinkPath(view, to);
      makeNode(view, to, 'symlink', 0o777, readLinkPath(view, from));
      return 0;
    } else if (inode.type === 'fifo' && how.recursive) makeNode(view, to, 'fifo', inode.mode);
    else {
      const source = p.open(from, { read: true });
      let sink: number;
      try {
        sink = p.open(to, { write: true, create: true, truncate: true }, inode.mode);
      } catch (error) {
        if (!isSysError(error) || !how.force || !target.inode) {
          p.close(source);
          if (!isSysError(error)) throw error;
          return a.warn(
            a.flavour === 'gnu'
              ? `cannot create regular file '${to}': ${strerror(error)}`
              : `can't create '${to}': ${error.code === 'EEXIST' ? 'File exists' : strerror(error)}`,
          );
        }
        unlinkPath(view, to);
        sink = p.open(to, { write: true, create: true, truncate: true }, inode.mode);
      }
      for (let part = await p.read(source); part !== null; part = await p.read(source)) await p.write(sink, part);
      p.close(source);
      p.close(sink);
    }
    if (how.preserve) {
      changeMode(view, to, inode.mode);
      setTime(view, to, inode.mtime);
      if (p.credentials.override) changeOwner(view, to, inode.uid, inode.gid);
    }
    return status;
  } catch (error) {
    if (!isSysError(error) || error.code === 'EPIPE') throw error;
    return a.warn(
      error.code === 'ENOSPC'
        ? a.flavour === 'gnu'
          ? `error writing '${to}': ${strerror(error)}`
          : `write error: ${strerror(error)}`
        : a.flavour === 'gnu'
          ? `cannot stat '${from}': ${strerror(error)}`
          : error.code === 'ENOENT'
            ? `can't stat '${from}': ${strerror(error)}`
            : `can't open '${from}': ${strerror(error)}`,
    );
  }
}

/** Where an operand goes: into the last operand when that is a directory. */
function destination(from: string, target: string, into: boolean): string {
  return into ? `${target.replace(/\/+$/, '') || ''}/${baseName(from.replace(/\/+$/, ''))}` : target;
}

const isDirectory = (a: Applet, path: string): boolean => {
  try {
    return resolve(a.p.view, path).inode?.type === 'directory';
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
};

function operands(
  a: Applet,
  rest: readonly string[],
  given: string | undefined,
  noTarget: boolean,
): { sources: readonly string[]; target: string; into: boolean } {
  const words = [...rest];
  const target = given ?? words.pop();
  if (words.length === 0 || target === undefined) {
    if (a.flavour === 'busybox') throw usage(a);
    throw new Failure(
      target === undefined ? 'missing file operand' : `missing destination file operand after '${target}'`,
    );
  }
  const into = !noTarget && isDirectory(a, target);
  if (words.length > 1 && !into)
    throw new Failure(
      a.flavour === 'busybox'
        ? `'${target}' is not a directory`.replace(/^'(.*)' is not a directory$/, "target '$1' is not a directory")
        : `target '${target}' is not a directory`,
    );
  return { sources: words, target, into };
}

/** cp [-aprRdLfnTv] SOURCE… DEST */
export async function cp(a: Applet): Promise<number> {
  const options = a.options('aprRdLHPfinuvTst:', {
    recursive: 'r',
    archive: 'a',
    force: 'f',
    target: 't',
    'target-directory': 't',
    verbose: 'v',
    parents: 'x',
  });
  const { sources, target, into } = operands(a, options.rest, options.value('t'), options.has('T'));
  const recursive = options.has('r') || options.has('R') || options.has('a');
  const how: CopyOptions = {
    recursive,
    preserve: options.has('p') || options.has('a'),
    links: options.has('d') || options.has('P') || (recursive && !options.has('L') && !options.has('H')),
    force: options.has('f'),
    skip: options.has('n'),
  };
  let status = 0;
  for (const source of sources) {
    const to = destination(source, target, into);
    if (options.has('s')) makeNode(a.p.view, to, 'symlink', 0o777, source);
    else status = Math.max(status, await copyPath(a, source, to, how));
    if (options.has('v')) await a.out(`'${source}' -> '${to}'\n`);
  }
  return status;
}

/** mv [-finT] SOURCE… DEST. Across file systems it copies and removes. */
export async function mv(a: Applet): Promise<number> {
  const options = a.options('finTvut:', { force: 'f', 'no-clobber': 'n', verbose: 'v', 'target-directory': 't' });
  const { sources, target, into } = operands(a, options.rest, options.value('t'), options.has('T'));
  let status = 0;
  for (const source of sources) {
    const to = destination(source, target, into);
    try {
      if (options.has('n') && resolve(a.p.view, to).inode) continue;
      renamePath(a.p.view, source, to);
    } catch (error) {
      if (isSysError(error, 'EXDEV')) {
        const failed = await copyPath(a, source, to, {
          recursive: true,
          preserve: true,
          links: true,
          force: true,
          skip: false,
        });
        if (failed === 0) removeTree(a.p.view, source);
        status = Math.max(status, failed);
        continue;
      }
      if (!isSysError(error)) throw error;
      status = await a.warn(
        a.flavour === 'gnu'
          ? error.code === 'ENOENT'
            ? `cannot stat '${source}': ${strerror(error)}`
            : `cannot move '${source}' to '${to}': ${strerror(error)}`
          : `can't rename '${source}': ${strerror(error)}`,
      );
    }
    if (options.has('v')) await a.out(`'${source}' -> '${to}'\n`);
  }
  return status;
}

/** ln [-sfnT] TARGET… LINK */
export async function ln(a: Applet): Promise<number> {
  const options = a.options('sfnvTb', { symbolic: 's', force: 'f', 'no-dereference': 'n' });
  const words = [...options.rest];
  if (words.length === 0) throw usage(a);
  const last = words.length === 1 ? `./${baseName(words[0] ?? '')}` : (words.pop() ?? '');
  const { view } = a.p;
  let status = 0;
  for (const target of words) {
    const linked = options.has('n') && resolve(view, last, false).inode?.type === 'symlink';
    const path = destination(target, last, !options.has('T') && !linked && isDirectory(a, last));
    try {
      if (options.has('f') && resolve(view, path, false).inode) unlinkPath(view, path);
      if (options.has('s')) makeNode(view, path, 'symlink', 0o777, target);
      else hardLink(view, target, path);
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = await a.warn(
        a.flavour === 'gnu'
          ? `failed to create ${options.has('s') ? 'symbolic' : 'hard'} link '${path}': ${strerror(error)}`
          : `${error.code === 'ENOENT' && !options.has('s') ? target : path}: ${strerror(error)}`,
      );
    }
  }
  return status;
}

/** rm [-rfi] FILE… */
export async function rm(a: Applet): Promise<number> {
  const options = a.options('rRfiv', { recursive: 'r', force: 'f', verbose: 'v' });
  const recursive = options.has('r') || options.has('R');
  const force = options.has('f');
  if (options.rest.length === 0) {
    if (force) return 0;
    throw a.flavour === 'busybox' ? usage(a) : new Failure('missing operand');
  }
  const { view } = a.p;
  let status = 0;
  const remove = async (path: string): Promise<void> => {
    try {
      const { inode } = find(view, path, false);
      if (inode.type === 'directory') {
        if (!recursive) {
          status = await a.warn(
            a.flavour === 'gnu' ? `cannot remove '${path}': Is a directory` : `'${path}' is a directory`,
          );
          return;
        }
        for (const name of listPath(view, path)) await remove(`${path}/${name}`);
        removeDirectory(view, path);
      } else unlinkPath(view, path);
      if (options.has('v')) await a.out(`removed '${path}'\n`);
    } catch (error) {
      if (!isSysError(error)) throw error;
      if (force && error.code === 'ENOENT') return;
      status = await a.warn(
        a.flavour === 'gnu'
          ? `cannot remove '${path}': ${strerror(error)}`
          : `can't remove '${path}': ${strerror(error)}`,
      );
    }
  };
  for (const path of options.rest) {
    if (/^(.*\/)?\.\.?\/*$/.test(path)) {
      status = await a.warn(
        a.flavour === 'gnu'
          ? `refusing to remove '.' or '..' directory: skipping '${path}'`
          : `can't remove '.' or '..'`,
      );
      continue;
    }
    await remove(path);
  }
  return status;
}

/** unlink FILE and link FILE LINK */
export function unlink(a: Applet): number {
  const [path, to] = a.args;
  if (path === undefined) throw usage(a);
  try {
    if (a.name === 'link' && to !== undefined) hardLink(a.p.view, path, to);
    else unlinkPath(a.p.view, path);
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(
      a.flavour === 'gnu'
        ? `cannot unlink '${path}': ${strerror(error)}`
        : `can't remove file '${path}': ${strerror(error)}`,
    );
  }
  return 0;
}
