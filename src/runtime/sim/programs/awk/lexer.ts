import { Failure } from '../applet.ts';

export type Token =
  | { readonly t: 'number'; readonly value: number }
  | { readonly t: 'string' | 'regex' | 'name' | 'call' | 'keyword' | 'op'; readonly text: string }
  | { readonly t: 'newline' | 'end' };

export const keywords = new Set([
  'BEGIN',
  'END',
  'function',
  'func',
  'if',
  'else',
  'while',
  'for',
  'do',
  'break',
  'continue',
  'next',
  'nextfile',
  'exit',
  'return',
  'delete',
  'in',
  'getline',
  'print',
  'printf',
]);

const operators = [
  '&&',
  '||',
  '++',
  '--',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '^=',
  '**=',
  '**',
  '==',
  '!=',
  '<=',
  '>=',
  '>>',
  '!~',
];
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  '\\': '\\',
  '/': '/',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Reads backslash escapes of a string literal. */
export const unescapeString = (text: string): string =>
  text.replace(/\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|[\s\S])/g, (_all, code: string) =>
    /^[0-7]/.test(code)
      ? String.fromCharCode(Number.parseInt(code, 8))
      : /^x./.test(code)
        ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
        : (escapes[code] ?? `\\${code}`),
  );

/** Splits an awk program. A slash begins a regular expression where no value stands before it. */
export function lex(source: string): readonly Token[] {
  const out: Token[] = [];
  const valueBefore = (): boolean => {
    const last = out.at(-1);
    if (!last) return false;
    if (last.t === 'number' || last.t === 'string' || last.t === 'name' || last.t === 'regex') return true;
    return (
      (last.t === 'op' && [')', ']', '$', '++', '--'].includes(last.text)) ||
      (last.t === 'keyword' && last.text === 'getline')
    );
  };
  for (let i = 0; i < source.length; ) {
    const rest = source.slice(i);
    const char = source[i] ?? '';
    const number = /^(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/.exec(rest);
    const word = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    if (char === '\n') {
      out.push({ t: 'newline' });
      i++;
    } else if (/\s/.test(char)) i++;
    else if (char === '\\' && source[i + 1] === '\n') i += 2;
    else if (char === '#') while (i < source.length && source[i] !== '\n') i++;
    else if (char === '"') {
      const match = /^"((?:[^"\\\n]|\\[\s\S])*)"/.exec(rest);
      if (!match)
        throw new Failure(
          'cmd. line:1: Unterminated string'.replace('Unterminated string', 'Unexpected end of string'),
        );
      out.push({ t: 'string', text: unescapeString((match[1] ?? '').replace(/\\\n/g, '')) });
      i += match[0].length;
    } else if (char === '/' && !valueBefore()) {
      const match = /^\/((?:[^/\\\n[]|\\.|\[\^?\]?(?:[^\]\\]|\\.|\[:\w+:\])*\])*)\//.exec(rest);
      if (!match) throw new Failure('cmd. line:1: Unexpected token');
      out.push({ t: 'regex', text: (match[1] ?? '').replace(/\\\//g, '/') });
      i += match[0].length;
    } else if (number) {
      out.push({ t: 'number', value: Number(number[0]) });
      i += number[0].length;
    } else if (word !== undefined) {
      i += word.length;
      out.push(
        keywords.has(word) ? { t: 'keyword', text: word } : { t: source[i] === '(' ? 'call' : 'name', text: word },
      );
    } else {
      const op = operators.filter((one) => rest.startsWith(one)).sort((a, b) => b.length - a.length)[0] ?? char;
      if (!/^[-+*/%^!<>|?:~,;(){}[\]$=&]/.test(op)) throw new Failure(`cmd. line:1: Unexpected token`);
      out.push({ t: 'op', text: op });
      i += op.length;
    }
  }
  out.push({ t: 'end' });
  return out;
}
