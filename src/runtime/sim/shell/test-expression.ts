import { SysError } from '../errno.ts';
import type { Process } from '../kernel/process.ts';
import { sizeOf } from '../vfs/inode.ts';
import { find, may } from '../vfs/mount-space.ts';

/** A malformed expression. */
export class TestError extends Error {
  override readonly name = 'TestError';
}

/** One-argument tests of files and strings: `-f`, `-z`, … */
export function unaryTest(p: Process, op: string, arg: string): boolean {
  if (op === '-z') return arg === '';
  if (op === '-n') return arg !== '';
  if (op === '-t') return p.fds[Number(arg)]?.kind === 'tty';
  try {
    const { inode, readonly } = find(p.view, arg, op !== '-h' && op !== '-L');
    switch (op) {
      case '-e':
      case '-a':
        return true;
      case '-f':
        return inode.type === 'file';
      case '-d':
        return inode.type === 'directory';
      case '-h':
      case '-L':
        return inode.type === 'symlink';
      case '-s':
        return sizeOf(inode) > 0;
      case '-r':
        return may(p.credentials, inode, 4);
      case '-w':
        return may(p.credentials, inode, 2) && !readonly;
      case '-x':
        return may(p.credentials, inode, 1);
      case '-p':
        return inode.type === 'fifo';
      case '-S':
        return inode.type === 'socket';
      case '-c':
        return inode.type === 'char';
      case '-b':
        return false;
      case '-u':
        return (inode.mode & 0o4000) !== 0;
      case '-g':
        return (inode.mode & 0o2000) !== 0;
      case '-k':
        return (inode.mode & 0o1000) !== 0;
      case '-O':
        return inode.uid === p.credentials.uid;
      case '-G':
        return inode.gid === p.credentials.gid;
      default:
        return false;
    }
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

export const unaryOperators = new Set([...'zntefdhLsrwxpScbugkOGa'].map((letter) => `-${letter}`));
export const numberOperators = new Set(['-eq', '-ne', '-lt', '-le', '-gt', '-ge']);

const integer = (text: string): bigint => {
  const trimmed = text.trim();
  if (!/^[-+]?\d+$/.test(trimmed)) throw new TestError(`${text}: bad number`);
  return BigInt(trimmed);
};

/** Compares numbers. */
export function compareNumbers(op: string, a: bigint, b: bigint): boolean {
  switch (op) {
    case '-eq':
      return a === b;
    case '-ne':
      return a !== b;
    case '-lt':
      return a < b;
    case '-le':
      return a <= b;
    case '-gt':
      return a > b;
    default:
      return a >= b;
  }
}

/** Two-argument tests of files: `-nt`, `-ot`, `-ef`. */
export function compareFiles(p: Process, op: string, a: string, b: string): boolean {
  const look = (path: string): { mtime: number; inode: object } | undefined => {
    try {
      const { inode } = find(p.view, path);
      return { mtime: inode.mtime, inode };
    } catch (error) {
      if (error instanceof SysError) return undefined;
      throw error;
    }
  };
  const [left, right] = [look(a), look(b)];
  if (op === '-ef') return left !== undefined && left.inode === right?.inode;
  const [newer, older] = op === '-nt' ? [left, right] : [right, left];
  return newer !== undefined && (older === undefined || newer.mtime > older.mtime);
}

const binary = new Set(['=', '==', '!=', '<', '>', ...numberOperators, '-nt', '-ot', '-ef']);

function binaryTest(p: Process, a: string, op: string, b: string): boolean {
  if (numberOperators.has(op)) return compareNumbers(op, integer(a), integer(b));
  if (op === '=' || op === '==') return a === b;
  if (op === '!=') return a !== b;
  if (op === '<') return a < b;
  if (op === '>') return a > b;
  return compareFiles(p, op, a, b);
}

/** Evaluates the arguments of test(1). Throws TestError. */
export function evaluateTest(p: Process, args: readonly string[]): boolean {
  let at = 0;
  const peek = (ahead = 0): string | undefined => args[at + ahead];
  const primary = (): boolean => {
    const word = peek();
    if (word === undefined) throw new TestError('argument expected');
    const op = peek(1);
    const third = peek(2);
    if (op !== undefined && third !== undefined && binary.has(op)) {
      at += 3;
      return binaryTest(p, word, op, third);
    }
    if (word === '!' && op !== undefined) {
      at++;
      return !primary();
    }
    if (word === '(' && op !== undefined) {
      at++;
      const value = or();
      if (args[at++] !== ')') throw new TestError('closing paren expected');
      return value;
    }
    if (unaryOperators.has(word) && op !== undefined) {
      at += 2;
      return unaryTest(p, word, op);
    }
    at++;
    if (op !== undefined && op !== '-a' && op !== '-o' && op !== ')') throw new TestError(`${op}: unknown operand`);
    return word !== '';
  };
  const and = (): boolean => {
    let value = primary();
    while (peek() === '-a') {
      at++;
      const right = primary();
      value &&= right;
    }
    return value;
  };
  const or = (): boolean => {
    let value = and();
    while (peek() === '-o') {
      at++;
      const right = and();
      value ||= right;
    }
    return value;
  };
  if (args.length === 0) return false;
  if (args.length === 1) return args[0] !== '';
  if (args.length === 2 && args[0] === '!') return args[1] === '';
  const value = or();
  if (at < args.length) throw new TestError(`${args[at]}: unexpected operator`);
  return value;
}
