import type { Script, Word, WordPart } from './ast.ts';

/** A script that cannot be read. `incomplete` when more input could finish it (interactive shells ask for it). */
export class ShellSyntaxError extends Error {
  override readonly name = 'ShellSyntaxError';
  readonly incomplete: boolean;
  readonly line: number;
  constructor(message: string, line: number, incomplete = false) {
    super(message);
    this.line = line;
    this.incomplete = incomplete;
  }
}

/** Where a parser stands in its source. */
export interface Cursor {
  readonly source: string;
  at: number;
  line: number;
}

export type ParseNested = (cursor: Cursor, end: ')' | '`') => Script;

const nameStart = /[A-Za-z_]/;
const nameChar = /[A-Za-z0-9_]/;
const special = /[0-9@*#?$!-]/;

export const unterminated = (cursor: Cursor, what: string): ShellSyntaxError =>
  new ShellSyntaxError(`Unterminated ${what}`, cursor.line, true);

/** Collects parts, joining neighbouring literals. */
function collector(): { parts: WordPart[]; lit(text: string, quoted: boolean): void } {
  const parts: WordPart[] = [];
  return {
    parts,
    lit(text, quoted) {
      const last = parts[parts.length - 1];
      if (last?.t === 'lit' && last.q === quoted) parts[parts.length - 1] = { t: 'lit', v: last.v + text, q: quoted };
      else parts.push({ t: 'lit', v: text, q: quoted });
    },
  };
}

/** Reads one word; stops before an unquoted character for which `stop` answers true. */
export function readWord(
  cursor: Cursor,
  nested: ParseNested,
  stop: (char: string, cursor: Cursor) => boolean,
  inQuotes = false,
): Word {
  const { source } = cursor;
  const out = collector();
  while (cursor.at < source.length) {
    const char = source[cursor.at] ?? '';
    if (stop(char, cursor)) break;
    if (char === '\\') {
      const next = source[cursor.at + 1];
      cursor.at += 2;
      if (next === '\n') cursor.line++;
      else if (next === undefined) {
        out.lit('\\', true);
        cursor.at = source.length;
      } else if (inQuotes && !'$`"\\}'.includes(next)) out.lit(`\\${next}`, true);
      else out.lit(next, true);
    } else if (char === "'" && !inQuotes) {
      const end = source.indexOf("'", cursor.at + 1);
      if (end < 0) throw unterminated(cursor, 'quoted string');
      const text = source.slice(cursor.at + 1, end);
      cursor.line += text.split('\n').length - 1;
      out.lit(text, true);
      cursor.at = end + 1;
    } else if (char === '"') {
      cursor.at++;
      const inner = readQuoted(cursor, nested);
      if (inner.length === 0) out.lit('', true);
      for (const part of inner)
        if (part.t === 'lit') out.lit(part.v, true);
        else out.parts.push(part);
    } else if (char === '$') {
      const part = readDollar(cursor, nested, inQuotes);
      if (part.t === 'lit') out.lit(part.v, part.q);
      else out.parts.push(part);
    } else if (char === '`') out.parts.push(readBackquote(cursor, nested, inQuotes));
    else if ((char === '<' || char === '>') && source[cursor.at + 1] === '(' && !inQuotes) {
      cursor.at += 2;
      out.parts.push({ t: 'proc', dir: char, body: nested(cursor, ')') });
    } else {
      if (char === '\n') cursor.line++;
      out.lit(char, inQuotes);
      cursor.at++;
    }
  }
  return out.parts;
}

/** After an opening double quote, up to and including the closing one. */
function readQuoted(cursor: Cursor, nested: ParseNested): Word {
  const parts = readDouble(cursor, nested, (char) => char === '"');
  if (cursor.source[cursor.at] !== '"') throw unterminated(cursor, 'quoted string');
  cursor.at++;
  return parts;
}

/** Text in which only `$`, backquotes and backslashes are special: double quotes and here-documents. */
export function readDouble(
  cursor: Cursor,
  nested: ParseNested,
  stop: (char: string) => boolean,
  heredoc = false,
): Word {
  const { source } = cursor;
  const out = collector();
  while (cursor.at < source.length) {
    const char = source[cursor.at] ?? '';
    if (stop(char)) break;
    if (char === '\\') {
      const next = source[cursor.at + 1] ?? '';
      cursor.at += 2;
      if (next === '\n') cursor.line++;
      else if ('$`\\'.includes(next) || (next === '"' && !heredoc)) out.lit(next, true);
      else out.lit(`\\${next}`, true);
    } else if (char === '$') {
      const part = readDollar(cursor, nested, true);
      if (part.t === 'lit') out.lit(part.v, true);
      else out.parts.push(part);
    } else if (char === '`') out.parts.push(readBackquote(cursor, nested, true));
    else {
      if (char === '\n') cursor.line++;
      out.lit(char, true);
      cursor.at++;
    }
  }
  return out.parts;
}

function readBackquote(cursor: Cursor, nested: ParseNested, q: boolean): WordPart {
  let text = '';
  let at = cursor.at + 1;
  for (; ; at++) {
    const char = cursor.source[at];
    if (char === undefined) throw unterminated(cursor, 'backquoted string');
    if (char === '`') break;
    const next = cursor.source[at + 1] ?? '';
    if (char === '\\' && ('$`\\'.includes(next) || (q && next === '"'))) {
      text += next;
      at++;
    } else text += char;
  }
  const inner: Cursor = { source: text, at: 0, line: cursor.line };
  cursor.at = at + 1;
  return { t: 'cmd', body: nested(inner, '`'), q };
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
};

function readAnsi(cursor: Cursor): WordPart {
  let text = '';
  let at = cursor.at + 2;
  for (;;) {
    const char = cursor.source[at];
    if (char === undefined) throw unterminated(cursor, 'quoted string');
    if (char === "'") break;
    if (char !== '\\') {
      text += char;
      at++;
      continue;
    }
    const rest = cursor.source.slice(at + 1);
    const code = /^x([0-9a-fA-F]{1,2})|^u([0-9a-fA-F]{1,4})|^([0-7]{1,3})/.exec(rest);
    if (code) {
      text += String.fromCodePoint(Number.parseInt(code[1] ?? code[2] ?? code[3] ?? '0', code[3] ? 8 : 16));
      at += 1 + code[0].length;
    } else {
      text += escapes[rest[0] ?? ''] ?? `\\${rest[0] ?? ''}`;
      at += 2;
    }
  }
  cursor.at = at + 1;
  return { t: 'lit', v: text, q: true };
}

/** At a `$`. */
function readDollar(cursor: Cursor, nested: ParseNested, q: boolean): WordPart {
  const { source } = cursor;
  const next = source[cursor.at + 1] ?? '';
  if (next === '(' && source[cursor.at + 2] === '(') {
    const arith = readArithmetic(cursor, nested, q);
    if (arith) return arith;
  }
  if (next === '(') {
    cursor.at += 2;
    return { t: 'cmd', body: nested(cursor, ')'), q };
  }
  if (next === '{') {
    cursor.at += 2;
    return readBraces(cursor, nested, q);
  }
  if (next === "'" && !q) return readAnsi(cursor);
  if (next === '"' && !q) {
    cursor.at += 1;
    return { t: 'lit', v: '', q: false };
  }
  if (nameStart.test(next)) {
    let end = cursor.at + 1;
    while (nameChar.test(source[end] ?? '')) end++;
    const name = source.slice(cursor.at + 1, end);
    cursor.at = end;
    return { t: 'var', name, q };
  }
  if (special.test(next)) {
    cursor.at += 2;
    return { t: 'var', name: next, q };
  }
  cursor.at++;
  return { t: 'lit', v: '$', q };
}

/** `$((…))`; undefined when it turns out to be a command substitution with a subshell. */
function readArithmetic(cursor: Cursor, nested: ParseNested, q: boolean): WordPart | undefined {
  const saved = { at: cursor.at, line: cursor.line };
  cursor.at += 3;
  const expr = readArithmeticBody(cursor, nested);
  if (expr) return { t: 'arith', expr, q };
  Object.assign(cursor, saved);
  return undefined;
}

/** The inside of `((…))` with its end; undefined when it does not end so. */
export function readArithmeticBody(cursor: Cursor, nested: ParseNested): Word | undefined {
  let depth = 0;
  const expr = readDouble(cursor, nested, (char) => {
    if (char === '(') depth++;
    if (char === ')') {
      if (depth === 0) return true;
      depth--;
    }
    return false;
  });
  if (cursor.source.slice(cursor.at, cursor.at + 2) !== '))') return undefined;
  cursor.at += 2;
  return expr;
}

const operators = [
  ':-',
  ':=',
  ':?',
  ':+',
  '##',
  '%%',
  '//',
  '/#',
  '/%',
  '^^',
  ',,',
  '-',
  '=',
  '?',
  '+',
  '#',
  '%',
  '/',
  '^',
  ',',
  '@',
  ':',
];

/** After `${`. */
function readBraces(cursor: Cursor, nested: ParseNested, q: boolean): WordPart {
  const { source } = cursor;
  const bad = (): ShellSyntaxError => new ShellSyntaxError('Bad substitution', cursor.line);
  let prefix = '';
  if (source[cursor.at] === '#' && source[cursor.at + 1] !== '}' && !/[-:=?+%#/]/.test(source[cursor.at + 1] ?? ''))
    prefix = 'len';
  else if (source[cursor.at] === '!' && nameStart.test(source[cursor.at + 1] ?? '')) prefix = '!';
  if (prefix) cursor.at++;
  const match = /^([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])/.exec(source.slice(cursor.at, cursor.at + 256));
  if (!match) throw cursor.at >= source.length ? unterminated(cursor, 'substitution') : bad();
  const name = match[0];
  cursor.at += name.length;
  let index: Word | undefined;
  if (source[cursor.at] === '[') {
    cursor.at++;
    index = readWord(cursor, nested, (char) => char === ']');
    cursor.at++;
  }
  const base = { t: 'var' as const, name, q, ...(index ? { index } : {}) };
  const close = (): void => {
    if (source[cursor.at] !== '}') throw cursor.at >= source.length ? unterminated(cursor, 'substitution') : bad();
    cursor.at++;
  };
  if (prefix) {
    if (prefix === '!' && source[cursor.at] === '*') cursor.at++;
    close();
    return { ...base, op: prefix };
  }
  if (source[cursor.at] === '}') {
    cursor.at++;
    return base;
  }
  const rest = source.slice(cursor.at, cursor.at + 2);
  const op = operators.find((candidate) => rest.startsWith(candidate));
  if (!op) throw cursor.at >= source.length ? unterminated(cursor, 'substitution') : bad();
  cursor.at += op.length;
  const quoted = q && !'##%%//'.includes(op);
  const until = (stop: string): Word => readWord(cursor, nested, (char) => char === '}' || char === stop, quoted);
  const arg = until(op.startsWith('/') ? '/' : op === ':' ? ':' : '}');
  let arg2: Word | undefined;
  if ((op.startsWith('/') || op === ':') && source[cursor.at] !== '}') {
    cursor.at++;
    arg2 = until('}');
  }
  close();
  return { ...base, op, arg, ...(arg2 ? { arg2 } : {}) };
}
