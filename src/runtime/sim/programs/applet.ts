import { SysError, strerror } from '../errno.ts';
import { baseName } from '../kernel/exec.ts';
import type { Process } from '../kernel/process.ts';
import type { Program } from '../kernel/workload.ts';

/** Whose words a command speaks: busybox's, or those of GNU coreutils and friends. */
export type Flavour = 'busybox' | 'gnu';

/** Ends a command with a message on standard error and a status. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly status: number;
  /** Printed as it is, without the command's name before it. */
  readonly bare: boolean;
  constructor(message: string, status = 1, bare = false) {
    super(message);
    this.status = status;
    this.bare = bare;
  }
}

/** Options as getopt(3) read them. */
export interface Options {
  has(letter: string): boolean;
  /** The last value of an option that takes one. */
  value(letter: string): string | undefined;
  all(letter: string): readonly string[];
  /** Every flag in order of appearance, for those that override each other. */
  readonly order: readonly string[];
  readonly rest: readonly string[];
}

/** What a small command is written against: its words, buffered output, its way of complaining. */
export interface Applet {
  readonly p: Process;
  readonly name: string;
  readonly args: readonly string[];
  readonly flavour: Flavour;
  /**
   * Reads options; `spec` as for getopt(3) (`n:` takes a value, a leading `+` stops at the first operand), `long` gives long
   * names their letters. Throws the Failure of an unknown option.
   */
  options(spec: string, long?: Readonly<Record<string, string>>, args?: readonly string[]): Options;
  /** Buffered output; written when large, at the end, or by `flush`. */
  out(text: string | Uint8Array): Promise<void> | undefined;
  flush(): Promise<void>;
  /** `name: text` on standard error. Answers 1. */
  warn(text: string): Promise<number>;
  /** The complaint about a file that could not be opened. Answers 1. Throws what is no refused system call. */
  cannotOpen(path: string, error: unknown): Promise<number>;
  /** Reads a number or fails with `invalid number 'x'`. */
  number(text: string): number;
}

const bufferLimit = 32_768;

/** Busybox's commands that name the file alone when it cannot be opened (fopen_or_warn). */
const fopening = new Set(['head', 'wc', 'cut', 'tee', 'rev', 'tac', 'paste', 'fold', 'od', 'hexdump', 'expand']);

/** A program out of a small command's body. */
export function applet(body: (a: Applet) => number | Promise<number>, flavour: Flavour = 'busybox'): Program {
  return async (p) => {
    const name = baseName(p.argv[0] ?? '').replace(/^-/, '');
    return runApplet(body, p, name, p.argv.slice(1), flavour);
  };
}

/** Runs a command's body in a process with its name and words. */
export async function runApplet(
  body: (a: Applet) => number | Promise<number>,
  p: Process,
  name: string,
  args: readonly string[],
  flavour: Flavour,
): Promise<number> {
  let buffered: (string | Uint8Array)[] = [];
  let size = 0;
  const a: Applet = {
    p,
    name,
    args,
    flavour,
    options: (spec, long, words) => readOptions(a, spec, long ?? {}, words ?? args),
    out(text) {
      buffered.push(text);
      size += text.length;
      return size >= bufferLimit ? a.flush() : undefined;
    },
    async flush() {
      if (buffered.length === 0) return;
      const parts = buffered;
      buffered = [];
      size = 0;
      const texts = parts.every((part) => typeof part === 'string');
      await p.write(1, texts ? parts.join('') : Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
    },
    async warn(text) {
      await a.flush();
      await p.complain(`${name}: ${text}\n`);
      return 1;
    },
    async cannotOpen(path, error) {
      if (!(error instanceof SysError)) throw error;
      return a.warn(
        flavour === 'busybox' && !fopening.has(name)
          ? `can't open '${path}': ${strerror(error)}`
          : `${path}: ${strerror(error)}`,
      );
    },
    number(text) {
      if (!/^[-+]?\d+$/.test(text)) throw new Failure(`invalid number '${text}'`);
      return Number(text);
    },
  };
  let status: number;
  try {
    status = await body(a);
    await a.flush();
  } catch (error) {
    status = await ended(a, error);
  }
  return status;
}

async function ended(a: Applet, error: unknown): Promise<number> {
  if (error instanceof Failure) {
    await a.flush();
    await a.p.complain(error.bare ? error.message : `${a.name}: ${error.message}\n`);
    return error.status;
  }
  if (error instanceof SysError) {
    await a.p.complain(`${a.name}: write error: ${strerror(error)}\n`);
    return 1;
  }
  throw error;
}

/** Busybox's answer to words it does not understand; other commands point to their help. */
export function usage(a: Pick<Applet, 'name' | 'flavour'>, complaint = '', status = 1): Failure {
  const first = complaint === '' ? '' : `${a.name}: ${complaint}\n`;
  const second =
    a.flavour === 'busybox'
      ? `BusyBox v1.36.1 (2023-05-18 22:34:17 UTC) multi-call binary.\n\nUsage: ${a.name} [OPTIONS] [ARGS]\n`
      : `Try '${a.name} --help' for more information.\n`;
  return new Failure(first + second, status, true);
}

function readOptions(
  a: Applet,
  spec: string,
  long: Readonly<Record<string, string>>,
  args: readonly string[],
): Options {
  const stop = spec.startsWith('+');
  const known = spec.replace(/^\+/, '');
  const values = new Map<string, string[]>();
  const order: string[] = [];
  const rest: string[] = [];
  const takes = (letter: string): boolean => known[known.indexOf(letter) + 1] === ':';
  const put = (letter: string, value: string): void => {
    order.push(letter);
    values.set(letter, [...(values.get(letter) ?? []), value]);
  };
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') {
      rest.push(...args.slice(at + 1));
      break;
    }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const name = word.slice(2, equals < 0 ? undefined : equals);
      const letter = long[name];
      if (letter === undefined) {
        const complaint = a.flavour === 'busybox' ? `unrecognized option '--${name}'` : `unrecognized option '${word}'`;
        throw usage(a, name === 'help' ? '' : complaint, name === 'help' ? 0 : 1);
      }
      if (!takes(letter)) put(letter, '');
      else if (equals >= 0) put(letter, word.slice(equals + 1));
      else {
        const value = args[++at];
        if (value === undefined) throw usage(a, `option '--${name}' requires an argument`);
        put(letter, value);
      }
    } else if (/^-./.test(word)) {
      for (let i = 1; i < word.length; i++) {
        const letter = word[i] ?? '';
        if (letter === ':' || !known.includes(letter)) throw usage(a, `invalid option -- '${letter}'`);
        if (!takes(letter)) {
          put(letter, '');
          continue;
        }
        const value = i + 1 < word.length ? word.slice(i + 1) : args[++at];
        if (value === undefined) throw usage(a, `option requires an argument -- '${letter}'`);
        put(letter, value);
        break;
      }
    } else if (stop) {
      rest.push(...args.slice(at));
      break;
    } else rest.push(word);
  }
  return {
    has: (letter) => values.has(letter),
    value: (letter) => values.get(letter)?.at(-1),
    all: (letter) => values.get(letter) ?? [],
    order,
    rest,
  };
}
