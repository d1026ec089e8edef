import { isSysError, strerror } from '../../errno.ts';
import { prepare, searchPath, spawn } from '../../kernel/exec.ts';
import { matches } from '../../shell/pattern.ts';
import { type Inode, sizeOf } from '../../vfs/inode.ts';
import { find as lookup } from '../../vfs/mount-space.ts';
import { listPath, readLinkPath, removeDirectory, unlinkPath } from '../../vfs/operations.ts';
import { type Applet, Failure } from '../applet.ts';
import { readNames } from '../names.ts';
import { modeText } from './ls.ts';
import { parseSize } from './make.ts';

interface Item {
  readonly path: string;
  readonly inode: Inode;
  readonly depth: number;
}

type Test = (item: Item) => boolean | Promise<boolean>;

interface Plan {
  readonly test: Test;
  readonly acts: boolean;
  readonly finish: () => Promise<number>;
  maxDepth: number;
  minDepth: number;
  depthFirst: boolean;
  pruned: boolean;
  quit: boolean;
}

/** find [PATH]… [EXPRESSION] */
export async function find(a: Applet): Promise<number> {
  const words = a.args.filter((word) => !/^-[HL]$/.test(word));
  const follow = a.args.includes('-L');
  const at = words.findIndex((word) => /^-.|^[(!]$/.test(word));
  const roots = at < 0 ? words : words.slice(0, at);
  const plan = compile(a, at < 0 ? [] : words.slice(at));
  let status = 0;
  const visit = async (path: string, depth: number): Promise<void> => {
    if (plan.quit) return;
    let inode: Inode;
    try {
      inode = lookup(a.p.view, path, follow).inode;
    } catch (error) {
      if (!isSysError(error)) throw error;
      status = await a.warn(a.flavour === 'gnu' ? `'${path}': ${strerror(error)}` : `${path}: ${strerror(error)}`);
      return;
    }
    const item = { path, inode, depth };
    const here = async (): Promise<void> => {
      if (depth < plan.minDepth) return;
      if ((await plan.test(item)) && !plan.acts) await a.out(`${path}\n`);
    };
    plan.pruned = false;
    if (!plan.depthFirst) await here();
    const pruned = plan.pruned;
    if (inode.type === 'directory' && depth < plan.maxDepth && !pruned) {
      try {
        for (const name of listPath(a.p.view, path)) await visit(`${path.replace(/\/$/, '')}/${name}`, depth + 1);
      } catch (error) {
        if (!isSysError(error) || error.code === 'EPIPE') throw error;
        status = await a.warn(a.flavour === 'gnu' ? `'${path}': ${strerror(error)}` : `${path}: ${strerror(error)}`);
      }
    }
    if (plan.depthFirst) await here();
  };
  for (const root of roots.length > 0 ? roots : ['.']) await visit(root, 0);
  return Math.max(status, await plan.finish());
}

const typeLetters: Readonly<Record<string, Inode['type']>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  c: 'char',
  p: 'fifo',
  s: 'socket',
};

function compile(a: Applet, words: readonly string[]): Plan {
  let at = 0;
  let acts = false;
  const finishers: (() => Promise<number>)[] = [];
  const names = readNames(a.p);
  const now = a.p.workload.clock.now();
  const value = (): string => {
    const word = words[++at];
    if (word === undefined)
      throw new Failure(
        a.flavour === 'gnu'
          ? `missing argument to \`${words[at - 1]}'`
          : `option '${words[at - 1]}' requires an argument`
              .replace('option', 'missing argument to')
              .replace(' requires an argument', ''),
      );
    return word;
  };
  const compare = (text: string, actual: number): boolean => {
    const n = Number(text.replace(/^[+-]/, ''));
    if (Number.isNaN(n)) throw new Failure(`invalid number '${text}'`);
    return text.startsWith('+') ? actual > n : text.startsWith('-') ? actual < n : actual === n;
  };
  const either = (): Test => {
    let left = both();
    while (words[at] === '-o' || words[at] === '-or') {
      at++;
      const right = both();
      const before = left;
      left = async (item) => (await before(item)) || right(item);
    }
    return left;
  };
  const both = (): Test => {
    let left = one();
    while (at < words.length && words[at] !== '-o' && words[at] !== '-or' && words[at] !== ')') {
      if (words[at] === '-a' || words[at] === '-and') at++;
      const right = one();
      const before = left;
      left = async (item) => (await before(item)) && right(item);
    }
    return left;
  };
  const one = (): Test => {
    const word = words[at];
    if (word === '!' || word === '-not') {
      at++;
      const inner = one();
      return async (item) => !(await inner(item));
    }
    if (word === '(') {
      at++;
      const inner = either();
      if (words[at] !== ')') throw new Failure("unmatched '('");
      at++;
      return inner;
    }
    const test = primary(word ?? '');
    at++;
    return test;
  };
  const base = (item: Item): string => item.path.replace(/\/+$/, '').split('/').pop() || '/';
  const primary = (word: string): Test => {
    switch (word) {
      case '-name':
      case '-iname': {
        const pattern = value();
        return word === '-name'
          ? (item) => matches(pattern, base(item))
          : (item) => matches(pattern.toLowerCase(), base(item).toLowerCase());
      }
      case '-path':
      case '-wholename': {
        const pattern = value();
        return (item) => matches(pattern, item.path);
      }
      case '-regex': {
        const regex = new RegExp(`^(?:${value()})$`);
        return (item) => regex.test(item.path);
      }
      case '-type': {
        const types = value()
          .split(',')
          .map((letter) => typeLetters[letter]);
        return (item) => types.includes(item.inode.type);
      }
      case '-user': {
        const uid = names.uid(value());
        return (item) => item.inode.uid === uid;
      }
      case '-group': {
        const gid = names.gid(value());
        return (item) => item.inode.gid === gid;
      }
      case '-perm': {
        const text = value();
        const bits = Number.parseInt(text.replace(/^[-/]/, ''), 8);
        return ({ inode }) =>
          text.startsWith('-')
            ? (inode.mode & bits) === bits
            : text.startsWith('/')
              ? (inode.mode & bits) !== 0
              : (inode.mode & 0o7777) === bits;
      }
      case '-size': {
        const text = value();
        const match = /^([+-]?)(\d+)([bcwkMG]?)$/.exec(text);
        if (!match) throw new Failure(`invalid number '${text}'`);
        const unit = match[3] === 'c' ? 1 : match[3] === 'w' ? 2 : (parseSize(`1${match[3] || 'b'}`) ?? 512);
        return (item) => compare(`${match[1]}${match[2]}`, Math.ceil(sizeOf(item.inode) / unit));
      }
      case '-empty':
        return ({ inode, path }) =>
          inode.type === 'directory'
            ? listPath(a.p.view, path).length === 0
            : inode.type === 'file' && sizeOf(inode) === 0;
      case '-mtime':
      case '-mmin': {
        const text = value();
        const unit = word === '-mtime' ? 86_400_000 : 60_000;
        return (item) => compare(text, Math.floor((now - item.inode.mtime) / unit));
      }
      case '-newer': {
        const time = lookup(a.p.view, value()).inode.mtime;
        return (item) => item.inode.mtime > time;
      }
      case '-links': {
        const text = value();
        return (item) => compare(text, item.inode.nlink);
      }
      case '-maxdepth':
        plan.maxDepth = a.number(value());
        return () => true;
      case '-mindepth':
        plan.minDepth = a.number(value());
        return () => true;
      case '-depth':
        plan.depthFirst = true;
        return () => true;
      case '-xdev':
      case '-mount':
      case '-noleaf':
      case '-follow':
      case '-true':
        return () => true;
      case '-false':
        return () => false;
      case '-prune':
        return () => {
          plan.pruned = true;
          return true;
        };
      case '-print':
      case '-print0':
        acts = true;
        return async (item) => {
          await a.out(item.path + (word === '-print' ? '\n' : '\0'));
          return true;
        };
      case '-printf': {
        acts = true;
        const format = value();
        return async (item) => {
          await a.out(printed(a, format, item, names));
          return true;
        };
      }
      case '-ls':
        acts = true;
        return async ({ inode, path }) => {
          await a.out(
            `${String(inode.ino).padStart(7)} ${Math.ceil(sizeOf(inode) / 1024)} ${modeText(inode)} ${path}\n`,
          );
          return true;
        };
      case '-delete':
        acts = true;
        plan.depthFirst = true;
        return (item) => {
          if (item.inode.type === 'directory') removeDirectory(a.p.view, item.path);
          else unlinkPath(a.p.view, item.path);
          return true;
        };
      case '-quit':
        return () => {
          plan.quit = true;
          return true;
        };
      case '-exec':
      case '-ok':
        acts = true;
        return execute();
      default:
        throw new Failure(a.flavour === 'gnu' ? `unknown predicate \`${word}'` : `unrecognized: ${word}`);
    }
  };
  const execute = (): Test => {
    const command: string[] = [];
    for (at++; words[at] !== ';' && !(words[at] === '+' && words[at - 1] === '{}'); at++) {
      const word = words[at];
      if (word === undefined)
        throw new Failure(
          a.flavour === 'gnu' ? "missing argument to `-exec'" : 'missing argument to -exec'.replace(/^/, ''),
        );
      command.push(word);
    }
    if (words[at] === '+') {
      const paths: string[] = [];
      command.pop();
      finishers.push(async () => (paths.length > 0 ? runCommand(a, [...command, ...paths]) : 0));
      return (item) => {
        paths.push(item.path);
        return true;
      };
    }
    return async (item) =>
      (await runCommand(
        a,
        command.map((word) => word.replaceAll('{}', item.path)),
      )) === 0;
  };
  const plan: Plan = {
    test: () => true,
    get acts() {
      return acts;
    },
    async finish() {
      let status = 0;
      for (const finish of finishers) status = Math.max(status, (await finish()) === 0 ? 0 : 1);
      return status;
    },
    maxDepth: Number.POSITIVE_INFINITY,
    minDepth: 0,
    depthFirst: false,
    pruned: false,
    quit: false,
  };
  if (words.length > 0) (plan as { test: Test }).test = either();
  if (at < words.length) throw new Failure(`unrecognized: ${words[at]}`);
  return plan;
}

function printed(a: Applet, format: string, { path, inode, depth }: Item, names: ReturnType<typeof readNames>): string {
  const fields: Readonly<Record<string, string>> = {
    p: path,
    f: path.split('/').pop() ?? '',
    h: path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.',
    s: String(sizeOf(inode)),
    m: (inode.mode & 0o7777).toString(8),
    M: modeText(inode),
    u: names.user(inode.uid) ?? String(inode.uid),
    g: names.group(inode.gid) ?? String(inode.gid),
    U: String(inode.uid),
    G: String(inode.gid),
    d: String(depth),
    i: String(inode.ino),
    l: inode.type === 'symlink' ? readLinkPath(a.p.view, path) : '',
    y: modeText(inode)[0] === '-' ? 'f' : (modeText(inode)[0] ?? ''),
    '%': '%',
  };
  return format
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\\0/g, '\0')
    .replace(/%([a-zA-Z%])/g, (all, letter: string) => fields[letter] ?? all);
}

/** Runs a command and waits for it; 127 and a complaint when there is none. */
export async function runCommand(a: Applet, argv: readonly string[], stdin?: number): Promise<number> {
  await a.flush();
  const name = argv[0] ?? '';
  const path = searchPath(a.p, name);
  try {
    if (path === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    const child = spawn(a.p, prepare(a.p, path, argv), (process) => {
      if (stdin !== undefined) process.install(process.file(stdin), 0);
    });
    return (await a.p.wait(child)).code;
  } catch (error) {
    if (!isSysError(error) && (error as { code?: string }).code !== 'ENOENT') throw error;
    const absent = !isSysError(error) || error.code === 'ENOENT';
    const why = absent ? 'No such file or directory' : strerror(error);
    await a.warn(a.flavour === 'gnu' || a.name === 'xargs' ? `${name}: ${why}` : `can't execute '${name}': ${why}`);
    return absent ? 127 : 126;
  }
}
