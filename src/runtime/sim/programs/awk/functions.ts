import { Failure } from '../applet.ts';
import { formatTime } from '../system/time.ts';
import type { Expression } from './ast.ts';
import { arrayOf, asRegex, assign, evaluate, fieldOf, type Machine, regexOf, splitText, textOf } from './machine.ts';
import { Strnum, sprintf, toNumber, toText, type Value } from './values.ts';

/** The functions that every awk has, and the few more of busybox's. */
export async function callBuiltin(m: Machine, name: string, args: readonly Expression[]): Promise<Value> {
  const value = async (at: number): Promise<Value> => {
    const one = args[at];
    return one ? evaluate(m, one) : '';
  };
  const text = async (at: number): Promise<string> => toText(await value(at), textOf(m, 'CONVFMT'));
  const number = async (at: number): Promise<number> => toNumber(await value(at));
  switch (name) {
    case 'length': {
      const [only] = args;
      if (!only) return [...toText(fieldOf(m, 0))].length;
      const held = only.t === 'name' ? (m.frames.at(-1)?.get(only.name) ?? m.globals.get(only.name)) : undefined;
      return held instanceof Map ? held.size : [...(await text(0))].length;
    }
    case 'substr': {
      const chars = [...(await text(0))];
      const from = Math.round(await number(1));
      const count = args.length > 2 ? Math.round(await number(2)) : Number.POSITIVE_INFINITY;
      const start = Math.max(0, from - 1);
      // Busybox counts from where the text begins, even when asked to begin before it.
      const end = m.a.flavour === 'busybox' ? start + Math.max(0, count) : Math.max(0, from - 1 + count);
      return chars.slice(start, end).join('');
    }
    case 'index':
      return (await text(0)).indexOf(await text(1)) + 1;
    case 'tolower':
      return (await text(0)).toLowerCase();
    case 'toupper':
      return (await text(0)).toUpperCase();
    case 'split': {
      const source = await text(0);
      const second = args[1];
      if (second?.t !== 'name')
        throw new Failure('cmd. line:1: Not an array'.replace('Not an array', 'split needs an array'));
      const array = arrayOf(m, second.name);
      array.clear();
      const third = args[2];
      const separator = third ? (third.t === 'regex' ? third.source : await text(2)) : textOf(m, 'FS');
      const parts =
        third?.t === 'regex' && third.source.length === 1
          ? source === ''
            ? []
            : source.split(regexOf(third.source))
          : splitText(m, source, separator);
      parts.forEach((part, index) => void array.set(String(index + 1), new Strnum(part)));
      return parts.length;
    }
    case 'sub':
    case 'gsub':
      return substitute(m, name === 'gsub', args);
    case 'match': {
      const found = args[1] ? (await asRegex(m, args[1])).exec(await text(0)) : null;
      m.globals.set('RSTART', found ? found.index + 1 : 0);
      m.globals.set('RLENGTH', found ? found[0].length : -1);
      return found ? found.index + 1 : 0;
    }
    case 'sprintf': {
      const values: Value[] = [];
      for (let at = 1; at < args.length; at++) values.push(await value(at));
      return sprintf(await text(0), values);
    }
    case 'int':
      return Math.trunc(await number(0));
    case 'sqrt':
      return Math.sqrt(await number(0));
    case 'exp':
      return Math.exp(await number(0));
    case 'log':
      return Math.log(await number(0));
    case 'sin':
      return Math.sin(await number(0));
    case 'cos':
      return Math.cos(await number(0));
    case 'atan2':
      return Math.atan2(await number(0), await number(1));
    case 'rand':
      return m.a.p.workload.random.next();
    case 'srand': {
      const before = m.seed;
      m.seed = args.length > 0 ? await number(0) : Math.floor(m.a.p.workload.clock.now() / 1000);
      return before;
    }
    case 'and':
      return Number(BigInt(Math.trunc(await number(0))) & BigInt(Math.trunc(await number(1))));
    case 'or':
      return Number(BigInt(Math.trunc(await number(0))) | BigInt(Math.trunc(await number(1))));
    case 'xor':
      return Number(BigInt(Math.trunc(await number(0))) ^ BigInt(Math.trunc(await number(1))));
    case 'lshift':
      return Math.trunc(await number(0)) * 2 ** (await number(1));
    case 'rshift':
      return Math.floor(Math.trunc(await number(0)) / 2 ** (await number(1)));
    case 'systime':
      return Math.floor(m.a.p.workload.clock.now() / 1000);
    case 'strftime':
      return formatTime(
        args.length > 0 ? await text(0) : '%c',
        args.length > 1 ? (await number(1)) * 1000 : m.a.p.workload.clock.now(),
      );
    case 'system':
      return m.io.system(await text(0));
    case 'close':
      return m.io.close(await text(0));
    case 'fflush':
      await m.io.flush();
      return 0;
    default:
      throw new Failure(`cmd. line:1: Call to undefined function`);
  }
}

async function substitute(m: Machine, all: boolean, args: readonly Expression[]): Promise<number> {
  const [pattern, replacement, target = { t: 'field', of: { t: 'number', value: 0 } } as const] = args;
  if (!pattern || !replacement) throw new Failure('cmd. line:1: Too few arguments');
  const regex = await asRegex(m, pattern);
  const template = toText(await evaluate(m, replacement));
  const source = toText(await evaluate(m, target));
  let count = 0;
  const result = source.replace(
    new RegExp(regex.source, `${regex.flags.replace('g', '')}${all ? 'g' : ''}`),
    (match: string) => {
      count++;
      return template.replace(/\\\\&|\\&|&|\\\\/g, (mark) =>
        mark === '&' ? match : mark === '\\&' ? '&' : mark === '\\\\&' ? `\\${match}` : '\\',
      );
    },
  );
  if (count > 0) await assign(m, target, result);
  return count;
}
