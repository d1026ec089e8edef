import { Failure } from '../applet.ts';

const classes: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  cntrl: '\\x00-\\x1f\\x7f',
  print: '\\x20-\\x7e',
  graph: '\\x21-\\x7e',
};

/** A JavaScript expression of the same meaning as a POSIX basic or extended one (regex(7)), with GNU's \w \b \< \+ \?. */
export function posixSource(pattern: string, extended: boolean): string {
  let out = '';
  let start: boolean = true;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? '';
    const atStart: boolean = start;
    start = false;
    if (char === '[') {
      const { source, end } = bracket(pattern, i);
      out += source;
      i = end;
    } else if (char === '\\') {
      const next = pattern[++i];
      if (next === undefined) throw new Failure('Trailing backslash', 2);
      if (next === '<') out += '\\b(?=\\w)';
      else if (next === '>') out += '\\b(?<=\\w)';
      else if (next === '`') out += '^';
      else if (next === "'") out += '$';
      else if (/[wWsSbB1-9]/.test(next)) out += `\\${next}`;
      else if (!extended && '(){}+?|'.includes(next)) {
        out += next;
        start = next === '(' || next === '|';
      } else if (next === 'n') out += '\\n';
      else if (next === 't') out += '\\t';
      else out += quoted(next);
    } else if (char === '*') {
      out += atStart && !extended ? '\\*' : '*';
      if (atStart && extended) out = out.slice(0, -1);
    } else if (char === '^') {
      const anchor: boolean = extended || atStart;
      out += anchor ? '^' : '\\^';
      start = anchor;
    } else if (char === '$') {
      const rest = pattern.slice(i + 1);
      out += extended || rest === '' || /^\\[)|]/.test(rest) ? '$' : '\\$';
    } else if (extended && '(|'.includes(char)) {
      out += char;
      start = true;
    } else if (extended && char === '{') out += /^\{\d*,?\d*\}/.test(pattern.slice(i)) ? '{' : '\\{';
    else if (extended && ')+?}'.includes(char)) out += char === '}' && !/\{[\d,]*$/.test(out) ? '\\}' : char;
    else if (char === '.') out += '.';
    else out += quoted(char);
  }
  return out.replace(/\{,(\d+)\}/g, '{0,$1}');
}

const quoted = (char: string): string => (/[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char);

function bracket(pattern: string, from: number): { source: string; end: number } {
  let i = from + 1;
  let body = '';
  const negated = pattern[i] === '^';
  if (negated) i++;
  for (let first = true; ; first = false) {
    const char = pattern[i];
    if (char === undefined) throw new Failure('Unmatched [, [^, [:, [., or [=', 2);
    if (char === ']' && !first) break;
    const named = /^\[:(\w+):\]/.exec(pattern.slice(i));
    if (named) {
      body += classes[named[1] ?? ''] ?? '';
      i += named[0].length;
      continue;
    }
    // Within brackets a backslash is itself; sed and awk give \n, \t and \] a meaning.
    if (char === '\\' && /[nt\\\]/]/.test(pattern[i + 1] ?? '')) {
      body += `\\${pattern[i + 1]}`;
      i += 2;
      continue;
    }
    body += /[\\\]^[]/.test(char) ? `\\${char}` : char;
    i++;
  }
  return { source: `[${negated ? '^' : ''}${body}]`, end: i };
}

/** Compiles; a malformed expression fails with the C library's text. */
export function posixRegex(pattern: string, extended: boolean, flags = ''): RegExp {
  try {
    return new RegExp(posixSource(pattern, extended), `s${flags}`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const text = error instanceof Error ? error.message : '';
    const why = /parenthes|group/i.test(text)
      ? 'Unmatched ( or \\('
      : /repeat|quantifier/i.test(text)
        ? 'Invalid preceding regular expression'
        : /range/i.test(text)
          ? 'Invalid range end'
          : /reference/i.test(text)
            ? 'Invalid back reference'
            : 'Invalid regular expression';
    throw new Failure(why, 2);
  }
}

export const literalSource = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
