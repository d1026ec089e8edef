import { isSysError } from '../../errno.ts';
import { readText } from '../../net/read-text.ts';
import { find } from '../../vfs/mount-space.ts';
import { renamePath } from '../../vfs/operations.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import { type Line, lines } from '../input.ts';
import { type Address, parseSed, type SedCommand } from './sed-parser.ts';

interface Machine {
  readonly a: Applet;
  readonly quiet: boolean;
  pattern: string;
  hold: string;
  line: number;
  last: boolean;
  replaced: boolean;
  appended: string[];
  regex: RegExp | undefined;
  write(text: string): Promise<void> | void;
  next(): Promise<boolean>;
  readonly files: Map<string, number>;
}

type Outcome =
  | 'end'
  | 'delete'
  | 'restart'
  | { readonly branch: string }
  | { readonly quit: number; readonly print: boolean };

/** sed [-n] [-E|-r] [-i[SUFFIX]] [-e SCRIPT]… [-f FILE]… [FILE]… */
export async function sed(a: Applet): Promise<number> {
  // -i takes its suffix only when attached.
  const args = a.args.flatMap((word) => (/^-i./.test(word) || /^--in-place/.test(word) ? ['-i'] : [word]));
  const suffix = a.args.map((word) => /^(?:-i|--in-place=?)(.+)$/.exec(word)?.[1]).find((text) => text !== undefined);
  const options = a.options(
    'nErszie:f:',
    { quiet: 'n', silent: 'n', 'regexp-extended': 'E', expression: 'e', file: 'f', separate: 's' },
    args,
  );
  const operands = [...options.rest];
  const parts = [...options.all('e')];
  for (const file of options.all('f')) {
    const text = await readText(a.p, file);
    if (text === undefined) throw new Failure(`can't open '${file}': No such file or directory`);
    parts.push(text.replace(/\n$/, ''));
  }
  if (parts.length === 0) {
    const script = operands.shift();
    if (script === undefined) throw usage(a);
    parts.push(script);
  }
  const commands = parseSed(parts.join('\n'), options.has('E') || options.has('r'));
  if (options.has('i')) {
    let status = 0;
    for (const name of operands) status = Math.max(status, await inPlace(a, commands, options.has('n'), name, suffix));
    return status;
  }
  return process(a, commands, options.has('n'), operands, (text) => a.out(text));
}

async function inPlace(
  a: Applet,
  commands: readonly SedCommand[],
  quiet: boolean,
  name: string,
  suffix: string | undefined,
): Promise<number> {
  const out: string[] = [];
  try {
    const { inode } = find(a.p.view, name);
    if (inode.type !== 'file') throw new Failure(`couldn't edit ${name}: not a regular file`, 4);
    const status = await process(a, commands, quiet, [name], (text) => void out.push(text));
    if (suffix !== undefined) renamePath(a.p.view, name, `${name}${suffix}`);
    const fd = a.p.open(`${name}.sed-tmp`, { write: true, create: true, truncate: true }, inode.mode);
    await a.p.write(fd, out.join(''));
    a.p.close(fd);
    renamePath(a.p.view, `${name}.sed-tmp`, name);
    return status;
  } catch (error) {
    if (!isSysError(error)) throw error;
    return a.warn(
      a.flavour === 'busybox'
        ? `${name}: ${error.code === 'ENOENT' ? 'No such file or directory' : error.message.split(': ')[1]}`
        : `can't read ${name}: No such file or directory`,
    );
  }
}

async function process(
  a: Applet,
  commands: readonly SedCommand[],
  quiet: boolean,
  names: readonly string[],
  write: Machine['write'],
): Promise<number> {
  let status = 0;
  const source = inputs(a, names, () => {
    status = 1;
  });
  let ahead = await source.next();
  let ended = true;
  const m: Machine = {
    a,
    quiet,
    pattern: '',
    hold: '',
    line: 0,
    last: false,
    replaced: false,
    appended: [],
    regex: undefined,
    write,
    files: new Map(),
    async next() {
      if (ahead.done) return false;
      m.pattern = ahead.value.text;
      ended = ahead.value.ended;
      m.line++;
      ahead = await source.next();
      m.last = ahead.done === true;
      return true;
    },
  };
  const flushAppended = async (): Promise<void> => {
    for (const text of m.appended.splice(0)) await m.write(text);
  };
  const print = (): Promise<void> | void => m.write(`${m.pattern}${m.last && !ended ? '' : '\n'}`);
  let restart = false;
  while (restart || (await m.next())) {
    restart = false;
    const outcome = await cycle(m, commands);
    if (typeof outcome === 'object' && 'quit' in outcome) {
      if (outcome.print && !quiet) await print();
      await flushAppended();
      return outcome.quit;
    }
    if (outcome === 'end' && !quiet) await print();
    await flushAppended();
    if (outcome === 'restart') restart = true;
    if (a.p.fds[0]?.kind !== 'file') await a.flush();
  }
  return status;
}

async function* inputs(a: Applet, names: readonly string[], failed: () => void): AsyncGenerator<Line, void, void> {
  for (const name of names.length === 0 ? ['-'] : names) {
    let fd = 0;
    try {
      if (name !== '-') fd = a.p.open(name, { read: true });
      for await (const line of lines(a.p, fd)) yield line;
    } catch (error) {
      if (!isSysError(error)) throw error;
      failed();
      await a.warn(
        error.code === 'EISDIR'
          ? a.flavour === 'busybox'
            ? `read error on '${name}': Is a directory`.replace(/^read error on '(.*)':/, 'read error:')
            : `couldn't edit ${name}: not a regular file`
          : a.flavour === 'busybox'
            ? `${name}: ${error.code === 'EACCES' ? 'Permission denied' : 'No such file or directory'}`
            : `can't read ${name}: ${error.code === 'EACCES' ? 'Permission denied' : 'No such file or directory'}`,
      );
    }
    if (fd > 2) a.p.close(fd);
  }
}

/** Runs the script over the pattern space, following branches. */
async function cycle(m: Machine, commands: readonly SedCommand[]): Promise<Outcome> {
  let from = 0;
  let steps = 0;
  for (;;) {
    const outcome = await runList(m, commands, from);
    if (typeof outcome !== 'object' || !('branch' in outcome)) return outcome;
    if (outcome.branch === '') return 'end';
    from = commands.findIndex((command) => command.name === ':' && command.text === outcome.branch) + 1;
    if (from === 0) throw new Failure(`can't find label for jump to '${outcome.branch}'`);
    const wait = m.a.p.work();
    if (wait) await wait;
    if (++steps > 10_000_000) throw new Failure('too many jumps');
  }
}

function hit(m: Machine, address: Address): boolean {
  switch (address.t) {
    case 'line':
      return m.line === address.n;
    case 'last':
      return m.last;
    case 'step':
      return address.step > 0
        ? m.line >= address.first && (m.line - address.first) % address.step === 0
        : m.line === address.first;
    case 'regex': {
      const regex = address.regex ?? m.regex;
      if (!regex) throw new Failure('no previous regexp');
      m.regex = regex;
      regex.lastIndex = 0;
      return regex.test(m.pattern);
    }
    case 'plus':
      return false;
  }
}

function selected(m: Machine, command: SedCommand): boolean {
  const { from, to, state } = command;
  if (!from) return true;
  if (!to) return hit(m, from);
  if (state.on) {
    const over = to.t === 'line' ? m.line >= to.n : to.t === 'plus' ? m.line >= state.until : hit(m, to);
    if (over) state.on = false;
    return to.t !== 'line' || m.line <= to.n;
  }
  const begins = from.t === 'line' && from.n === 0 ? m.line === 1 : hit(m, from);
  if (!begins) return false;
  if (to.t === 'plus') {
    state.until = m.line + to.n;
    state.on = to.n > 0;
  } else state.on = !(to.t === 'line' && to.n <= m.line) && !(to.t === 'last' && m.last);
  return true;
}

async function runList(m: Machine, commands: readonly SedCommand[], from: number): Promise<Outcome> {
  for (let at = from; at < commands.length; at++) {
    const command = commands[at] as SedCommand;
    if (selected(m, command) === command.negate) continue;
    const outcome = command.block ? await runList(m, command.block, 0) : await run(m, command);
    if (outcome !== undefined && outcome !== 'end') return outcome;
  }
  return 'end';
}

async function run(m: Machine, command: SedCommand): Promise<Outcome | undefined> {
  switch (command.name) {
    case 's':
      return substitute(m, command);
    case 'y':
      m.pattern = [...m.pattern]
        .map((char) => {
          const index = command.text.indexOf(char);
          return index < 0 ? char : (command.file?.[index] ?? char);
        })
        .join('');
      return undefined;
    case 'd':
      return 'delete';
    case 'D': {
      const newline = m.pattern.indexOf('\n');
      if (newline < 0) return 'delete';
      m.pattern = m.pattern.slice(newline + 1);
      return 'restart';
    }
    case 'p':
      await m.write(`${m.pattern}\n`);
      return undefined;
    case 'P':
      await m.write(`${m.pattern.split('\n', 1)[0]}\n`);
      return undefined;
    case '=':
      await m.write(`${m.line}\n`);
      return undefined;
    case 'l':
      await m.write(`${m.pattern.replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n')}$\n`);
      return undefined;
    case 'n':
      if (!m.quiet) await m.write(`${m.pattern}\n`);
      for (const text of m.appended.splice(0)) await m.write(text);
      return (await m.next()) ? undefined : { quit: 0, print: false };
    case 'N': {
      const before = m.pattern;
      if (!(await m.next())) return { quit: 0, print: true };
      m.pattern = `${before}\n${m.pattern}`;
      return undefined;
    }
    case 'g':
      m.pattern = m.hold;
      return undefined;
    case 'G':
      m.pattern += `\n${m.hold}`;
      return undefined;
    case 'h':
      m.hold = m.pattern;
      return undefined;
    case 'H':
      m.hold += `\n${m.pattern}`;
      return undefined;
    case 'x':
      [m.pattern, m.hold] = [m.hold, m.pattern];
      return undefined;
    case 'z':
      m.pattern = '';
      return undefined;
    case 'a':
      m.appended.push(`${command.text}\n`);
      return undefined;
    case 'i':
      await m.write(`${command.text}\n`);
      return undefined;
    case 'c':
      if (!command.to || !command.state.on) await m.write(`${command.text}\n`);
      return 'delete';
    case 'b':
      return { branch: command.text };
    case 't':
    case 'T': {
      const jump = m.replaced === (command.name === 't');
      m.replaced = false;
      return jump ? { branch: command.text } : undefined;
    }
    case 'r':
      m.appended.push((await readText(m.a.p, command.file ?? '')) ?? '');
      return undefined;
    case 'w':
      await toFile(m, command.file ?? '');
      return undefined;
    case 'q':
      return { quit: command.nth ?? 0, print: true };
    case 'Q':
      return { quit: command.nth ?? 0, print: false };
    default:
      return undefined;
  }
}

async function toFile(m: Machine, name: string): Promise<void> {
  const fd = m.files.get(name) ?? m.a.p.open(name, { write: true, create: true, truncate: true });
  m.files.set(name, fd);
  await m.a.p.write(fd, `${m.pattern}\n`);
}

async function substitute(m: Machine, command: SedCommand): Promise<undefined> {
  const regex = command.regex ?? m.regex;
  if (!regex) throw new Failure('no previous regexp');
  m.regex = regex;
  let count = 0;
  let changed = false;
  const nth = command.nth ?? 1;
  regex.lastIndex = 0;
  m.pattern = m.pattern.replace(regex, (match: string, ...groups: unknown[]) => {
    count++;
    if (count < nth || (count > nth && !command.global)) return match;
    changed = true;
    return replacement(command.text, match, groups);
  });
  if (!changed) return undefined;
  m.replaced = true;
  if (command.print) await m.write(`${m.pattern}\n`);
  if (command.file !== undefined) await toFile(m, command.file);
  return undefined;
}

function replacement(template: string, match: string, groups: readonly unknown[]): string {
  let out = '';
  let mode: '' | 'U' | 'L' = '';
  let once: '' | 'u' | 'l' = '';
  const put = (text: string): void => {
    let shown = mode === 'U' ? text.toUpperCase() : mode === 'L' ? text.toLowerCase() : text;
    if (once !== '' && shown !== '') {
      shown = (once === 'u' ? shown.slice(0, 1).toUpperCase() : shown.slice(0, 1).toLowerCase()) + shown.slice(1);
      once = '';
    }
    out += shown;
  };
  for (let i = 0; i < template.length; i++) {
    const char = template[i] ?? '';
    if (char === '&') put(match);
    else if (char !== '\\') put(char);
    else {
      const next = template[++i] ?? '';
      if (/\d/.test(next)) put(next === '0' ? match : String(groups[Number(next) - 1] ?? ''));
      else if (next === 'n') put('\n');
      else if (next === 't') put('\t');
      else if (next === 'U' || next === 'L') mode = next;
      else if (next === 'E') mode = '';
      else if (next === 'u' || next === 'l') once = next;
      else put(next);
    }
  }
  return out;
}
