import { echoText, outputBytes, printfText } from '../../shell/print.ts';
import { type Applet, Failure } from '../applet.ts';
import { eachInput, lines } from '../input.ts';

/** cat [-nu] [FILE]… */
export function cat(a: Applet): Promise<number> {
  const options = a.options('nbuvetEATs');
  const number = options.has('n') || options.has('b');
  if (options.order.every((letter) => letter === 'u'))
    return eachInput(a, options.rest, async (fd) => {
      for (;;) {
        const part = await a.p.read(fd);
        if (part === null) return;
        await a.p.write(1, part);
      }
    });
  const ends = options.has('e') || options.has('E') || options.has('A');
  const tabs = options.has('t') || options.has('T') || options.has('A');
  let count = 0;
  let blank = false;
  return eachInput(a, options.rest, async (fd) => {
    for await (const { text, ended } of lines(a.p, fd)) {
      if (options.has('s') && text === '' && blank) continue;
      blank = text === '';
      const counted = number && !(options.has('b') && text === '');
      if (counted) count++;
      const shown = tabs ? text.replaceAll('\t', '^I') : text;
      await a.out(`${counted ? `${String(count).padStart(6)}\t` : ''}${shown}${ended ? `${ends ? '$' : ''}\n` : ''}`);
    }
  });
}

/** tac [FILE]… */
export async function tac(a: Applet): Promise<number> {
  const options = a.options('');
  return eachInput(a, options.rest, async (fd) => {
    const all: string[] = [];
    for await (const { text } of lines(a.p, fd)) all.push(`${text}\n`);
    await a.out(all.reverse().join(''));
  });
}

/** rev [FILE]… */
export async function rev(a: Applet): Promise<number> {
  return eachInput(a, a.options('').rest, async (fd) => {
    for await (const { text, ended } of lines(a.p, fd)) await a.out([...text].reverse().join('') + (ended ? '\n' : ''));
  });
}

/** nl: numbers non-empty lines. */
export async function nl(a: Applet): Promise<number> {
  const options = a.options('b:w:s:n:i:v:');
  const all = options.value('b') === 'a';
  const width = a.number(options.value('w') ?? '6');
  const gap = options.value('s') ?? '\t';
  let count = a.number(options.value('v') ?? '1') - 1;
  return eachInput(a, options.rest, async (fd) => {
    for await (const { text } of lines(a.p, fd)) {
      const counted = all || text !== '';
      if (counted) count++;
      await a.out(counted ? `${String(count).padStart(width)}${gap}${text}\n` : `${' '.repeat(width + gap.length)}\n`);
    }
  });
}

/** echo, outside of a shell. */
export async function echo(a: Applet): Promise<number> {
  await a.out(outputBytes(echoText(a.args, 'ash')));
  return 0;
}

/** printf, outside of a shell. */
export async function printf(a: Applet): Promise<number> {
  const args = a.args[0] === '--' ? a.args.slice(1) : a.args;
  if (args.length === 0) throw new Failure('missing operand');
  const { text, errors } = printfText(args);
  await a.out(outputBytes(text));
  for (const error of errors) await a.warn(error);
  return errors.length > 0 ? 1 : 0;
}

/** tee [-a] [FILE]… */
export async function tee(a: Applet): Promise<number> {
  const options = a.options('ai');
  const fds: number[] = [1];
  let status = 0;
  for (const name of options.rest) {
    try {
      const append = options.has('a');
      fds.push(a.p.open(name, { write: true, create: true, append, truncate: !append }));
    } catch (error) {
      status = await a.cannotOpen(name, error);
    }
  }
  for (;;) {
    const part = await a.p.read(0);
    if (part === null) return status;
    for (const fd of fds) await a.p.write(fd, part);
  }
}

/** yes [TEXT]…: until somebody stops reading. */
export async function yes(a: Applet): Promise<number> {
  const line = `${a.args.length > 0 ? a.args.join(' ') : 'y'}\n`;
  const block = line.repeat(Math.max(1, Math.floor(4096 / line.length)));
  for (;;) await a.p.write(1, block);
}

/** seq [-w] [-s SEP] [FIRST [STEP]] LAST */
export async function seq(a: Applet): Promise<number> {
  const own: string[] = [];
  let separator = '\n';
  let wide = false;
  for (let at = 0; at < a.args.length; at++) {
    const word = a.args[at] ?? '';
    if (word === '-w') wide = true;
    else if (word === '-s') separator = a.args[++at] ?? '';
    else if (/^-s./.test(word)) separator = word.slice(2);
    else own.push(word);
  }
  const bad = own.find((word) => word === '' || Number.isNaN(Number(word)));
  if (bad !== undefined)
    throw new Failure(
      a.flavour === 'busybox' ? `invalid number '${bad}'` : `invalid floating point argument: '${bad}'`,
    );
  if (own.length === 0 || own.length > 3) throw new Failure(own.length === 0 ? 'missing operand' : 'too many operands');
  const values = own.map(Number);
  const first = values.length > 1 ? (values[0] ?? 1) : 1;
  const step = values.length > 2 ? (values[1] ?? 1) : 1;
  const last = values[values.length - 1] ?? 0;
  const places = Math.max(...own.map((word) => word.split('.')[1]?.length ?? 0));
  const width = wide ? Math.max(first.toFixed(places).length, last.toFixed(places).length) : 0;
  if (step === 0) throw new Failure("invalid Zero increment value: '0'");
  const count = Math.floor((last - first) / step + 1e-10);
  for (let i = 0; i <= count; i++) {
    const text = (first + i * step).toFixed(places).padStart(width, '0');
    await a.out(i === 0 ? text : separator + text);
  }
  if (count >= 0) await a.out('\n');
  return 0;
}
