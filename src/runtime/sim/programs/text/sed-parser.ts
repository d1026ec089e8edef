import { Failure } from '../applet.ts';
import { posixRegex } from './regex.ts';

export type Address =
  | { readonly t: 'line'; readonly n: number }
  | { readonly t: 'last' }
  | { readonly t: 'regex'; readonly regex: RegExp | undefined }
  | { readonly t: 'step'; readonly first: number; readonly step: number }
  | { readonly t: 'plus'; readonly n: number };

export interface SedCommand {
  readonly from?: Address;
  readonly to?: Address;
  readonly negate: boolean;
  readonly name: string;
  readonly text: string;
  readonly regex?: RegExp | undefined;
  readonly global?: boolean;
  readonly print?: boolean;
  readonly nth?: number;
  readonly file?: string;
  readonly block?: readonly SedCommand[];
  /** Whether the range is open, and where it ends when counted. */
  state: { on: boolean; until: number };
}

class Reader {
  readonly text: string;
  at = 0;
  readonly extended: boolean;
  constructor(text: string, extended: boolean) {
    this.text = text;
    this.extended = extended;
  }
  /** The next character, '' at the end. */
  peek(): string {
    return this.text[this.at] ?? '';
  }
  skip(pattern: RegExp): void {
    while (this.peek() !== '' && pattern.test(this.peek())) this.at++;
  }
  number(): number | undefined {
    const match = /^\d+/.exec(this.text.slice(this.at));
    if (!match) return undefined;
    this.at += match[0].length;
    return Number(match[0]);
  }
  /** Up to an unquoted delimiter, which is consumed. A quoted delimiter loses its backslash. */
  delimited(delimiter: string, regex: boolean): string {
    let out = '';
    let bracket = false;
    for (; this.peek() !== delimiter || bracket; this.at++) {
      const char = this.peek();
      if (char === '' || (char === '\n' && regex)) throw new Failure(`unmatched '${delimiter}'`);
      if (char === '\\' && !bracket) {
        const next = this.text[++this.at] ?? '';
        out += next === delimiter && !(regex && /[.*[\]^$+?(){}|]/.test(next)) ? next : `\\${next}`;
        continue;
      }
      if (regex && char === '[' && !bracket) {
        bracket = true;
        out += char;
        if (this.text[this.at + 1] === '^') out += this.text[++this.at];
        if (this.text[this.at + 1] === ']') out += this.text[++this.at];
        continue;
      }
      if (bracket && char === '[' && this.text[this.at + 1] === ':') {
        const end = this.text.indexOf(':]', this.at + 2);
        if (end > 0) {
          out += this.text.slice(this.at, end + 2);
          this.at = end + 1;
          continue;
        }
      }
      if (char === ']') bracket = false;
      out += char;
    }
    this.at++;
    return out;
  }
  line(): string {
    const end = this.text.indexOf('\n', this.at);
    const out = this.text.slice(this.at, end < 0 ? undefined : end);
    this.at += out.length;
    return out;
  }
}

const compile = (r: Reader, source: string, flags = ''): RegExp | undefined =>
  source === '' ? undefined : posixRegex(source, r.extended, `g${flags}`);

function address(r: Reader): Address | undefined {
  const n = r.number();
  if (n !== undefined) {
    if (r.peek() !== '~') return { t: 'line', n };
    r.at++;
    return { t: 'step', first: n, step: r.number() ?? 0 };
  }
  if (r.peek() === '$') {
    r.at++;
    return { t: 'last' };
  }
  if (r.peek() === '+') {
    r.at++;
    return { t: 'plus', n: r.number() ?? 0 };
  }
  if (r.peek() !== '/' && r.peek() !== '\\') return undefined;
  const delimiter = r.peek() === '\\' ? (r.text[++r.at] ?? '') : '/';
  r.at++;
  const source = r.delimited(delimiter, true);
  const insensitive = r.peek() === 'I';
  if (insensitive) r.at++;
  return { t: 'regex', regex: compile(r, source, insensitive ? 'i' : '') };
}

/** Parses a script; several -e and -f parts come joined by newlines. */
export function parseSed(text: string, extended: boolean): readonly SedCommand[] {
  const r = new Reader(text, extended);
  const commands = commandsUntil(r, '');
  return commands;
}

function commandsUntil(r: Reader, end: '' | '}'): SedCommand[] {
  const out: SedCommand[] = [];
  for (;;) {
    r.skip(/[\s;]/);
    if (r.peek() === '#') {
      r.line();
      continue;
    }
    if (r.peek() === '' || r.peek() === '}') {
      if (r.peek() !== end) throw new Failure(end === '}' ? 'unmatched {' : "unexpected `}'");
      r.at++;
      return out;
    }
    out.push(command(r));
  }
}

function command(r: Reader): SedCommand {
  const from = address(r);
  let to: Address | undefined;
  if (from) {
    r.skip(/\s/);
    if (r.peek() === ',') {
      r.at++;
      r.skip(/\s/);
      to = address(r);
      if (!to) throw new Failure('no address after comma');
    }
  }
  r.skip(/\s/);
  let negate = false;
  while (r.peek() === '!') {
    negate = true;
    r.at++;
    r.skip(/\s/);
  }
  const name = r.peek();
  r.at++;
  const base = {
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    negate,
    name,
    text: '',
    state: { on: false, until: 0 },
  };
  switch (name) {
    case '{':
      return { ...base, block: commandsUntil(r, '}') };
    case 's':
      return { ...base, ...substitution(r) };
    case 'y': {
      const delimiter = r.peek();
      r.at++;
      const source = decoded(r.delimited(delimiter, false));
      const target = decoded(r.delimited(delimiter, false));
      if (source.length !== target.length) throw new Failure("strings for `y' command are different lengths");
      return { ...base, text: source, file: target };
    }
    case 'a':
    case 'i':
    case 'c':
      return { ...base, text: insertion(r) };
    case ':':
    case 'b':
    case 't':
    case 'T': {
      r.skip(/[ \t]/);
      const label = /^[^;}\n]*/.exec(r.text.slice(r.at))?.[0] ?? '';
      r.at += label.length;
      return { ...base, text: label.trim() };
    }
    case 'r':
    case 'w':
      r.skip(/[ \t]/);
      return { ...base, file: r.line() };
    case 'q':
    case 'Q':
      r.skip(/[ \t]/);
      return { ...base, nth: r.number() ?? 0 };
    case '':
      throw new Failure('missing command');
    default:
      if (!'dDpPnNgGhHx=lzF'.includes(name)) throw new Failure(`unsupported command ${name}`);
      return base;
  }
}

const decoded = (text: string): string =>
  text.replace(/\\([\s\S])/g, (_all, char: string) => (char === 'n' ? '\n' : char === 't' ? '\t' : char));

function insertion(r: Reader): string {
  r.skip(/[ \t]/);
  if (r.peek() === '\\') {
    r.at++;
    if (r.peek() === '\n') r.at++;
    else r.skip(/[ \t]/);
  }
  let out = '';
  for (; r.peek() !== '' && r.peek() !== '\n'; r.at++) {
    if (r.peek() === '\\') r.at++;
    out += r.peek();
  }
  return out;
}

function substitution(r: Reader): Partial<SedCommand> {
  const delimiter = r.peek();
  r.at++;
  const source = r.delimited(delimiter, true);
  const text = r.delimited(delimiter, false);
  let flags = '';
  const result: { global?: boolean; print?: boolean; nth?: number; file?: string } = {};
  for (;;) {
    const n = r.number();
    if (n !== undefined) result.nth = n;
    else if (r.peek() === 'g') {
      result.global = true;
      r.at++;
    } else if (r.peek() === 'p') {
      result.print = true;
      r.at++;
    } else if (/[iI]/.test(r.peek())) {
      flags = 'i';
      r.at++;
    } else if (r.peek() === 'w') {
      r.at++;
      r.skip(/[ \t]/);
      result.file = r.line();
    } else break;
  }
  r.skip(/[ \t]/);
  if (!['', '\n', ';', '}', '#'].includes(r.peek())) throw new Failure('unknown option to s command');
  return { ...result, regex: compile(r, source, flags), text };
}
