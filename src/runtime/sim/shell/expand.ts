import { SysError } from '../errno.ts';
import { resolve } from '../vfs/mount-space.ts';
import { listPath } from '../vfs/operations.ts';
import { type ArithmeticScope, arithmetic } from './arithmetic.ts';
import type { Script, Word, WordPart } from './ast.ts';
import { hasWildcard, matches, patternSource, quotePattern, trim } from './pattern.ts';
import { getVariable, prefix, ShellFailure, type ShellState, setVariable } from './state.ts';

/** What expansion needs of the evaluator. */
export interface Substituter {
  readonly state: ShellState;
  /** The output of a command, without the newlines at its end. */
  substitute(body: Script): Promise<string>;
  /** A path that reads or feeds a command. */
  processSubstitution(body: Script, dir: '<' | '>'): string;
}

interface Field {
  text: string;
  pattern: string;
  quoted: boolean;
}

/** Words to fields: all expansions, splitting, globbing. */
export async function expandWords(shell: Substituter, words: readonly Word[]): Promise<string[]> {
  const out: string[] = [];
  for (const original of words) {
    for (const word of shell.state.dialect === 'bash' ? braces(original) : [original]) {
      const only = word[0];
      if (word.length === 1 && only?.t === 'lit' && only.q) out.push(only.v);
      else for (const field of await fields(shell, word)) out.push(...glob(shell.state, field));
    }
  }
  return out;
}

/** One string: no splitting, no globbing. For assignments, redirections, here-documents. */
export async function expandText(shell: Substituter, word: Word): Promise<string> {
  let text = '';
  for (const [index, part] of word.entries()) text += await joined(shell, part, index === 0);
  return text;
}

/** A pattern in which quoted text is escaped. */
export async function expandPattern(shell: Substituter, word: Word): Promise<string> {
  let pattern = '';
  for (const [index, part] of word.entries()) {
    const text = await joined(shell, part, index === 0);
    pattern += part.t !== 'proc' && part.q ? quotePattern(text) : text;
  }
  return pattern;
}

async function joined(shell: Substituter, part: WordPart, first: boolean): Promise<string> {
  if (part.t === 'lit') return part.q ? part.v : first ? tilde(shell.state, part.v) : part.v;
  const value = await partValue(shell, part);
  return Array.isArray(value)
    ? value.join(part.t === 'var' && (part.name === '*' || isStar(part)) ? separator(shell.state) : ' ')
    : value;
}

const isStar = (part: WordPart): boolean => {
  const index = part.t === 'var' ? part.index?.[0] : undefined;
  return index?.t === 'lit' && index.v === '*';
};

const separator = (state: ShellState): string => (getVariable(state, 'IFS') ?? ' ').slice(0, 1);

function tilde(state: ShellState, text: string): string {
  const match = /^~([\w.-]*)(?=\/|:|$)/.exec(text);
  if (!match) return text;
  const home = match[1] ? (match[1] === 'root' ? '/root' : undefined) : getVariable(state, 'HOME');
  return home === undefined ? text : home + text.slice(match[0].length);
}

async function fields(shell: Substituter, word: Word): Promise<Field[]> {
  const ifs = getVariable(shell.state, 'IFS') ?? ' \t\n';
  const done: Field[] = [];
  let current: Field | undefined;
  const add = (text: string, quoted: boolean): void => {
    current ??= { text: '', pattern: '', quoted: false };
    current.text += text;
    current.pattern += quoted ? quotePattern(text) : text;
    current.quoted ||= quoted;
  };
  const finish = (): void => {
    if (current && (current.text !== '' || current.quoted)) done.push(current);
    current = undefined;
  };
  const split = (text: string): void => {
    let at = 0;
    while (at < text.length) {
      const char = text[at] ?? '';
      if (!ifs.includes(char)) {
        let end = at;
        while (end < text.length && !ifs.includes(text[end] ?? '')) end++;
        add(text.slice(at, end), false);
        at = end;
        continue;
      }
      const white = (c: string | undefined): boolean => c !== undefined && ' \t\n'.includes(c) && ifs.includes(c);
      const had = current !== undefined;
      while (white(text[at])) at++;
      const delimiter = at < text.length && ifs.includes(text[at] ?? '');
      if (delimiter) {
        if (!had) add('', true);
        at++;
        while (white(text[at])) at++;
      }
      finish();
    }
  };
  const take = async (part: WordPart, first: boolean): Promise<void> => {
    if (part.t === 'lit') {
      add(part.q || !first ? part.v : tilde(shell.state, part.v), part.q);
      return;
    }
    const instead = await substitute(shell, part);
    if (instead) {
      // Quotes within ${x:-…} keep their meaning.
      for (const [at, inner] of instead.entries()) await take(inner, first && at === 0);
      return;
    }
    const value = await partValue(shell, part);
    const quoted = part.t !== 'proc' && part.q;
    if (Array.isArray(value)) {
      if (quoted && ((part.t === 'var' && part.name === '*') || isStar(part)))
        add(value.join(separator(shell.state)), true);
      else if (quoted) {
        value.forEach((item, at) => {
          if (at > 0) finish();
          add(item, true);
        });
      } else {
        value.forEach((item, at) => {
          if (at > 0) finish();
          split(item);
        });
      }
    } else if (quoted) add(value, true);
    else if (part.t === 'proc') add(value, true);
    else split(value);
  };
  for (const [index, part] of word.entries()) await take(part, index === 0);
  finish();
  return done;
}

/** The word that stands for an unquoted `${x:-word}` or `${x:+word}`, when it is the word that counts. */
async function substitute(shell: Substituter, part: WordPart): Promise<Word | undefined> {
  if (part.t !== 'var' || part.q || !part.arg || !part.op || !/^:?[-+]$/.test(part.op)) return undefined;
  const value = raw(shell.state, part.name, part.index ? await expandText(shell, part.index) : undefined);
  const empty = value === undefined || value.length === 0;
  const missing = part.op.startsWith(':') ? empty : value === undefined || (Array.isArray(value) && empty);
  return missing === part.op.endsWith('-') ? part.arg : undefined;
}

async function partValue(shell: Substituter, part: Exclude<WordPart, { t: 'lit' }>): Promise<string | string[]> {
  switch (part.t) {
    case 'cmd':
      return shell.substitute(part.body);
    case 'arith':
      return String(evaluate(shell.state, await expandText(shell, part.expr)));
    case 'proc':
      return shell.processSubstitution(part.body, part.dir);
    case 'var':
      return parameter(shell, part);
  }
}

/** Evaluates an arithmetic expression over the shell's variables. */
export function evaluate(state: ShellState, text: string): bigint {
  const element = /^(\w+)\[(\w+)\]$/;
  const scope: ArithmeticScope = {
    get(name) {
      const value = getVariable(state, name);
      if (value === undefined && state.options.has('nounset')) throw new ShellFailure(`${name}: ${unset(state)}`);
      const at = element.exec(name);
      return at ? '' : (value ?? '');
    },
    set: (name, value) => setVariable(state, name, value),
  };
  try {
    return arithmetic(text, scope);
  } catch (error) {
    if (error instanceof ShellFailure || !(error instanceof Error)) throw error;
    const division = error.message === 'divide by zero';
    if (state.dialect === 'bash')
      throw new ShellFailure(division ? `${text}: division by 0 (error token is "0")` : error.message, 1);
    throw new ShellFailure(
      state.dialect === 'dash' && division ? `arithmetic expression: division by zero: "${text}"` : error.message,
    );
  }
}

const unset = (state: ShellState): string => (state.dialect === 'bash' ? 'unbound variable' : 'parameter not set');

function raw(state: ShellState, name: string, index: string | undefined): string | string[] | undefined {
  switch (name) {
    case '@':
    case '*':
      return [...state.params];
    case '#':
      return String(state.params.length);
    case '?':
      return String(state.status);
    case '$':
      return String(state.rootPid);
    case '!':
      return state.lastBackground > 0 ? String(state.lastBackground) : undefined;
    case '0':
      return state.name;
    case '-':
      return flags(state);
    default:
  }
  if (/^\d+$/.test(name)) return state.params[Number(name) - 1];
  if (index === undefined) return getVariable(state, name);
  const value = state.vars.get(name)?.value;
  const items = Array.isArray(value) ? value : value === undefined ? [] : [value];
  if (index === '@' || index === '*') return items.filter((item) => item !== undefined);
  const at = Number(evaluate(state, index));
  return items[at < 0 ? items.length + at : at];
}

const letters: Readonly<Record<string, string>> = {
  errexit: 'e',
  nounset: 'u',
  xtrace: 'x',
  noglob: 'f',
  verbose: 'v',
  noclobber: 'C',
  allexport: 'a',
};
const flags = (state: ShellState): string =>
  [...state.options].map((name) => letters[name] ?? '').join('') +
  (state.interactive ? 'i' : '') +
  (state.inline && state.dialect !== 'dash' ? 'c' : '');

async function parameter(shell: Substituter, part: Extract<WordPart, { t: 'var' }>): Promise<string | string[]> {
  const { state } = shell;
  const { name, op } = part;
  const index = part.index ? await expandText(shell, part.index) : undefined;
  const value = raw(state, name, index);
  const list = Array.isArray(value);
  const empty = value === undefined || (list ? value.length === 0 : value === '');
  const absent = value === undefined || (list && value.length === 0);
  const arg = async (): Promise<string> => (part.arg ? expandText(shell, part.arg) : '');
  const failUnset = (): never => {
    throw new ShellFailure(`${name}: ${unset(state)}`, state.dialect === 'bash' ? (state.inline ? 127 : 1) : 2);
  };
  if (op === undefined || op === 'len' || op === '!') {
    if (absent && !list && state.options.has('nounset')) failUnset();
    if (op === 'len') return String(list ? value.length : [...(value ?? '')].length);
    if (op === '!') return getVariable(state, typeof value === 'string' ? value : '') ?? '';
    return value ?? '';
  }
  const missing = op.startsWith(':') && op.length === 2 ? empty : absent;
  switch (op) {
    case ':-':
    case '-':
      return missing ? arg() : (value ?? '');
    case ':+':
    case '+':
      return missing ? '' : arg();
    case ':=':
    case '=': {
      if (!missing) return value ?? '';
      const text = await arg();
      setVariable(state, name, text);
      return text;
    }
    case ':?':
    case '?': {
      if (!missing) return value ?? '';
      const text = await arg();
      throw new ShellFailure(
        `${name}: ${text || (op === ':?' && state.dialect !== 'dash' ? 'parameter null or not set' : 'parameter not set')}`,
        state.dialect === 'bash' ? 1 : 2,
      );
    }
    default:
  }
  if (absent && state.options.has('nounset')) failUnset();
  // dash has what POSIX has.
  if (state.dialect === 'dash' && !/^[#%]/.test(op)) throw new ShellFailure('Bad substitution');
  const each = (change: (text: string) => string): string | string[] =>
    list ? value.map(change) : change(value ?? '');
  if (op === ':') {
    const from = Number(evaluate(state, await arg()));
    const length = part.arg2 ? Number(evaluate(state, await expandText(shell, part.arg2))) : undefined;
    const source = list ? (name === '@' || name === '*' ? [state.name, ...value] : value) : (value ?? '');
    const start = from < 0 ? Math.max(0, source.length + from) : from;
    const end = length === undefined ? undefined : length < 0 ? source.length + length : start + length;
    return list ? (source.slice(start, end) as string[]) : (source.slice(start, end) as string);
  }
  if (op === '#' || op === '##' || op === '%' || op === '%%') {
    const pattern = part.arg ? await expandPattern(shell, part.arg) : '';
    return each((text) => trim(text, pattern, op));
  }
  if (op.startsWith('/')) {
    const pattern = patternSource(part.arg ? await expandPattern(shell, part.arg) : '');
    const by = part.arg2 ? await expandText(shell, part.arg2) : '';
    const source = op === '/#' ? `^${pattern}` : op === '/%' ? `${pattern}$` : pattern;
    return pattern === ''
      ? (value ?? '')
      : each((text) => text.replace(new RegExp(source, op === '//' ? 'g' : ''), () => by));
  }
  const upper = op.startsWith('^');
  const turn = (text: string): string => (upper ? text.toUpperCase() : text.toLowerCase());
  if (op.length === 2) return each(turn);
  if (op === '^' || op === ',') return each((text) => turn(text.slice(0, 1)) + text.slice(1));
  if (op === '@') return (await arg()) === 'Q' ? each((text) => `'${text.replaceAll("'", "'\\''")}'`) : (value ?? '');
  throw new ShellFailure('Bad substitution');
}

/** Pathname expansion: the matching paths in order, or the text itself. */
function glob(state: ShellState, field: Field): string[] {
  if (state.options.has('noglob') || !hasWildcard(field.pattern)) return [field.text];
  const absolute = field.pattern.startsWith('/');
  let found: string[] = [absolute ? '/' : ''];
  const parts = field.pattern.split('/').filter((part) => part !== '');
  const onlyDirectories = field.pattern.endsWith('/');
  for (const part of parts) {
    const next: string[] = [];
    for (const base of found) {
      const plain = part.replace(/\\(.)/g, '$1');
      if (!hasWildcard(part)) {
        if (exists(state, `${base}${plain}`)) next.push(`${base}${plain}/`);
        continue;
      }
      let entries: readonly string[] = [];
      try {
        entries = listPath(state.p.view, base === '' ? '.' : base);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
      }
      for (const entry of entries)
        if ((part.startsWith('.') || !entry.startsWith('.')) && matches(part, entry)) next.push(`${base}${entry}/`);
    }
    found = next;
  }
  const paths = found.map((path) => (onlyDirectories ? path : path.slice(0, -1)));
  return paths.length > 0 ? paths : [field.text];
}

function exists(state: ShellState, path: string): boolean {
  try {
    return resolve(state.p.view, path, false).inode !== undefined;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

/** `a{b,c}` and `{1..3}` over the unquoted text of a word. */
function braces(word: Word): Word[] {
  if (!word.some((part) => part.t === 'lit' && !part.q && part.v.includes('{'))) return [word];
  const atoms: (string | WordPart)[] = [];
  for (const part of word) {
    if (part.t === 'lit' && !part.q) atoms.push(...part.v);
    else atoms.push(part);
  }
  return expandAtoms(atoms).map((list) =>
    list.reduce<WordPart[]>((out, atom) => {
      const last = out[out.length - 1];
      if (typeof atom !== 'string') out.push(atom);
      else if (last?.t === 'lit' && !last.q) out[out.length - 1] = { ...last, v: last.v + atom };
      else out.push({ t: 'lit', v: atom, q: false });
      return out;
    }, []),
  );
}

type Atoms = readonly (string | WordPart)[];

function expandAtoms(atoms: Atoms): Atoms[] {
  for (let open = 0; open < atoms.length; open++) {
    if (atoms[open] !== '{') continue;
    let depth = 0;
    const commas: number[] = [];
    let close = -1;
    for (let at = open; at < atoms.length; at++) {
      if (atoms[at] === '{') depth++;
      else if (atoms[at] === ',' && depth === 1) commas.push(at);
      else if (atoms[at] === '}' && --depth === 0) {
        close = at;
        break;
      }
    }
    if (close < 0) continue;
    const inner = atoms.slice(open + 1, close);
    const text = inner.every((atom) => typeof atom === 'string') ? inner.join('') : '';
    const range = /^(-?\d+|[a-zA-Z])\.\.(-?\d+|[a-zA-Z])(?:\.\.(\d+))?$/.exec(text);
    let options: Atoms[];
    if (range) options = sequence(range[1] ?? '', range[2] ?? '', Number(range[3] ?? 1) || 1).map((item) => [...item]);
    else if (commas.length > 0)
      options = [open, ...commas].map((start, i) => atoms.slice(start + 1, commas[i] ?? close)).flatMap(expandAtoms);
    else continue;
    const head = atoms.slice(0, open);
    const tails = expandAtoms(atoms.slice(close + 1));
    return options.flatMap((option) => tails.map((tail) => [...head, ...option, ...tail]));
  }
  return [atoms];
}

function sequence(from: string, to: string, step: number): string[] {
  const letters = !/\d/.test(from);
  const value = (text: string): number => (letters ? text.charCodeAt(0) : Number(text));
  const width = /^-?0\d/.test(from) || /^-?0\d/.test(to) ? Math.max(from.length, to.length) : 0;
  const out: string[] = [];
  const [a, b] = [value(from), value(to)];
  for (let at = a; a <= b ? at <= b : at >= b; at += a <= b ? step : -step) {
    if (out.length >= 100_000) break;
    out.push(letters ? String.fromCharCode(at) : String(at).padStart(width, '0'));
  }
  return out;
}

/** The shell's own words for a file that a redirection cannot open. */
export function redirectError(
  state: ShellState,
  path: string,
  creating: boolean,
  error: SysError,
  text: string,
): string {
  if (state.dialect === 'bash')
    return `${prefix(state)}${path}: ${error.code === 'EEXIST' ? 'cannot overwrite existing file' : text}`;
  const absent = error.code === 'ENOENT';
  if (state.dialect === 'dash')
    return `${prefix(state)}cannot ${creating ? 'create' : 'open'} ${path}: ${absent ? (creating ? 'Directory nonexistent' : 'No such file') : text}`;
  return `${prefix(state)}can't ${creating ? 'create' : 'open'} ${path}: ${absent ? (creating ? 'nonexistent directory' : 'no such file') : text}`;
}
