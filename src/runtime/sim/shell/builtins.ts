import { isSysError, SysError, strerror } from '../errno.ts';
import { searchPath } from '../kernel/exec.ts';
import type { Process } from '../kernel/process.ts';
import { parseSignal, type Signal, signalNumbers } from '../kernel/signals.ts';
import { find, may } from '../vfs/mount-space.ts';
import { evaluate } from './expand.ts';
import { parseScript } from './parser.ts';
import { echoText, outputBytes, printfText } from './print.ts';
import { readBuiltin } from './read-builtin.ts';
import type { Shell } from './shell.ts';
import { Control, errorLine, getVariable, prefix, ShellFailure, setVariable } from './state.ts';
import { evaluateTest, TestError } from './test-expression.ts';

export type Builtin = (shell: Shell, argv: readonly string[]) => Promise<number> | number;

/** Those whose errors end a POSIX shell and whose assignments stay. */
export const specialBuiltins: ReadonlySet<string> = new Set([
  ':',
  'break',
  'continue',
  'return',
  'exit',
  'export',
  'readonly',
  'set',
  'shift',
  'unset',
  'eval',
  'exec',
  '.',
  'source',
  'trap',
  'times',
]);

const complain = async (shell: Shell, text: string, status = 1): Promise<number> => {
  await shell.state.p.complain(`${errorLine(shell.state, text)}\n`);
  return status;
};

const print = async (shell: Shell, argv: readonly string[], text: string): Promise<number> => {
  if (text === '') return 0;
  try {
    await shell.state.p.write(1, outputBytes(text));
    return 0;
  } catch (error) {
    if (!isSysError(error)) throw error;
    return complain(
      shell,
      `${argv[0]}: ${shell.state.dialect === 'dash' ? 'I/O error' : `write error: ${strerror(error)}`}`,
    );
  }
};

const leave =
  (kind: 'break' | 'continue'): Builtin =>
  (shell, argv) => {
    if (shell.state.loops === 0) return 0;
    const count = Number(argv[1] ?? 1);
    if (!Number.isInteger(count) || count < 1) throw new ShellFailure(`${kind}: Illegal number: ${argv[1]}`);
    throw new Control(kind, Math.min(count, shell.state.loops));
  };

const number = (shell: Shell, text: string | undefined, fallback: number, name: string): number => {
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text))
    throw new ShellFailure(
      shell.state.dialect !== 'bash'
        ? `${name}: Illegal number: ${text}`
        : `${name}: ${text}: numeric argument required`,
    );
  return Number(text) & 255;
};

const longOptions: Readonly<Record<string, string>> = {
  e: 'errexit',
  u: 'nounset',
  x: 'xtrace',
  f: 'noglob',
  v: 'verbose',
  C: 'noclobber',
  a: 'allexport',
  n: 'noexec',
  m: 'monitor',
  b: 'notify',
  h: 'hashall',
  E: 'errtrace',
  T: 'functrace',
  i: 'interactive',
  l: 'login',
  s: 'stdin',
};

/** Applies `-e`, `+x`, `-o pipefail` … ; answers the index after them. */
export function applyOptions(options: Set<string>, argv: readonly string[], from: number, dialect = 'ash'): number {
  let at = from;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') return at + 1;
    if (!/^[-+][a-zA-Z]+$/.test(word)) break;
    const on = word.startsWith('-');
    for (const letter of word.slice(1)) {
      const name = letter === 'o' ? argv[++at] : longOptions[letter];
      if (name === undefined || (name === 'pipefail' && dialect === 'dash'))
        throw new ShellFailure(`Illegal option ${word}${name === undefined ? '' : ` ${name}`}`);
      if (on) options.add(name);
      else options.delete(name);
    }
  }
  return at;
}

const declare =
  (mark: 'exported' | 'readonly' | 'local' | 'plain'): Builtin =>
  async (shell, argv) => {
    const { state } = shell;
    let array = false;
    let exported = mark === 'exported';
    let readonly = mark === 'readonly';
    let remove = false;
    let at = 1;
    for (; /^[-+][a-zA-Z]+$/.test(argv[at] ?? ''); at++) {
      array ||= /[aA]/.test(argv[at] ?? '');
      exported ||= /x/.test(argv[at] ?? '');
      readonly ||= /r/.test(argv[at] ?? '');
      remove ||= mark === 'exported' && /n/.test(argv[at] ?? '');
    }
    if (at >= argv.length && mark !== 'local') {
      const shown = [...state.vars].filter(([, variable]) =>
        mark === 'exported' ? variable.exported : mark === 'readonly' ? variable.readonly : true,
      );
      const word = mark === 'exported' ? 'export ' : mark === 'readonly' ? 'readonly ' : '';
      const lines = shown
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { value }]) => `${word}${name}='${String(value ?? '').replaceAll("'", "'\\''")}'\n`);
      return print(shell, argv, lines.join(''));
    }
    for (const word of argv.slice(at)) {
      const match = /^([A-Za-z_]\w*)(\+?=([\s\S]*))?$/.exec(word);
      if (!match) {
        if (state.dialect === 'bash') {
          await complain(shell, `${argv[0]}: \`${word}': not a valid identifier`);
          return 1;
        }
        throw new ShellFailure(`${argv[0]}: ${word}: bad variable name`);
      }
      const name = match[1] ?? '';
      const frame = state.locals[state.locals.length - 1];
      if ((mark === 'local' || mark === 'plain') && frame && !frame.has(name)) {
        const before = state.vars.get(name);
        frame.set(name, before ? { ...before } : undefined);
        if (state.dialect !== 'dash' || match[2]) state.vars.delete(name);
      }
      if (match[2])
        setVariable(
          state,
          name,
          match[2].startsWith('+') ? (getVariable(state, name) ?? '') + (match[3] ?? '') : (match[3] ?? ''),
        );
      const variable = state.vars.get(name) ?? { value: array ? [] : undefined, exported: false, readonly: false };
      state.vars.set(name, variable);
      if (exported) variable.exported = !remove;
      if (readonly) variable.readonly = true;
    }
    return 0;
  };

const test: Builtin = async (shell, argv) => {
  let args = argv.slice(1);
  if (argv[0] === '[') {
    if (args[args.length - 1] !== ']')
      return complain(shell, shell.state.dialect === 'bash' ? "[: missing `]'" : '[: missing ]', 2);
    args = args.slice(0, -1);
  }
  try {
    return evaluateTest(shell.state.p, args) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    const text =
      shell.state.dialect === 'dash'
        ? error.message.replace(/^(.*): bad number$/, 'Illegal number: $1')
        : shell.state.dialect === 'bash'
          ? error.message
              .replace(/bad number$/, 'integer expression expected')
              .replace(/unexpected operator|unknown operand/, 'binary operator expected')
          : error.message;
    return complain(
      shell,
      shell.state.dialect === 'ash'
        ? text.replace(/^(.*): unexpected operator$/, '$1: unknown operand')
        : `${argv[0]}: ${text}`,
      2,
    );
  }
};

const cd: Builtin = async (shell, argv) => {
  const { state } = shell;
  const args = argv.slice(1).filter((arg) => !/^-[LP@e]$/.test(arg) && arg !== '--');
  const target =
    args[0] === '-' ? (getVariable(state, 'OLDPWD') ?? '') : (args[0] ?? getVariable(state, 'HOME') ?? '/');
  try {
    const found = find(state.p.view, target || '.');
    if (found.inode.type !== 'directory') throw new SysError('ENOTDIR');
    if (!may(state.p.credentials, found.inode, 1)) throw new SysError('EACCES');
    setVariable(state, 'OLDPWD', getVariable(state, 'PWD') ?? '');
    const logical = normalize(target.startsWith('/') ? target : `${state.p.cwd}/${target}`);
    state.p.cwd = logical;
    setVariable(state, 'PWD', logical, true);
    return args[0] === '-' ? print(shell, argv, `${logical}\n`) : 0;
  } catch (error) {
    if (!isSysError(error)) throw error;
    const text =
      state.dialect === 'dash'
        ? `cd: can't cd to ${target}`
        : state.dialect === 'ash'
          ? `cd: can't cd to ${target}: ${strerror(error)}`
          : `cd: ${target}: ${strerror(error)}`;
    return complain(shell, text, state.dialect === 'bash' ? 1 : 2);
  }
};

const normalize = (path: string): string => {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  }
  return `/${out.join('/')}`;
};

const source: Builtin = async (shell, argv) => {
  const { state } = shell;
  const name = argv[1];
  if (name === undefined) throw new ShellFailure(`${argv[0]}: filename argument required`);
  const path = name.includes('/') ? name : (searchPath(state.p, name, getVariable(state, 'PATH')) ?? name);
  let text: string;
  try {
    const fd = state.p.open(path, { read: true });
    text = (await state.p.readAll(fd)).toString();
    state.p.close(fd);
  } catch (error) {
    if (!isSysError(error)) throw error;
    const why =
      state.dialect === 'bash'
        ? `${name}: ${strerror(error)}`
        : state.dialect === 'ash'
          ? `${argv[0]}: can't open '${name}': ${strerror(error)}`
          : `${argv[0]}: cannot open ${name}: ${error.code === 'ENOENT' ? 'No such file' : strerror(error)}`;
    if (state.dialect === 'bash') return complain(shell, why);
    throw new ShellFailure(why);
  }
  const { params, line, sourcing } = state;
  state.sourcing = true;
  if (argv.length > 2) state.params = argv.slice(2);
  try {
    return await shell.run(parseScript(text, state.dialect));
  } catch (error) {
    if (error instanceof Control && error.kind === 'return') return error.count;
    throw error;
  } finally {
    state.params = params;
    state.line = line;
    state.sourcing = sourcing;
  }
};

const trap: Builtin = async (shell, argv) => {
  const { state } = shell;
  const args = argv.slice(argv[1] === '--' ? 2 : 1);
  if (args.length === 0 || args[0] === '-p')
    return print(
      shell,
      argv,
      [...state.traps]
        .map(
          ([name, action]) =>
            `trap -- '${action.replaceAll("'", "'\\''")}' ${state.dialect === 'bash' && name !== 'EXIT' ? `SIG${name}` : name}\n`,
        )
        .join(''),
    );
  if (args[0] === '-l') return print(shell, argv, `${Object.keys(signalNumbers).join(' ')}\n`);
  const reset = args[0] === '-' || (args.length === 1 && args[0] !== undefined);
  const action = args[0] ?? '';
  for (const word of args.length === 1 ? args : args.slice(1)) {
    const name =
      word === '0' || word === 'EXIT'
        ? 'EXIT'
        : word === 'ERR' || word === 'DEBUG' || word === 'RETURN'
          ? word
          : parseSignal(word);
    if (!name) {
      await complain(
        shell,
        state.dialect === 'dash'
          ? `trap: ${word}: bad trap`
          : state.dialect === 'ash'
            ? `trap: ${word}: invalid signal specification`
            : `trap: ${word}: invalid signal specification`,
      );
      return 1;
    }
    if (reset) state.traps.delete(name);
    else state.traps.set(name, action);
    if (name === 'EXIT' || !Object.hasOwn(signalNumbers, name)) continue;
    const signal = name as Signal;
    if (reset) state.p.handle(signal, undefined);
    else if (action === '') state.p.handle(signal, 'ignore');
    else
      state.p.handle(signal, () => {
        if (state.pending.length < 64) state.pending.push(signal);
      });
  }
  return 0;
};

const wait: Builtin = async (shell, argv) => {
  const { state } = shell;
  const interrupted = async (error: unknown): Promise<number> => {
    if (!isSysError(error, 'EINTR')) throw error;
    const signal = state.pending[0] as Signal | undefined;
    await shell.runTraps();
    return 128 + (signal ? signalNumbers[signal] : 0);
  };
  const args = argv.slice(1).filter((arg) => !arg.startsWith('-'));
  try {
    if (argv[1] === '-n') {
      const jobs = [...state.jobs.values()];
      if (jobs.length === 0) return 127;
      const done = await state.p.waitAny(true);
      state.jobs.delete(done.pid);
      state.p.reap(done);
      return done.status?.code ?? 0;
    }
    if (args.length === 0) {
      for (const job of [...state.jobs.values()]) {
        await state.p.wait(job, true);
        state.jobs.delete(job.pid);
      }
      return 0;
    }
    let status = 0;
    for (const arg of args) {
      const job = arg.startsWith('%')
        ? [...state.jobs.values()][Number(arg.slice(1)) - 1]
        : state.jobs.get(Number(arg));
      if (!job) status = 127;
      else {
        status = (await state.p.wait(job, true)).code;
        state.jobs.delete(job.pid);
      }
    }
    return status;
  } catch (error) {
    // Only those that caught a trapped signal stop waiting; CHLD of another child goes on.
    return interrupted(error);
  }
};

/** kill(1), built in or not: `find` answers the processes of a pid argument. */
export async function killCommand(
  p: Process,
  argv: readonly string[],
  say: (text: string) => Promise<number>,
): Promise<number> {
  let signal: Signal | undefined = 'TERM';
  let probe = false;
  let at = 1;
  const first = argv[1] ?? '';
  if (first === '-l') {
    const code =
      argv[2] === undefined ? undefined : parseSignal(String(Number(argv[2]) > 128 ? Number(argv[2]) - 128 : argv[2]));
    await p.print(code ? `${code}\n` : `${Object.keys(signalNumbers).join(' ')}\n`);
    return 0;
  }
  if (first === '-s' || first === '-n') {
    signal = parseSignal(argv[2] ?? '');
    probe = argv[2] === '0';
    at = 3;
  } else if (/^-./.test(first) && first !== '--') {
    signal = parseSignal(first.slice(1));
    probe = first === '-0';
    at = 2;
  }
  if (argv[at] === '--') at++;
  if (!signal && !probe) return say(`bad signal name '${first.replace(/^-/, '')}'`);
  if (at >= argv.length) return say('you need to specify whom to kill');
  let status = 0;
  const { processes } = p.workload.pids;
  for (const word of argv.slice(at)) {
    const pid = Number(word);
    if (!Number.isInteger(pid)) {
      status = await say(`invalid number '${word}'`);
      continue;
    }
    const targets = [...processes.values()].filter((other) =>
      pid > 0
        ? other.pid === pid
        : pid === -1
          ? other !== p && other.pid !== 1
          : other.pgid === (pid === 0 ? p.pgid : -pid),
    );
    if (targets.length === 0) status = await say(`can't kill pid ${pid}: No such process`);
    for (const target of targets) {
      const { uid, override } = p.credentials;
      if (!override && uid !== 0 && uid !== target.credentials.uid)
        status = await say(`can't kill pid ${pid}: Operation not permitted`);
      else if (signal && !probe) target.signal(signal);
    }
  }
  return status;
}

const type: Builtin = async (shell, argv) => {
  const { state } = shell;
  let status = 0;
  const brief = argv[0] === 'command';
  const onlyPath = argv[1] === '-p' && !brief;
  for (const name of argv.slice(1).filter((arg) => !/^-[vVptaP]$/.test(arg))) {
    const path = searchPath(state.p, name, getVariable(state, 'PATH') ?? '');
    const real = path?.includes('/') && (name.includes('/') ? find_(state.p, path) : true) ? path : undefined;
    let text: string;
    if (Object.hasOwn(builtins, name) && !onlyPath)
      text = brief
        ? name
        : `${name} is a ${specialBuiltins.has(name) && state.dialect !== 'bash' ? 'special ' : ''}shell builtin`;
    else if (state.functions.has(name))
      text = brief ? name : `${name} is a ${state.dialect === 'dash' ? 'shell function' : 'function'}`;
    else if (real) text = brief || onlyPath ? real : `${name} is ${real}`;
    else {
      status = state.dialect === 'bash' ? 1 : 127;
      if (!brief)
        await state.p.complain(`${state.dialect === 'bash' ? `${prefix(state)}${argv[0]}: ` : ''}${name}: not found\n`);
      continue;
    }
    await print(shell, argv, `${text}\n`);
  }
  return status;
};

const find_ = (p: Process, path: string): boolean => {
  try {
    return find(p.view, path).inode.type === 'file';
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
};

const getopts: Builtin = (shell, argv) => {
  const { state } = shell;
  const spec = argv[1] ?? '';
  const name = argv[2] ?? '';
  const args = argv.length > 3 ? argv.slice(3) : state.params;
  let index = Number(getVariable(state, 'OPTIND') ?? 1);
  let offset = Number(getVariable(state, '__OPTOFF') ?? 1);
  const word = args[index - 1] ?? '';
  const finish = (status: number, option: string): number => {
    setVariable(state, 'OPTIND', String(index));
    setVariable(state, '__OPTOFF', String(offset));
    setVariable(state, name, option);
    return status;
  };
  if (!/^-./.test(word) || word === '--') {
    if (word === '--') index++;
    offset = 1;
    return finish(1, '?');
  }
  const letter = word[offset] ?? '';
  const at = spec.replace(/^:/, '').indexOf(letter);
  const wants = at >= 0 && spec.replace(/^:/, '')[at + 1] === ':';
  offset++;
  const next = (): void => {
    index++;
    offset = 1;
  };
  if (at < 0 || letter === ':') {
    if (offset >= word.length) next();
    if (spec.startsWith(':')) setVariable(state, 'OPTARG', letter);
    else void state.p.complain(`Illegal option -${letter}\n`);
    return finish(0, '?');
  }
  if (!wants) {
    if (offset >= word.length) next();
    return finish(0, letter);
  }
  const rest = word.slice(offset);
  next();
  const value = rest !== '' ? rest : args[index++ - 1];
  if (value === undefined) {
    if (spec.startsWith(':')) setVariable(state, 'OPTARG', letter);
    else void state.p.complain(`No arg for -${letter} option\n`);
    return finish(0, spec.startsWith(':') ? ':' : '?');
  }
  setVariable(state, 'OPTARG', value);
  return finish(0, letter);
};

/** The commands that a shell carries out itself. */
export const builtins: Readonly<Record<string, Builtin>> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  echo: (shell, argv) => print(shell, argv, echoText(argv.slice(1), shell.state.dialect)),
  printf: async (shell, argv) => {
    const args = argv.slice(argv[1] === '--' ? 2 : 1);
    if (args[0] === '-v' && shell.state.dialect === 'bash') {
      setVariable(shell.state, args[1] ?? '', printfText(args.slice(2)).text);
      return 0;
    }
    const { text, errors } = printfText(args);
    const status = await print(shell, argv, text);
    for (const error of errors) {
      const word = /^invalid number '([\s\S]*)'$/.exec(error)?.[1];
      const said = shell.state.dialect === 'bash' ? `${word}: invalid number` : `${word}: expected numeric value`;
      await complain(shell, `printf: ${shell.state.dialect === 'ash' || word === undefined ? error : said}`);
    }
    return errors.length > 0 ? 1 : status;
  },
  test,
  '[': test,
  cd,
  pwd: (shell, argv) => print(shell, argv, `${shell.state.p.cwd}\n`),
  break: leave('break'),
  continue: leave('continue'),
  return: (shell, argv) => {
    const { state } = shell;
    if (state.dialect === 'bash' && state.locals.length === 0 && !state.sourcing)
      return complain(shell, "return: can only `return' from a function or sourced script", 2);
    throw new Control('return', number(shell, argv[1], shell.state.status, 'return'));
  },
  exit: (shell, argv) => {
    throw new Control('exit', number(shell, argv[1], shell.state.status, 'exit'));
  },
  shift: (shell, argv) => {
    const count = Number(argv[1] ?? 1);
    if (count > shell.state.params.length) {
      if (shell.state.dialect === 'dash') throw new ShellFailure("shift: can't shift that many");
      return 1;
    }
    shell.state.params = shell.state.params.slice(count);
    return 0;
  },
  set: async (shell, argv) => {
    const { state } = shell;
    if (argv.length === 1)
      return print(
        shell,
        argv,
        [...state.vars]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, { value }]) => `${name}='${String(value ?? '').replaceAll("'", "'\\''")}'\n`)
          .join(''),
      );
    if ((argv[1] === '-o' || argv[1] === '+o') && argv.length === 2)
      return print(
        shell,
        argv,
        Object.values(longOptions)
          .map((name) => `${name.padEnd(15)}\t${state.options.has(name) ? 'on' : 'off'}\n`)
          .join(''),
      );
    let at: number;
    try {
      at = applyOptions(state.options, argv, 1, state.dialect);
    } catch (error) {
      if (!(error instanceof ShellFailure)) throw error;
      throw new ShellFailure(`set: ${error.message}`);
    }
    if (at < argv.length || argv[at - 1] === '--') state.params = argv.slice(at);
    return 0;
  },
  unset: (shell, argv) => {
    const fn = argv[1] === '-f';
    for (const word of argv.slice(1).filter((arg) => arg !== '-v' && arg !== '-f')) {
      const element = /^(\w+)\[(.+)\]$/.exec(word);
      const variable = shell.state.vars.get(element?.[1] ?? word);
      if (variable?.readonly) throw new ShellFailure(`unset: ${word}: is read only`);
      if (element && Array.isArray(variable?.value))
        variable.value.splice(Number(evaluate(shell.state, element[2] ?? '0')), 1);
      else if (fn || (!variable && shell.state.functions.has(word))) shell.state.functions.delete(word);
      else shell.state.vars.delete(word);
    }
    return 0;
  },
  export: declare('exported'),
  readonly: declare('readonly'),
  local: (shell, argv) => {
    if (shell.state.locals.length === 0 && shell.state.dialect === 'bash')
      return complain(shell, 'local: can only be used in a function');
    if (shell.state.locals.length === 0) throw new ShellFailure('local: not in a function');
    return declare('local')(shell, argv);
  },
  declare: declare('plain'),
  typeset: declare('plain'),
  eval: (shell, argv) => shell.evaluateText(argv.slice(1).join(' ')),
  exec: (shell, argv) => shell.replace(argv.slice(argv[1] === '-a' ? 3 : argv[1] === '--' || argv[1] === '-c' ? 2 : 1)),
  '.': source,
  source,
  read: readBuiltin,
  trap,
  wait,
  kill: async (shell, argv) => {
    const { state } = shell;
    const job = (arg: string): string =>
      /^%\d+$/.test(arg) ? String([...state.jobs.keys()][Number(arg.slice(1)) - 1] ?? arg) : arg;
    return killCommand(state.p, argv.map(job), (text) => {
      const absent = /^can't kill pid (-?\d+): (.*)$/.exec(text);
      if (state.dialect === 'bash' && absent) return complain(shell, `kill: (${absent[1]}) - ${absent[2]}`);
      if (state.dialect === 'dash' && absent) return complain(shell, `kill: ${absent[2]}`).then((code) => code);
      return complain(shell, `kill: ${text}`);
    });
  },
  umask: async (shell, argv) => {
    const word = argv.slice(1).find((arg) => !arg.startsWith('-'));
    if (word === undefined) return print(shell, argv, `${shell.state.p.umask.toString(8).padStart(4, '0')}\n`);
    if (!/^[0-7]+$/.test(word)) throw new ShellFailure(`umask: Illegal mode: ${word}`);
    shell.state.p.umask = Number.parseInt(word, 8);
    return 0;
  },
  ulimit: (shell, argv) => {
    const letter = argv.find((arg) => /^-[a-zA-Z]$/.test(arg) && arg !== '-S' && arg !== '-H');
    if (argv.some((arg) => /^\d+$|^unlimited$/.test(arg))) return 0;
    return print(
      shell,
      argv,
      letter === '-n' ? '1048576\n' : letter === '-c' ? '0\n' : letter === '-s' ? '8192\n' : 'unlimited\n',
    );
  },
  type,
  command: async (shell, argv) => {
    if (/^-[vV]$/.test(argv[1] ?? '')) return type(shell, argv[1] === '-V' ? ['type', ...argv.slice(2)] : argv);
    const args = argv.slice(argv[1] === '-p' || argv[1] === '--' ? 2 : 1);
    const name = args[0];
    if (name === undefined) return 0;
    const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
    if (builtin) return builtin(shell, args);
    const found = await shell.locate(args);
    return typeof found === 'number' ? found : shell.launchFound(found);
  },
  getopts,
  times: (shell, argv) => print(shell, argv, '0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n'),
  hash: () => 0,
  alias: () => 0,
  unalias: () => 0,
  shopt: () => 0,
  let: (shell, argv) => {
    let value = 0n;
    for (const text of argv.slice(1)) value = evaluate(shell.state, text);
    return value === 0n ? 1 : 0;
  },
  jobs: (shell, argv) =>
    print(
      shell,
      argv,
      [...shell.state.jobs.values()]
        .filter((job) => job.alive)
        .map((job, index) => `[${index + 1}]${index === 0 ? '+' : ' '} Running                 ${job.argv.join(' ')}\n`)
        .join(''),
    ),
  fg: async (shell) => {
    const job = [...shell.state.jobs.values()].at(-1);
    if (!job) return complain(shell, 'fg: no current job');
    job.signal('CONT');
    return (await shell.state.p.wait(job)).code;
  },
  bg: () => 0,
};
