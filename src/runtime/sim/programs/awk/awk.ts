import { readText } from '../../net/read-text.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import type { Expression, Statement } from './ast.ts';
import { awkIo, count } from './io.ts';
import { unescapeString } from './lexer.ts';
import {
  type AwkArray,
  arrayOf,
  assign,
  evaluate,
  fieldOf,
  type Machine,
  scope,
  setRecord,
  subscript,
  textOf,
} from './machine.ts';
import { parseAwk } from './parser.ts';
import { isTrue, Strnum, sprintf, toNumber, toText, type Value } from './values.ts';

/** Leaves loops, functions, rules or the program. */
class Jump {
  readonly kind: 'break' | 'continue' | 'next' | 'nextfile' | 'exit' | 'return';
  readonly value: Value;
  constructor(kind: Jump['kind'], value: Value = 0) {
    this.kind = kind;
    this.value = value;
  }
}

/** awk [-F FS] [-v VAR=VALUE]… [-f FILE | PROGRAM] [FILE]… */
export async function awk(a: Applet): Promise<number> {
  const options = a.options('+F:v:f:e:', { 'field-separator': 'F', assign: 'v', file: 'f' });
  const operands = [...options.rest];
  const sources = [...options.all('e')];
  for (const file of options.all('f')) {
    const text = await readText(a.p, file);
    if (text === undefined) throw new Failure(`can't open '${file}': No such file or directory`);
    sources.push(text);
  }
  if (sources.length === 0) {
    const text = operands.shift();
    if (text === undefined) throw usage(a);
    sources.push(text);
  }
  const program = parseAwk(sources.join('\n'));
  const fs = options.value('F');
  const environ: AwkArray = new Map([...a.p.env].map(([key, value]) => [key, new Strnum(value)] as const));
  const argv: AwkArray = new Map(['awk', ...operands].map((word, index) => [String(index), new Strnum(word)] as const));
  const globals = new Map<string, Value | AwkArray>([
    ['FS', fs === undefined ? ' ' : fs === 't' ? '\t' : unescapeString(fs)],
    ['OFS', ' '],
    ['ORS', '\n'],
    ['RS', '\n'],
    ['NR', 0],
    ['FNR', 0],
    ['NF', 0],
    ['SUBSEP', '\x1c'],
    ['CONVFMT', '%.6g'],
    ['OFMT', '%.6g'],
    ['RSTART', 0],
    ['RLENGTH', -1],
    ['FILENAME', ''],
    ['ENVIRON', environ],
    ['ARGV', argv],
    ['ARGC', operands.length + 1],
  ]);
  for (const setting of options.all('v')) {
    const equals = setting.indexOf('=');
    if (equals < 0) throw usage(a);
    globals.set(setting.slice(0, equals), new Strnum(unescapeString(setting.slice(equals + 1))));
  }
  const m: Machine = {
    a,
    program,
    io: awkIo(a, operands),
    globals,
    frames: [],
    fields: [],
    stale: false,
    record: '',
    seed: 0,
    steps: 0,
    callFunction: (name, args) => callFunction(m, name, args),
  };
  let status = 0;
  const guarded = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof Jump) || error.kind !== 'exit') throw error;
      status = toNumber(error.value);
      return false;
    }
  };
  const run = (when: 'BEGIN' | 'END') => async (): Promise<void> => {
    for (const rule of program.rules) if (rule.when === when && rule.body) await execute(m, rule.body);
  };
  let going = await guarded(run('BEGIN'));
  if (going && program.rules.some(({ when }) => when !== 'BEGIN')) going = await guarded(() => input(m));
  else if (!going && !program.rules.some(({ when }) => when === 'END')) {
    await m.io.finish();
    return status;
  }
  const before = status;
  await guarded(run('END'));
  if (!going && status === 0) status = before;
  await m.io.finish();
  return status === 0 && m.io.failed ? (a.flavour === 'busybox' ? 1 : 2) : status & 255;
}

async function input(m: Machine): Promise<void> {
  for (let text = await m.io.next(m); text !== undefined; text = await m.io.next(m)) {
    count(m);
    setRecord(m, text);
    try {
      for (const rule of m.program.rules) {
        if (typeof rule.when === 'string') continue;
        const { from, to } = rule.when;
        let hit = true;
        if (from && to) {
          hit = rule.open || isTrue(await evaluate(m, from));
          if (hit) rule.open = !isTrue(await evaluate(m, to));
        } else if (from) hit = isTrue(await evaluate(m, from));
        if (!hit) continue;
        if (rule.body) await execute(m, rule.body);
        else await m.io.write(`${toText(fieldOf(m, 0))}${textOf(m, 'ORS')}`);
      }
    } catch (error) {
      if (!(error instanceof Jump) || (error.kind !== 'next' && error.kind !== 'nextfile')) throw error;
      if (error.kind === 'nextfile') m.io.skipFile();
    }
    if (m.a.p.fds[0]?.kind !== 'file') await m.io.flush();
  }
}

async function callFunction(m: Machine, name: string, args: readonly Expression[]): Promise<Value> {
  const fn = m.program.functions.get(name);
  if (!fn) throw new Failure('cmd. line:1: Call to undefined function');
  if (m.frames.length > 500) throw new Failure('too many nested function calls');
  const frame = new Map<string, Value | AwkArray | undefined>();
  const lent: { param: string; name: string }[] = [];
  for (const [at, param] of fn.params.entries()) {
    const given = args[at];
    if (!given) frame.set(param, undefined);
    else if (given.t === 'name') {
      const held = scope(m, given.name).get(given.name);
      // A name without a value may become an array inside: then the caller's is that array.
      if (held === undefined) lent.push({ param, name: given.name });
      frame.set(param, held);
    } else frame.set(param, await evaluate(m, given));
  }
  m.frames.push(frame);
  let result: Value = '';
  try {
    await execute(m, fn.body);
  } catch (error) {
    if (!(error instanceof Jump) || error.kind !== 'return') throw error;
    result = error.value;
  } finally {
    m.frames.pop();
  }
  for (const { param, name: outer } of lent) {
    const made = frame.get(param);
    if (made instanceof Map) scope(m, outer).set(outer, made);
  }
  return result;
}

async function loopBody(m: Machine, body: Statement): Promise<boolean> {
  try {
    await execute(m, body);
    return true;
  } catch (error) {
    if (!(error instanceof Jump) || (error.kind !== 'break' && error.kind !== 'continue')) throw error;
    return error.kind === 'continue';
  }
}

async function execute(m: Machine, s: Statement): Promise<void> {
  const wait = m.a.p.work(2);
  if (wait) await wait;
  switch (s.t) {
    case 'expression':
      await evaluate(m, s.value);
      return;
    case 'block':
      for (const one of s.body) await execute(m, one);
      return;
    case 'print':
    case 'printf': {
      const values: Value[] = [];
      for (const arg of s.args) values.push(await evaluate(m, arg));
      const format = textOf(m, 'OFMT');
      const text =
        s.t === 'printf'
          ? sprintf(toText(values[0] ?? ''), values.slice(1))
          : `${values.length === 0 ? toText(fieldOf(m, 0)) : values.map((value) => toText(value, format)).join(textOf(m, 'OFS'))}${textOf(m, 'ORS')}`;
      await m.io.write(text, s.to && { op: s.to.op, name: toText(await evaluate(m, s.to.target)) });
      return;
    }
    case 'if':
      if (isTrue(await evaluate(m, s.test))) await execute(m, s.yes);
      else if (s.no) await execute(m, s.no);
      return;
    case 'while':
      if (s.late && !(await loopBody(m, s.body))) return;
      while (isTrue(await evaluate(m, s.test))) if (!(await loopBody(m, s.body))) return;
      return;
    case 'for':
      if (s.init) await execute(m, s.init);
      while (!s.test || isTrue(await evaluate(m, s.test))) {
        if (!(await loopBody(m, s.body))) return;
        if (s.step) await execute(m, s.step);
      }
      return;
    case 'each':
      for (const key of [...arrayOf(m, s.array).keys()]) {
        await assign(m, { t: 'name', name: s.variable }, new Strnum(key));
        if (!(await loopBody(m, s.body))) return;
      }
      return;
    case 'delete':
      if (s.index) arrayOf(m, s.name).delete(await subscript(m, s.index));
      else arrayOf(m, s.name).clear();
      return;
    case 'exit':
    case 'return':
      throw new Jump(s.t, s.value ? await evaluate(m, s.value) : 0);
    default:
      throw new Jump(s.t);
  }
}
