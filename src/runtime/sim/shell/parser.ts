import type { AndOr, Assignment, Command, CondToken, Pipeline, Redirect, Script, Word } from './ast.ts';
import {
  type Cursor,
  readArithmeticBody,
  readDouble,
  readWord,
  ShellSyntaxError,
  unterminated,
} from './word-parser.ts';

/** Bash's own additions are off where the shell is not bash. */
export type Dialect = 'ash' | 'dash' | 'bash';

interface PendingHeredoc {
  readonly delimiter: string;
  readonly quoted: boolean;
  readonly strip: boolean;
  readonly fill: (body: Word) => void;
}

const reserved = new Set([
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'do',
  'done',
  'case',
  'esac',
  'while',
  'until',
  'for',
  '{',
  '}',
  '!',
  '[[',
  'function',
]);
const redirect = /^(\d*)(<<<|<<-|<<|<&|<>|>>|>&|>\||<|>)|^(&>>|&>)/;
const meta = (char: string, cursor: Cursor): boolean =>
  ' \t\n;|()'.includes(char) ||
  char === '&' ||
  ((char === '<' || char === '>') && cursor.source[cursor.at + 1] !== '(') ||
  false;

/** Parses a whole script. Throws ShellSyntaxError. */
export function parseScript(source: string, dialect: Dialect, line = 1): Script {
  return new Parser({ source, at: 0, line }, dialect).script();
}

class Parser {
  private readonly cursor: Cursor;
  private readonly dialect: Dialect;
  private heredocs: PendingHeredoc[] = [];

  constructor(cursor: Cursor, dialect: Dialect) {
    this.cursor = cursor;
    this.dialect = dialect;
  }

  script(): Script {
    const body = this.list(() => false);
    if (this.cursor.at < this.cursor.source.length) throw this.unexpected();
    return body;
  }

  private readonly nested = (cursor: Cursor, end: ')' | '`'): Script => {
    const parser = new Parser(cursor, this.dialect);
    if (end === '`') return parser.script();
    const body = parser.list(() => cursor.source[cursor.at] === ')');
    if (cursor.source[cursor.at] !== ')') throw unterminated(cursor, 'command substitution');
    cursor.at++;
    return body;
  };

  private unexpected(expecting?: string): ShellSyntaxError {
    const { source, at, line } = this.cursor;
    const rest = source.slice(at);
    const token = /^(?:&&|\|\||;;|[\n;&|()<>]|[^\s;&|()<>]+)/.exec(rest)?.[0];
    const shown = token === '\n' ? 'newline' : token;
    const hint = this.dialect === 'bash' || expecting === undefined ? '' : ` (expecting "${expecting}")`;
    if (shown === undefined)
      return new ShellSyntaxError(
        this.dialect === 'ash'
          ? `syntax error: unexpected end of file${hint}`
          : this.dialect === 'bash'
            ? 'syntax error: unexpected end of file'
            : `Syntax error: end of file unexpected${hint}`,
        line,
        true,
      );
    const text =
      this.dialect === 'bash'
        ? `syntax error near unexpected token \`${shown}'`
        : this.dialect === 'dash'
          ? `Syntax error: ${/^\W/.test(shown) ? `"${shown}"` : shown.length > 0 && reserved.has(shown) ? `"${shown}"` : 'word'} unexpected`
          : `syntax error: unexpected ${/^\W/.test(shown) || reserved.has(shown) ? `"${shown}"` : 'word'}${hint}`;
    return new ShellSyntaxError(text, line);
  }

  private blank(): void {
    const { cursor } = this;
    for (;;) {
      const char = cursor.source[cursor.at];
      if (char === ' ' || char === '\t') cursor.at++;
      else if (char === '\\' && cursor.source[cursor.at + 1] === '\n') {
        cursor.at += 2;
        cursor.line++;
      } else if (char === '#')
        while (cursor.at < cursor.source.length && cursor.source[cursor.at] !== '\n') cursor.at++;
      else return;
    }
  }

  private newlines(): void {
    for (;;) {
      this.blank();
      if (this.cursor.source[this.cursor.at] !== '\n') return;
      this.newline();
    }
  }

  private newline(): void {
    const { cursor } = this;
    cursor.at++;
    cursor.line++;
    const pending = this.heredocs;
    this.heredocs = [];
    for (const doc of pending) {
      let body = '';
      for (;;) {
        if (cursor.at >= cursor.source.length) break;
        let end = cursor.source.indexOf('\n', cursor.at);
        if (end < 0) end = cursor.source.length;
        let line = cursor.source.slice(cursor.at, end);
        if (doc.strip) line = line.replace(/^\t+/, '');
        cursor.at = Math.min(end + 1, cursor.source.length);
        cursor.line++;
        if (line === doc.delimiter) break;
        body += `${line}\n`;
      }
      doc.fill(
        doc.quoted
          ? [{ t: 'lit', v: body, q: true }]
          : readDouble({ source: body, at: 0, line: cursor.line }, this.nested, () => false, true),
      );
    }
  }

  private list(stop: () => boolean): Script {
    const out: AndOr[] = [];
    for (;;) {
      this.newlines();
      if (this.cursor.at >= this.cursor.source.length || stop() || this.peekEnd()) break;
      const first = this.pipeline();
      const rest: { op: '&&' | '||'; pipeline: Pipeline }[] = [];
      for (;;) {
        this.blank();
        const op = this.cursor.source.slice(this.cursor.at, this.cursor.at + 2);
        if (op !== '&&' && op !== '||') break;
        this.cursor.at += 2;
        this.newlines();
        rest.push({ op, pipeline: this.pipeline() });
      }
      this.blank();
      const char = this.cursor.source[this.cursor.at];
      const background = char === '&';
      out.push({ first, rest, background });
      if (background || (char === ';' && this.cursor.source[this.cursor.at + 1] !== ';')) this.cursor.at++;
      else if (char === '\n') this.newline();
      else break;
    }
    if (this.heredocs.length > 0 && this.cursor.at >= this.cursor.source.length) this.newline();
    return out;
  }

  /** At a word that only ends lists: then, fi, done, }, ;; … */
  private peekEnd(): boolean {
    const rest = this.cursor.source.slice(this.cursor.at, this.cursor.at + 6);
    if (rest.startsWith(')') || rest.startsWith(';;') || rest.startsWith(';&')) return true;
    const word = /^(?:then|else|elif|fi|do|done|esac|\})(?![^\s;&|()<>])/.exec(rest)?.[0];
    return word !== undefined;
  }

  private pipeline(): Pipeline {
    let negate = false;
    for (;;) {
      this.blank();
      if (!this.isWord('!')) break;
      this.cursor.at++;
      negate = !negate;
    }
    const commands = [this.command()];
    for (;;) {
      this.blank();
      const { source, at } = this.cursor;
      if (source[at] !== '|' || source[at + 1] === '|') break;
      this.cursor.at++;
      if (source[at + 1] === '&') {
        this.cursor.at++;
        const last = commands[commands.length - 1] as Command;
        const both: Redirect = { fd: 2, op: '>&', target: [{ t: 'lit', v: '1', q: false }] };
        commands[commands.length - 1] = { ...last, redirs: [...last.redirs, both] };
      }
      this.newlines();
      commands.push(this.command());
    }
    return { negate, commands };
  }

  private isWord(word: string): boolean {
    const { source, at } = this.cursor;
    if (!source.startsWith(word, at)) return false;
    const next = source[at + word.length];
    return next === undefined || /[\s;&|()<>]/.test(next);
  }

  private take(word: string): boolean {
    this.newlines();
    if (!this.isWord(word)) return false;
    this.cursor.at += word.length;
    return true;
  }

  private expect(word: string): void {
    if (!this.take(word)) throw this.unexpected(word);
  }

  private body(...ends: readonly string[]): Script {
    const list = this.list(() => ends.some((end) => this.isWord(end)));
    if (list.length === 0) throw this.unexpected();
    return list;
  }

  private command(): Command {
    this.blank();
    const { cursor } = this;
    const { source } = cursor;
    if (source[cursor.at] === '(') {
      if (source[cursor.at + 1] === '(' && this.dialect !== 'dash') {
        const saved = { at: cursor.at, line: cursor.line };
        cursor.at += 2;
        const expr = readArithmeticBody(cursor, this.nested);
        if (expr) return { t: 'arith', expr, redirs: this.redirects() };
        Object.assign(cursor, saved);
      }
      cursor.at++;
      const body = this.nested(cursor, ')');
      return { t: 'subshell', body, redirs: this.redirects() };
    }
    const keyword = ['if', 'while', 'until', 'for', 'case', '{', '[[', 'function'].find((word) => this.isWord(word));
    if (keyword === '[[' && this.dialect === 'dash') return this.simple();
    if (keyword === 'function' && this.dialect === 'dash') return this.simple();
    if (!keyword) return this.simple();
    cursor.at += keyword.length;
    switch (keyword) {
      case 'if':
        return this.ifClause();
      case 'while':
      case 'until': {
        const test = this.body('do');
        this.expect('do');
        const body = this.body('done');
        this.expect('done');
        return { t: 'while', until: keyword === 'until', test, body, redirs: this.redirects() };
      }
      case 'for':
        return this.forClause();
      case 'case':
        return this.caseClause();
      case '[[':
        return this.condition();
      case 'function': {
        this.blank();
        const name = this.plainWord();
        this.blank();
        if (source.startsWith('()', cursor.at)) cursor.at += 2;
        this.newlines();
        return { t: 'function', name, body: this.command(), redirs: [] };
      }
      default: {
        const body = this.body('}');
        this.expect('}');
        return { t: 'group', body, redirs: this.redirects() };
      }
    }
  }

  private ifClause(): Command {
    const arms: { test: Script; body: Script }[] = [];
    for (;;) {
      const test = this.body('then');
      this.expect('then');
      arms.push({ test, body: this.body('elif', 'else', 'fi') });
      if (this.take('elif')) continue;
      const otherwise = this.take('else') ? this.body('fi') : undefined;
      this.expect('fi');
      return { t: 'if', arms, otherwise, redirs: this.redirects() };
    }
  }

  private loopBody(): Script {
    this.newlines();
    if (this.cursor.source[this.cursor.at] === ';') this.cursor.at++;
    if (this.take('{')) {
      const body = this.body('}');
      this.expect('}');
      return body;
    }
    this.expect('do');
    const body = this.body('done');
    this.expect('done');
    return body;
  }

  private forClause(): Command {
    this.blank();
    const { cursor } = this;
    if (cursor.source.startsWith('((', cursor.at)) {
      cursor.at += 2;
      const end = cursor.source.indexOf('))', cursor.at);
      if (end < 0) throw unterminated(cursor, 'for');
      const parts = cursor.source.slice(cursor.at, end).split(';');
      cursor.at = end + 2;
      const word = (text = ''): Word =>
        readDouble({ source: text.trim(), at: 0, line: cursor.line }, this.nested, () => false);
      return {
        t: 'cfor',
        parts: [word(parts[0]), word(parts[1]), word(parts[2])],
        body: this.loopBody(),
        redirs: this.redirects(),
      };
    }
    const name = this.plainWord();
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new ShellSyntaxError(
        this.dialect === 'ash' ? 'syntax error: bad for loop variable' : 'Syntax error: Bad for loop variable',
        cursor.line,
      );
    let words: Word[] | undefined;
    if (this.take('in')) {
      words = [];
      for (;;) {
        this.blank();
        const char = cursor.source[cursor.at];
        if (char === undefined || char === ';' || char === '\n') break;
        if (meta(char, cursor)) throw this.unexpected();
        words.push(readWord(cursor, this.nested, meta));
      }
    }
    return { t: 'for', name, words, body: this.loopBody(), redirs: this.redirects() };
  }

  private caseClause(): Command {
    this.blank();
    const word = readWord(this.cursor, this.nested, meta);
    this.expect('in');
    const arms: { patterns: Word[]; body: Script; end: ';;' | ';&' | ';;&' }[] = [];
    for (;;) {
      this.newlines();
      if (this.take('esac')) break;
      if (this.cursor.source[this.cursor.at] === '(') this.cursor.at++;
      const patterns: Word[] = [];
      for (;;) {
        this.blank();
        const pattern = readWord(this.cursor, this.nested, meta);
        if (pattern.length === 0) throw this.unexpected();
        patterns.push(pattern);
        this.blank();
        const char = this.cursor.source[this.cursor.at++];
        if (char === ')') break;
        if (char !== '|') {
          this.cursor.at--;
          throw this.unexpected();
        }
      }
      const body = this.list(() => this.isWord('esac'));
      this.newlines();
      const end = ([';;&', ';;', ';&'] as const).find((text) => this.cursor.source.startsWith(text, this.cursor.at));
      arms.push({ patterns, body, end: end ?? ';;' });
      if (end) this.cursor.at += end.length;
      else {
        if (!this.take('esac')) throw this.unexpected(';;');
        break;
      }
    }
    return { t: 'case', word, arms, redirs: this.redirects() };
  }

  private condition(): Command {
    const words: CondToken[] = [];
    const { cursor } = this;
    for (;;) {
      this.newlines();
      const rest = cursor.source.slice(cursor.at, cursor.at + 3);
      if (rest === '') throw unterminated(cursor, '[[');
      if (this.isWord(']]')) {
        cursor.at += 2;
        break;
      }
      const op = ['&&', '||', '(', ')', '<', '>'].find((text) => rest.startsWith(text));
      const last = words[words.length - 1];
      const regex = last && 'op' in last && last.op === '=~';
      if (op && !regex) {
        cursor.at += op.length;
        words.push({ op });
        continue;
      }
      const word = readWord(
        cursor,
        this.nested,
        (char) => ' \t\n'.includes(char) || (!regex && ';&|()<>'.includes(char)),
      );
      const only = word[0];
      if (word.length === 1 && only?.t === 'lit' && !only.q && /^(=~|==?|!=|!|-[a-zA-Z]{1,2})$/.test(only.v))
        words.push({ op: only.v });
      else words.push({ word });
    }
    return { t: 'cond', words, redirs: this.redirects() };
  }

  private plainWord(): string {
    const word = readWord(this.cursor, this.nested, meta);
    return word.map((part) => (part.t === 'lit' ? part.v : '')).join('');
  }

  private redirects(): readonly Redirect[] {
    const out: Redirect[] = [];
    for (;;) {
      this.blank();
      const found = this.redirect();
      if (!found) return out;
      out.push(found);
    }
  }

  private redirect(): Redirect | undefined {
    const { cursor } = this;
    const match = redirect.exec(cursor.source.slice(cursor.at, cursor.at + 16));
    if (!match) return undefined;
    const text = match[2] ?? match[3] ?? '';
    if ((text === '<' || text === '>') && cursor.source[cursor.at + match[0].length] === '(' && !match[1])
      return undefined;
    if (match[3] && this.dialect === 'dash') return undefined;
    cursor.at += match[0].length;
    this.blank();
    const fd = match[1] ? Number(match[1]) : undefined;
    const target = readWord(cursor, this.nested, meta);
    if (target.length === 0) throw this.unexpected();
    if (text !== '<<' && text !== '<<-') return { fd, op: text as Redirect['op'], target };
    const quoted = target.some((part) => part.t === 'lit' && part.q);
    const delimiter = target.map((part) => (part.t === 'lit' ? part.v : '')).join('');
    const doc: { fd: number | undefined; op: '<<'; target: Word } = { fd, op: '<<', target: [] };
    const fill = (body: Word): void => {
      doc.target = body;
    };
    this.heredocs.push({ delimiter, quoted, strip: text === '<<-', fill });
    return doc;
  }

  private simple(): Command {
    const { cursor } = this;
    const line = cursor.line;
    const assigns: Assignment[] = [];
    const words: Word[] = [];
    const redirs: Redirect[] = [];
    for (;;) {
      this.blank();
      const char = cursor.source[cursor.at];
      if (char === undefined) break;
      const redirection = this.redirect();
      if (redirection) {
        redirs.push(redirection);
        continue;
      }
      if (meta(char, cursor)) {
        if (char !== '(' || words.length !== 1 || assigns.length > 0) break;
        return this.functionDefinition(words[0] as Word);
      }
      const assignment = words.length === 0 || this.declares(words) ? this.assignment() : undefined;
      if (assignment && words.length === 0) assigns.push(assignment);
      else if (assignment) words.push(this.asWord(assignment));
      else words.push(readWord(cursor, this.nested, meta));
    }
    if (words.length === 0 && assigns.length === 0 && redirs.length === 0) throw this.unexpected();
    return { t: 'simple', assigns, words, redirs, line };
  }

  /** export A=$b, local A=$b: the value is not split. */
  private declares(words: readonly Word[]): boolean {
    const first = words[0]?.[0];
    return words[0]?.length === 1 && first?.t === 'lit' && /^(export|local|readonly|declare|typeset)$/.test(first.v);
  }

  private asWord(assignment: Assignment): Word {
    const quote = (part: Word[number]): Word[number] => (part.t === 'proc' ? part : { ...part, q: true });
    return [
      { t: 'lit', v: `${assignment.name}${assignment.append ? '+' : ''}=`, q: true },
      ...assignment.value.map(quote),
    ];
  }

  private assignment(): Assignment | undefined {
    const { cursor } = this;
    const match = /^([A-Za-z_]\w*)(\[[^\]\n]*\])?(\+?)=/.exec(cursor.source.slice(cursor.at, cursor.at + 512));
    if (!match || (match[2] && this.dialect === 'dash')) return undefined;
    cursor.at += match[0].length;
    const name = match[1] ?? '';
    const append = match[3] === '+';
    const inner = match[2]?.slice(1, -1);
    const index =
      inner === undefined
        ? undefined
        : readDouble({ source: inner, at: 0, line: cursor.line }, this.nested, () => false);
    if (cursor.source[cursor.at] === '(' && this.dialect !== 'dash') {
      cursor.at++;
      const array: Word[] = [];
      for (;;) {
        this.newlines();
        if (cursor.source[cursor.at] === ')') break;
        if (cursor.at >= cursor.source.length) throw unterminated(cursor, 'array');
        array.push(readWord(cursor, this.nested, meta));
      }
      cursor.at++;
      return { name, append, value: [], array };
    }
    return { name, append, value: readWord(cursor, this.nested, meta), ...(index ? { index } : {}) };
  }

  private functionDefinition(word: Word): Command {
    const name = word.map((part) => (part.t === 'lit' && !part.q ? part.v : '')).join('');
    this.cursor.at++;
    this.blank();
    if (this.cursor.source[this.cursor.at] !== ')' || name === '') throw this.unexpected();
    this.cursor.at++;
    this.newlines();
    return { t: 'function', name, body: this.command(), redirs: [] };
  }
}
