import { mountTable } from '../../kernel/proc-fs.ts';
import { evaluateTest, TestError } from '../../shell/test-expression.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import { posixRegex } from '../text/regex.ts';

/** test and [ outside of a shell. */
export async function test(a: Applet): Promise<number> {
  let args = a.args;
  if (a.name === '[') {
    if (args.at(-1) !== ']') throw new Failure('missing ]', 2);
    args = args.slice(0, -1);
  }
  try {
    return evaluateTest(a.p, args) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    throw new Failure(error.message, 2);
  }
}

/** expr: prints the value; exits 1 when it is empty or zero, 2 on a malformed expression. */
export async function expr(a: Applet): Promise<number> {
  let at = 0;
  const { args } = a;
  if (args.length === 0) throw a.flavour === 'busybox' ? usage(a) : new Failure('missing operand', 2);
  const isNumber = (text: string): boolean => /^-?\d+$/.test(text);
  const number = (text: string): bigint => {
    if (!isNumber(text))
      throw new Failure(a.flavour === 'busybox' ? 'non-numeric argument' : 'non-integer argument', 2);
    return BigInt(text);
  };
  const empty = (text: string): boolean => text === '' || (isNumber(text) && BigInt(text) === 0n);
  const atom = (): string => {
    const word = args[at++];
    if (word === undefined) throw new Failure('syntax error', 2);
    if (word === '(') {
      const value = or();
      if (args[at++] !== ')') throw new Failure('syntax error', 2);
      return value;
    }
    if (word === 'length' && at < args.length) return String([...atom()].length);
    if (word === 'substr' && at + 2 < args.length) {
      const [text, from, count] = [atom(), Number(atom()), Number(atom())];
      return from < 1 || count < 1 ? '' : text.slice(from - 1, from - 1 + count);
    }
    if (word === 'index' && at + 1 < args.length) {
      const [text, chars] = [atom(), atom()];
      return String([...text].findIndex((char) => chars.includes(char)) + 1);
    }
    if (word === 'match' && at + 1 < args.length) return match(atom(), atom());
    return word;
  };
  const match = (text: string, pattern: string): string => {
    const found = posixRegex(`^${pattern.replace(/^\^/, '')}`, false).exec(text);
    const grouped = pattern.includes('\\(');
    return found ? (grouped ? (found[1] ?? '') : String([...found[0]].length)) : grouped ? '' : '0';
  };
  const level =
    (operators: readonly string[], below: () => string, apply: (op: string, x: string, y: string) => string) =>
    (): string => {
      let value = below();
      while (operators.includes(args[at] ?? '')) {
        const op = args[at++] ?? '';
        value = apply(op, value, below());
      }
      return value;
    };
  const matching = level([':'], atom, (_op, x, y) => match(x, y));
  const product = level(['*', '/', '%'], matching, (op, x, y) => {
    const [left, right] = [number(x), number(y)];
    if (op === '*') return String(left * right);
    if (right === 0n) throw new Failure('division by zero', 2);
    return String(op === '/' ? left / right : left % right);
  });
  const sum = level(['+', '-'], product, (op, x, y) =>
    String(op === '+' ? number(x) + number(y) : number(x) - number(y)),
  );
  const comparison = level(['<', '<=', '=', '==', '!=', '>=', '>'], sum, (op, x, y) => {
    const numeric = isNumber(x) && isNumber(y);
    const order = numeric ? Number(BigInt(x) - BigInt(y)) : x < y ? -1 : x > y ? 1 : 0;
    const holds = {
      '<': order < 0,
      '<=': order <= 0,
      '=': order === 0,
      '==': order === 0,
      '!=': order !== 0,
      '>=': order >= 0,
      '>': order > 0,
    }[op];
    return holds ? '1' : '0';
  });
  const and = level(['&'], comparison, (_op, x, y) => (empty(x) || empty(y) ? '0' : x));
  const or = level(['|'], and, (_op, x, y) => (empty(x) ? (empty(y) ? '0' : y) : x));
  const value = or();
  if (at < args.length) throw new Failure('syntax error', 2);
  await a.out(`${value}\n`);
  return empty(value) ? 1 : 0;
}

/** mount without arguments lists what is mounted; mounting is not allowed in a container. */
export async function mount(a: Applet): Promise<number> {
  const operands = a.args.filter((word) => !word.startsWith('-'));
  if (operands.length >= 2)
    throw new Failure(
      a.p.credentials.uid === 0 ? `permission denied (are you root?)` : `permission denied (are you root?)`,
      1,
    );
  for (const line of mountTable(a.p.workload).trimEnd().split('\n')) {
    const [source, path, type, options] = line.split(' ');
    await a.out(`${source} on ${path} type ${type} (${options})\n`);
  }
  return 0;
}

/** mountpoint [-q] DIR */
export async function mountpoint(a: Applet): Promise<number> {
  const options = a.options('qdxn');
  const path = (options.rest[0] ?? '').replace(/\/+$/, '') || '/';
  const mounted =
    path === '/' || [...a.p.workload.space.mounts.values()].some((one) => one.path.replace(/\/+$/, '') === path);
  if (!options.has('q')) await a.out(`${path} is ${mounted ? '' : 'not '}a mountpoint\n`);
  return mounted ? 0 : 1;
}

/** Programs that the simulation knows by name but does not have: says so, instead of pretending. */
export function absent(why: string): (a: Applet) => Promise<number> {
  return async (a) => {
    await a.p.complain(`${a.name}: ${why}\n`);
    return 1;
  };
}

/** clear */
export async function clear(a: Applet): Promise<number> {
  await a.out('\x1b[H\x1b[J');
  return 0;
}

/** dmesg, sysctl: what the container may see. */
export async function sysctl(a: Applet): Promise<number> {
  const options = a.options('naweq');
  let status = 0;
  for (const word of options.rest) {
    if (word.includes('=')) throw new Failure(`error setting key '${word.split('=')[0]}': Read-only file system`);
    try {
      const fd = a.p.open(`/proc/sys/${word.replaceAll('.', '/')}`, { read: true });
      const text = (await a.p.readAll(fd)).toString().trimEnd();
      a.p.close(fd);
      await a.out(options.has('n') ? `${text}\n` : `${word} = ${text}\n`);
    } catch (error) {
      if ((error as { code?: string }).code === undefined) throw error;
      status = await a.warn(`error: '${word}' is an unknown key`);
    }
  }
  return status;
}
