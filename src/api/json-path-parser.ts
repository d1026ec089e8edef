/**
 * kubectl's JSONPath templates: `{.items[*].metadata.name}`, `{range .items[*]}{.metadata.name}{"\n"}{end}`, filters
 * `[?(@.type=="Ready")]`, slices, unions, `..`. After k8s.io/client-go/util/jsonpath.
 */

/** The template cannot be read or does not fit the data. The message is upstream's. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

export type Step =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'literal'; readonly value: number | boolean }
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'identifier'; readonly name: string }
  | { readonly type: 'wildcard' }
  | { readonly type: 'recursive' }
  | {
      readonly type: 'slice';
      readonly from?: number;
      readonly to?: number;
      readonly derived: boolean;
      readonly step?: number;
    }
  | { readonly type: 'union'; readonly paths: readonly (readonly Step[])[] }
  | {
      readonly type: 'filter';
      readonly left: readonly Step[];
      readonly operator: string;
      readonly right: readonly Step[];
    };

/** A read template: plain text and the actions between braces. */
export interface JsonPath {
  readonly parts: readonly (readonly Step[])[];
}

/** Throws `JsonPathError`. */
export const fail = (message: string): never => {
  throw new JsonPathError(message);
};
const terminators = ' \t\r\n.,[]$@{}';
const isWord = (char: string): boolean => /[\p{L}\p{N}_]/u.test(char);

function unquote(quoted: string): string {
  const quote = quoted.charAt(0);
  const inner = quoted.slice(1, -1);
  if (!inner.includes('\\')) return inner;
  return inner.replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{3}|.)/gs, (_, code: string) => {
    const simple: Readonly<Record<string, string>> = {
      n: '\n',
      t: '\t',
      r: '\r',
      '\\': '\\',
      a: '\x07',
      b: '\b',
      f: '\f',
      v: '\v',
      [quote]: quote,
    };
    const plain = Object.hasOwn(simple, code) ? simple[code] : undefined;
    if (plain !== undefined) return plain;
    if (/^[ux]/.test(code) && code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]{3}$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    return fail(`unquote string ${quoted} error invalid syntax`);
  });
}

function readSlice(text: string): Step {
  const match = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text);
  if (!match) return fail(`invalid array index ${text}`);
  const number = (part: string | undefined): number | undefined => {
    if (part === undefined || part === '') return undefined;
    const value = Number(part);
    return Number.isInteger(value) ? value : fail(`array index ${part} is not a number`);
  };
  const from = number(match[1]);
  const derived = match[2] === undefined;
  const to = derived ? (from ?? 0) + 1 : number(match[2]?.slice(1));
  const step = number(match[3]?.slice(1));
  return {
    type: 'slice',
    derived,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(step !== undefined && { step }),
  };
}

/** Reads the inside of one pair of braces, beginning at `start`; gives the steps and where the closing brace stands. */
function readAction(input: string, start: number, depth: number): { readonly steps: Step[]; readonly end: number } {
  if (depth > 32) fail('jsonpath is nested too deeply');
  const steps: Step[] = [];
  let at = start;
  const inner = (text: string): readonly Step[] => readAction(`${text}}`, 0, depth + 1).steps;
  const word = (): string => {
    const from = at;
    while (at < input.length && !terminators.includes(input.charAt(at))) at += input.charAt(at) === '\\' ? 2 : 1;
    return input.slice(from, at);
  };
  const field = (): void => {
    const name = word();
    steps.push(name === '*' ? { type: 'wildcard' } : { type: 'field', name: name.replaceAll('\\', '') });
  };
  for (;;) {
    const char = input.charAt(at);
    if (input.startsWith('[?(', at)) {
      at = readFilter(input, at, steps, inner);
    } else if (input.startsWith('..', at)) {
      if (steps.at(-1)?.type === 'recursive') fail('invalid multiple recursive descent');
      steps.push({ type: 'recursive' });
      at += 2;
      if (isWord(input.charAt(at))) field();
    } else if (char === '}') return { steps, end: at };
    else if (char === '' || char === '\n' || char === '\r') return fail('unclosed action');
    else if (char === ' ' || char === '@' || char === '$') at++;
    else if (char === '[') {
      const close = input.indexOf(']', at);
      if (close < 0 || input.slice(at, close).includes('\n')) return fail('unterminated array');
      const text = input.slice(at + 1, close);
      at = close + 1;
      const parts = text.split(',');
      const key = /^'([^']*)'$/.exec(text);
      if (parts.length > 1) steps.push({ type: 'union', paths: parts.map((part) => inner(`[${part.trim()}]`)) });
      else if (key) steps.push(...inner(`.${key[1] ?? ''}`));
      else steps.push(readSlice(text === '*' ? ':' : text));
    } else if (char === '"' || char === "'") {
      const from = at++;
      while (at < input.length && input.charAt(at) !== char) {
        if (input.charAt(at) === '\n') return fail('unterminated quoted string');
        at += input.charAt(at) === '\\' ? 2 : 1;
      }
      if (at >= input.length) return fail('unterminated quoted string');
      at++;
      steps.push({ type: 'text', text: unquote(input.slice(from, at)) });
    } else if (char === '.') {
      at++;
      field();
    } else if (/[-+\d]/.test(char)) {
      const text = /^[-+]?[\d.]*/.exec(input.slice(at, at + 64))?.[0] ?? '';
      const value = Number(text);
      if (text === '' || Number.isNaN(value) || !/\d/.test(text)) return fail(`cannot parse number ${text}`);
      at += text.length;
      steps.push({ type: 'literal', value });
    } else if (isWord(char)) {
      const name = word();
      steps.push(
        name === 'true' || name === 'false'
          ? { type: 'literal', value: name === 'true' }
          : { type: 'identifier', name },
      );
    } else {
      const code = (input.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      return fail(`unrecognized character in action: U+${code} '${String.fromCodePoint(input.codePointAt(at) ?? 0)}'`);
    }
  }
}

function readFilter(input: string, start: number, steps: Step[], inner: (text: string) => readonly Step[]): number {
  let at = start + 3;
  let quote = '';
  let closed = false;
  for (; ; at++) {
    const char = input.charAt(at);
    if (char === '' || char === '\n') return fail('unterminated filter');
    if (char === '"' || char === "'") {
      if (quote === '') quote = char;
      else if (char === quote && input.charAt(at - 1) !== '\\') closed = true;
    } else if (char === ')' && (quote === '' || closed)) break;
  }
  if (input.charAt(at + 1) !== ']') return fail('unclosed array expect ]');
  const text = input.slice(start + 3, at);
  const match = /^([^!<>=]+)([!<>=~]+)(.+?)$/.exec(text);
  steps.push(
    match
      ? { type: 'filter', left: inner(match[1] ?? ''), operator: match[2] ?? '', right: inner(match[3] ?? '') }
      : { type: 'filter', left: inner(text), operator: 'exists', right: [] },
  );
  return at + 2;
}

/** Reads a template. Throws `JsonPathError`. */
export function parseJsonPath(template: string): JsonPath {
  const parts: (readonly Step[])[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const text = template.slice(at, open < 0 ? template.length : open);
    if (text !== '') parts.push([{ type: 'text', text }]);
    if (open < 0) break;
    const { steps, end } = readAction(template, open + 1, 0);
    parts.push(steps);
    at = end + 1;
  }
  return { parts };
}

/** kubectl's leniency: `.spec.x`, `spec.x` and `{.spec.x}` are the same (get.RelaxedJSONPathExpression). Throws `JsonPathError`. */
export function relaxedJsonPath(expression: string): string {
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(expression);
  if (!match) {
    return fail(
      `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
    );
  }
  return `{.${match[1] ?? match[2] ?? ''}}`;
}
