import { type Applet, Failure } from '../applet.ts';
import { posixRegex } from '../text/regex.ts';
import type { AwkProgram, Expression } from './ast.ts';
import { callBuiltin } from './functions.ts';
import type { AwkIo } from './io.ts';
import { isTrue, looksNumeric, Strnum, toNumber, toText, type Value } from './values.ts';

export type AwkArray = Map<string, Value>;

/** A running program: variables, the record, the way in and out. */
export interface Machine {
  readonly a: Applet;
  readonly program: AwkProgram;
  readonly io: AwkIo;
  readonly globals: Map<string, Value | AwkArray>;
  readonly frames: Map<string, Value | AwkArray | undefined>[];
  fields: string[];
  /** Whether $0 has to be put together again from the fields. */
  stale: boolean;
  record: string;
  seed: number;
  steps: number;
  callFunction(name: string, args: readonly Expression[]): Promise<Value>;
}

const caches = new Map<string, RegExp>();

/** A compiled expression; dynamic ones are kept, up to a bound. */
export function regexOf(source: string): RegExp {
  let regex = caches.get(source);
  if (!regex) {
    if (caches.size > 200) caches.clear();
    regex = posixRegex(source, true);
    caches.set(source, regex);
  }
  return regex;
}

export function setRecord(m: Machine, text: string): void {
  m.record = text;
  m.stale = false;
  m.fields = splitText(m, text, textOf(m, 'FS'));
  m.globals.set('NF', m.fields.length);
}

/** Splits as FS does: blanks, one character, a tab, or an expression. */
export function splitText(_m: Machine, text: string, separator: string): string[] {
  if (text === '') return [];
  if (separator === ' ') return text.trim() === '' ? [] : text.trim().split(/\s+/);
  if (separator === '') return [...text];
  if (separator.length === 1 && separator !== '\\') return text.split(separator);
  return text.split(new RegExp(regexOf(separator).source.replace(/\((?!\?)/g, '(?:')));
}

export function scope(m: Machine, name: string): Map<string, Value | AwkArray | undefined> {
  const frame = m.frames.at(-1);
  return frame?.has(name) ? frame : (m.globals as Map<string, Value | AwkArray | undefined>);
}

export function arrayOf(m: Machine, name: string): AwkArray {
  const home = scope(m, name);
  const value = home.get(name);
  if (value instanceof Map) return value;
  if (value !== undefined)
    throw new Failure('cmd. line:1: Not an array'.replace('Not an array', 'scalar used as array'));
  const made: AwkArray = new Map();
  home.set(name, made);
  return made;
}

export function textOf(m: Machine, name: string): string {
  const value = m.globals.get(name);
  return value === undefined || value instanceof Map ? '' : toText(value);
}

function rebuild(m: Machine): string {
  if (m.stale) {
    m.record = m.fields.join(textOf(m, 'OFS'));
    m.stale = false;
  }
  return m.record;
}

export function fieldOf(m: Machine, index: number): Value {
  if (index < 0) throw new Failure('Access to negative field'.replace(/^/, 'cmd. line:1: '));
  if (index === 0) return new Strnum(rebuild(m));
  const text = m.fields[index - 1];
  return text === undefined ? '' : new Strnum(text);
}

function setField(m: Machine, index: number, value: Value): void {
  if (index === 0) {
    setRecord(m, toText(value));
    return;
  }
  if (index > 100_000) throw new Failure('field index too large');
  while (m.fields.length < index) m.fields.push('');
  m.fields[index - 1] = toText(value, textOf(m, 'CONVFMT'));
  m.stale = true;
  m.globals.set('NF', m.fields.length);
}

/** Assigns to a variable, field or item. */
export async function assign(m: Machine, to: Expression, value: Value): Promise<void> {
  if (to.t === 'field') setField(m, toNumber(await evaluate(m, to.of)), value);
  else if (to.t === 'item') arrayOf(m, to.name).set(await subscript(m, to.index), value);
  else if (to.t === 'name') {
    const home = scope(m, to.name);
    if (home.get(to.name) instanceof Map) throw new Failure('cmd. line:1: array used as scalar');
    home.set(to.name, value);
    if (to.name === 'NF' && home === (m.globals as unknown)) {
      const count = Math.max(0, Math.min(100_000, Math.trunc(toNumber(value))));
      while (m.fields.length < count) m.fields.push('');
      m.fields.length = count;
      m.stale = true;
    }
  } else if (to.t === 'group' && to.items[0]) await assign(m, to.items[0], value);
}

export async function subscript(m: Machine, index: readonly Expression[]): Promise<string> {
  const parts: string[] = [];
  for (const one of index) {
    if (one.t === 'group' && one.items.length > 1)
      for (const item of one.items) parts.push(toText(await evaluate(m, item), textOf(m, 'CONVFMT')));
    else parts.push(toText(await evaluate(m, one), textOf(m, 'CONVFMT')));
  }
  return parts.join(textOf(m, 'SUBSEP'));
}

/** An expression as a regular expression: a literal as it stands, anything else by its text. */
export async function asRegex(m: Machine, expression: Expression): Promise<RegExp> {
  return regexOf(expression.t === 'regex' ? expression.source : toText(await evaluate(m, expression)));
}

export async function evaluate(m: Machine, e: Expression): Promise<Value> {
  if ((++m.steps & 127) === 0) {
    const wait = m.a.p.work(64);
    if (wait) await wait;
  }
  switch (e.t) {
    case 'number':
      return e.value;
    case 'string':
      return e.text;
    case 'regex':
      return regexOf(e.source).test(rebuild(m)) ? 1 : 0;
    case 'name': {
      const value = scope(m, e.name).get(e.name);
      if (value instanceof Map) throw new Failure('cmd. line:1: array used as scalar');
      return value ?? new Strnum('');
    }
    case 'field':
      return fieldOf(m, toNumber(await evaluate(m, e.of)));
    case 'item': {
      const array = arrayOf(m, e.name);
      const key = await subscript(m, e.index);
      const value = array.get(key);
      if (value === undefined) array.set(key, new Strnum(''));
      return value ?? new Strnum('');
    }
    case 'assign': {
      const value = await evaluate(m, e.value);
      const result =
        e.op === '=' ? value : arithmetic(e.op.slice(0, -1), toNumber(await evaluate(m, e.to)), toNumber(value));
      await assign(m, e.to, result);
      return result;
    }
    case 'step': {
      const before = toNumber(await evaluate(m, e.of));
      await assign(m, e.of, before + e.by);
      return e.prefix ? before + e.by : before;
    }
    case 'unary': {
      const value = await evaluate(m, e.of);
      return e.op === '!' ? (isTrue(value) ? 0 : 1) : e.op === '-' ? -toNumber(value) : toNumber(value);
    }
    case 'binary':
      return binary(m, e);
    case 'choice':
      return evaluate(m, isTrue(await evaluate(m, e.test)) ? e.yes : e.no);
    case 'in':
      return arrayOf(m, e.name).has(await subscript(m, e.index)) ? 1 : 0;
    case 'call':
      return m.program.functions.has(e.name) ? m.callFunction(e.name, e.args) : callBuiltin(m, e.name, e.args);
    case 'getline':
      return m.io.getline(m, e);
    case 'group': {
      let value: Value = '';
      for (const item of e.items) value = await evaluate(m, item);
      return value;
    }
  }
}

function arithmetic(op: string, x: number, y: number): number {
  switch (op) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      if (y === 0) throw new Failure('cmd. line:1: Division by zero');
      return x / y;
    case '%':
      if (y === 0) throw new Failure('cmd. line:1: Division by zero');
      return x % y;
    default:
      return x ** y;
  }
}

async function binary(m: Machine, e: Extract<Expression, { t: 'binary' }>): Promise<Value> {
  if (e.op === '&&' || e.op === '||') {
    const left = isTrue(await evaluate(m, e.left));
    return left === (e.op === '||') ? (left ? 1 : 0) : isTrue(await evaluate(m, e.right)) ? 1 : 0;
  }
  if (e.op === '~' || e.op === '!~') {
    const text = toText(await evaluate(m, e.left));
    return (await asRegex(m, e.right)).test(text) === (e.op === '~') ? 1 : 0;
  }
  const left = await evaluate(m, e.left);
  const right = await evaluate(m, e.right);
  if (e.op === ' ') return toText(left, textOf(m, 'CONVFMT')) + toText(right, textOf(m, 'CONVFMT'));
  if (!/^[<>=!]/.test(e.op)) return arithmetic(e.op, toNumber(left), toNumber(right));
  const emptyName = (value: Value): boolean => value instanceof Strnum && value.text === '';
  const numbers =
    (looksNumeric(left) || (emptyName(left) && e.left.t !== 'field')) &&
    (looksNumeric(right) || (emptyName(right) && e.right.t !== 'field'));
  const [x, y] = numbers ? [toNumber(left), toNumber(right)] : [toText(left), toText(right)];
  const holds = { '<': x < y, '<=': x <= y, '==': x === y, '!=': x !== y, '>': x > y, '>=': x >= y }[e.op];
  return holds ? 1 : 0;
}
