import { isSysError, SysError, strerror } from '../../errno.ts';
import { searchPath } from '../../kernel/exec.ts';
import { find, may, resolve } from '../../vfs/mount-space.ts';
import { readLinkPath } from '../../vfs/operations.ts';
import { type Applet, Failure, usage } from '../applet.ts';

/** basename [-a] [-s SUFFIX] PATH [SUFFIX] */
export async function basename(a: Applet): Promise<number> {
  const options = a.options('+as:z');
  const several = options.has('a') || options.has('s');
  const [first, second] = options.rest;
  if (first === undefined) throw a.flavour === 'busybox' ? usage(a) : new Failure('missing operand');
  const suffix = options.value('s') ?? (several ? '' : (second ?? ''));
  for (const path of several ? options.rest : [first]) {
    const clean = path.replace(/\/+$/, '') || (path === '' ? '' : '/');
    const name = clean === '/' ? '/' : clean.slice(clean.lastIndexOf('/') + 1);
    await a.out(
      `${suffix !== '' && name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name}\n`,
    );
  }
  return 0;
}

/** dirname PATH… */
export async function dirname(a: Applet): Promise<number> {
  const { rest } = a.options('+z');
  if (rest.length === 0) throw a.flavour === 'busybox' ? usage(a) : new Failure('missing operand');
  for (const path of rest) {
    const clean = path.replace(/\/+$/, '');
    const slash = clean.lastIndexOf('/');
    await a.out(
      `${clean === '' && path !== '' ? '/' : slash < 0 ? '.' : clean.slice(0, slash).replace(/\/+$/, '') || '/'}\n`,
    );
  }
  return 0;
}

/** readlink [-fnemq] FILE… */
export async function readlink(a: Applet): Promise<number> {
  const options = a.options('fnemqvs', { canonicalize: 'f' });
  if (options.rest.length === 0) throw usage(a);
  let status = 0;
  for (const path of options.rest) {
    try {
      const canonical = options.has('f') || options.has('e') || options.has('m');
      const text = canonical ? canonicalPath(a, path, options.has('e')) : readLinkPath(a.p.view, path);
      await a.out(`${text}${options.has('n') ? '' : '\n'}`);
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = options.has('v') ? await a.warn(`${path}: ${strerror(error)}`) : 1;
    }
  }
  return status;
}

/** A path without links; its last part need not exist unless `existing`. */
function canonicalPath(a: Applet, path: string, existing: boolean): string {
  const found = resolve(a.p.view, path);
  if (existing && !found.inode) throw new SysError('ENOENT', path);
  return found.path;
}

/** realpath FILE… */
export async function realpath(a: Applet): Promise<number> {
  const options = a.options('eqmsL');
  if (options.rest.length === 0) throw a.flavour === 'busybox' ? usage(a) : new Failure('missing operand');
  let status = 0;
  for (const path of options.rest) {
    try {
      await a.out(`${canonicalPath(a, path, a.flavour === 'busybox' ? false : options.has('e'))}\n`);
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = await a.warn(`${path}: ${strerror(error)}`);
    }
  }
  return status;
}

/** which NAME…: the executable that would be run. */
export async function which(a: Applet): Promise<number> {
  const options = a.options('as');
  let status = 0;
  for (const name of options.rest) {
    const path = searchPath(a.p, name);
    let real = false;
    try {
      real =
        path !== undefined &&
        find(a.p.view, path).inode.type === 'file' &&
        may(a.p.credentials, find(a.p.view, path).inode, 1);
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
    if (real) await a.out(`${path}\n`);
    else status = 1;
  }
  return status;
}

/** pwd [-LP] */
export async function pwd(a: Applet): Promise<number> {
  await a.out(`${a.p.cwd}\n`);
  return 0;
}
