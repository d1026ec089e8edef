import type { Process } from '../kernel/process.ts';
import type { Command } from './ast.ts';
import type { Dialect } from './parser.ts';

export interface Variable {
  value: string | string[] | undefined;
  exported: boolean;
  readonly: boolean;
}

/** Leaves loops, functions or the shell. */
export class Control {
  readonly kind: 'break' | 'continue' | 'return' | 'exit';
  count: number;
  constructor(kind: Control['kind'], count: number) {
    this.kind = kind;
    this.count = count;
  }
}

/** An error that ends a non-interactive shell (POSIX 2.8.1). */
export class ShellFailure extends Error {
  override readonly name = 'ShellFailure';
  readonly status: number;
  constructor(message: string, status = 2) {
    super(message);
    this.status = status;
  }
}

/** All that a shell knows. */
export interface ShellState {
  p: Process;
  readonly dialect: Dialect;
  vars: Map<string, Variable>;
  functions: Map<string, Command>;
  params: readonly string[];
  name: string;
  options: Set<string>;
  traps: Map<string, string>;
  pending: string[];
  status: number;
  lastBackground: number;
  jobs: Map<number, Process>;
  /** Saved values of local variables, one frame a function call. */
  locals: Map<string, Variable | undefined>[];
  /** Inside a condition, where errexit does not count. */
  tested: number;
  loops: number;
  line: number;
  /** Read from -c or a terminal, not from a file. */
  readonly inline: boolean;
  interactive: boolean;
  /** Within a sourced file, which `return` may leave. */
  sourcing: boolean;
  substituted: number | undefined;
  readonly rootPid: number;
  readonly startedAt: number;
}

export function createState(
  p: Process,
  dialect: Dialect,
  name: string,
  params: readonly string[],
  inline: boolean,
): ShellState {
  const vars = new Map<string, Variable>();
  for (const [key, value] of p.env)
    if (/^[A-Za-z_]\w*$/.test(key)) vars.set(key, { value, exported: true, readonly: false });
  const preset = (key: string, value: string, exported = false): void => {
    if (!vars.has(key)) vars.set(key, { value, exported, readonly: false });
  };
  preset('IFS', ' \t\n');
  vars.set('IFS', { value: ' \t\n', exported: false, readonly: false });
  preset('PS2', '> ');
  preset('PS4', '+ ');
  preset('OPTIND', '1');
  preset('PPID', String(p.parent?.pid ?? 0));
  vars.set('PWD', { value: p.cwd, exported: true, readonly: false });
  if (dialect === 'bash') {
    preset('BASH_VERSION', '5.2.15(1)-release');
    preset('BASH', '/bin/bash');
    preset('UID', String(p.credentials.uid));
    preset('EUID', String(p.credentials.uid));
    preset('SHLVL', '1', true);
  }
  if (dialect !== 'dash') preset('HOSTNAME', p.workload.hostname, dialect === 'ash' && p.env.has('HOSTNAME'));
  if (dialect === 'bash' || dialect === 'ash')
    preset('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
  return {
    p,
    dialect,
    vars,
    functions: new Map(),
    params,
    name,
    options: new Set(),
    traps: new Map(),
    pending: [],
    status: 0,
    lastBackground: 0,
    jobs: new Map(),
    locals: [],
    tested: 0,
    loops: 0,
    line: 1,
    inline,
    interactive: false,
    sourcing: false,
    substituted: undefined,
    rootPid: p.pid,
    startedAt: p.workload.clock.now(),
  };
}

/** The state of a subshell in a forked process. */
export function forkState(state: ShellState, p: Process): ShellState {
  const vars = new Map<string, Variable>();
  for (const [name, variable] of state.vars) vars.set(name, { ...variable });
  return {
    ...state,
    p,
    vars,
    functions: new Map(state.functions),
    options: new Set(state.options),
    traps: new Map([...state.traps].filter(([, action]) => action === '')),
    pending: [],
    jobs: new Map(),
    locals: state.locals.map((frame) => new Map(frame)),
    interactive: false,
  };
}

/** The text before an error message, as the shell in question writes it. */
export function prefix(state: ShellState): string {
  switch (state.dialect) {
    case 'dash':
      return `${state.name}: ${state.line}: `;
    case 'ash':
      return state.inline ? `${state.name}: ` : `${state.name}: line ${state.line}: `;
    case 'bash':
      return state.interactive ? `${state.name}: ` : `${state.name}: line ${state.line}: `;
  }
}

const applets = /^(?:printf|test|\[|kill|echo): (?!line )/;
const own =
  /^(cd|exit|return|local|\.|source|shift|unset|export|readonly|break|continue|trap|umask|wait|set): ([\s\S]*)$/;

/** As dash and bash word what the parser finds wrong. */
function otherLine(state: ShellState, message: string): string {
  const missing = /^Unterminated (.*)$/.exec(message)?.[1];
  if (state.dialect === 'dash')
    return `${prefix(state)}${missing === undefined ? message : missing === 'substitution' ? "Syntax error: Missing '}'" : `Syntax error: ${message}`}`;
  const text =
    missing === undefined
      ? message.replace(/^Syntax error: Bad for loop variable$/, "syntax error near unexpected token `newline'")
      : `unexpected EOF while looking for matching \`${missing === 'substitution' ? '}' : missing.includes('quoted') ? '"' : ')'}'`;
  const parsing = missing !== undefined || text.startsWith('syntax error');
  return `${prefix(state).replace(/: line/, parsing && state.inline ? ': -c: line' : ': line')}${text}`;
}

/** A whole error message as the shell in question writes it. */
export function errorLine(state: ShellState, message: string): string {
  if (state.dialect !== 'ash') return otherLine(state, message);
  // What busybox runs as applets inside of the shell complains in the shell's own name.
  if (applets.test(message)) return `sh: ${message.replace(applets, '')}`;
  const builtin = own.exec(message);
  if (builtin) return `${state.name}: ${builtin[1]}: line ${state.inline ? 0 : state.line}: ${builtin[2]}`;
  const syntax = /^Unterminated (.*)$/.exec(message)?.[1];
  if (syntax !== undefined)
    return `${prefix(state)}syntax error: ${syntax === 'substitution' ? "missing '}'" : `unterminated ${syntax}`}`;
  return `${prefix(state)}${message === 'Bad substitution' ? 'syntax error: bad substitution' : message}`;
}

export function getVariable(state: ShellState, name: string): string | undefined {
  if (name === 'RANDOM' && state.dialect !== 'dash') return String(Math.floor(state.p.workload.random.next() * 32768));
  if (name === 'SECONDS' && state.dialect === 'bash')
    return String(Math.floor((state.p.workload.clock.now() - state.startedAt) / 1000));
  if (name === 'EPOCHSECONDS' && state.dialect !== 'dash')
    return String(Math.floor(state.p.workload.clock.now() / 1000));
  if (name === 'LINENO') return String(state.line);
  const value = state.vars.get(name)?.value;
  return Array.isArray(value) ? value[0] : value;
}

export function setVariable(state: ShellState, name: string, value: string | string[], exported = false): void {
  const variable = state.vars.get(name);
  if (variable?.readonly)
    throw new ShellFailure(
      state.dialect === 'bash' ? `${name}: readonly variable` : `${name}: is read only`,
      state.dialect === 'bash' ? 1 : 2,
    );
  if (variable) {
    variable.value = value;
    variable.exported ||= exported;
  } else state.vars.set(name, { value, exported: exported || state.options.has('allexport'), readonly: false });
}

/** The environment of commands. */
export function environment(state: ShellState): Map<string, string> {
  const env = new Map<string, string>();
  // What is no valid name for a variable is handed through, as the shells do.
  for (const [key, value] of state.p.env) if (!/^[A-Za-z_]\w*$/.test(key)) env.set(key, value);
  for (const [name, { value, exported }] of state.vars)
    if (exported && value !== undefined) env.set(name, Array.isArray(value) ? (value[0] ?? '') : value);
  return env;
}
