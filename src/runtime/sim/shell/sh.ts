import { isSysError, SysError, strerror } from '../errno.ts';
import type { Process } from '../kernel/process.ts';
import type { Program } from '../kernel/workload.ts';
import type { Script } from './ast.ts';
import { applyOptions } from './builtins.ts';
import { type Dialect, parseScript } from './parser.ts';
import { readLine } from './read-builtin.ts';
import { Shell } from './shell.ts';
import { Control, createState, errorLine, getVariable, ShellFailure, type ShellState } from './state.ts';
import { ShellSyntaxError } from './word-parser.ts';

/** A shell as a program: `sh -c TEXT`, `sh FILE`, commands on standard input, or a terminal. */
export function shellProgram(dialect: Dialect): Program {
  return async (p) => {
    const options = new Set<string>();
    const argv = p.argv.filter((arg, index) => index === 0 || !/^--(login|norc|noprofile|posix)$/.test(arg));
    let at = 1;
    let command = false;
    for (; at < argv.length; at++) {
      const word = argv[at] ?? '';
      if (word === '--' || word === '-') {
        at++;
        break;
      }
      if (!/^[-+][a-zA-Z]+$/.test(word)) break;
      const flag = word.replace('c', '');
      command ||= word.startsWith('-') && word.includes('c');
      if (flag.length > 1) {
        try {
          at = applyOptions(options, [flag, ...(flag.endsWith('o') ? [argv[at + 1] ?? ''] : [])], 0, dialect) - 1 + at;
        } catch (error) {
          if (!(error instanceof ShellFailure)) throw error;
          await p.complain(`${argv[0]}: 0: ${error.message}\n`);
          return 2;
        }
      }
    }
    const rest = argv.slice(at);
    const own = argv[0] ?? 'sh';
    if (command) {
      const [text, name = own, ...params] = rest;
      if (text === undefined) {
        await p.complain(
          dialect === 'dash' ? `${own}: 0: -c requires an argument\n` : `${own}: option requires an argument -- c\n`,
        );
        return 2;
      }
      return execute(createState(p, dialect, name, params, true), options, text);
    }
    const [file, ...params] = rest;
    if (file !== undefined && !options.has('stdin')) {
      let text: string;
      try {
        const fd = p.open(file, { read: true });
        text = (await p.readAll(fd)).toString();
        p.close(fd);
      } catch (error) {
        if (!isSysError(error)) throw error;
        const why =
          error.code === 'ENOENT' && dialect !== 'bash'
            ? dialect === 'dash'
              ? 'No such file'
              : strerror(error)
            : strerror(error);
        await p.complain(
          dialect === 'dash'
            ? `${own}: 0: cannot open ${file}: ${why}\n`
            : dialect === 'ash'
              ? `${own}: can't open '${file}': ${why}\n`
              : `${own}: ${file}: ${why}\n`,
        );
        return dialect === 'bash' ? 127 : 2;
      }
      return execute(createState(p, dialect, file, params, false), options, text);
    }
    const state = createState(p, dialect, own, rest, true);
    for (const option of options) state.options.add(option);
    return readCommands(state, p.fds[0]?.kind === 'tty' || options.has('interactive'));
  };
}

async function execute(state: ShellState, options: ReadonlySet<string>, text: string): Promise<number> {
  for (const option of options) state.options.add(option);
  const shell = new Shell(state);
  return shell.guarded(async () => {
    const script = parseScript(text, state.dialect);
    if (state.options.has('noexec')) return 0;
    const last = state.inline ? lonely(script) : undefined;
    if (!last || state.options.size > 0) return shell.run(script);
    // One simple command is the whole script: the shell becomes it, as dash, ash and bash do.
    return shell.runLast(last);
  });
}

function lonely(script: Script): Extract<Script[number]['first']['commands'][number], { t: 'simple' }> | undefined {
  const [item, ...others] = script;
  if (!item || others.length > 0 || item.background || item.rest.length > 0 || item.first.negate) return undefined;
  const [command, ...more] = item.first.commands;
  return command?.t === 'simple' && more.length === 0 ? command : undefined;
}

function promptText(state: ShellState, p: Process): string {
  const user = p.credentials.uid === 0 ? '#' : '$';
  const home = getVariable(state, 'HOME');
  const where = home && home !== '/' && p.cwd === home ? '~' : p.cwd;
  const ps1 = getVariable(state, 'PS1');
  if (ps1 !== undefined)
    return ps1
      .replace(/\\\[|\\\]/g, '')
      .replace(/\\w/g, where)
      .replace(/\\[hH]/g, p.workload.hostname)
      .replace(/\\u/g, p.credentials.uid === 0 ? 'root' : 'user')
      .replace(/\\\$/g, user)
      .replace(/\\e/g, '\x1b');
  if (state.dialect === 'ash') return `${where} ${user} `;
  if (state.dialect === 'dash') return `${user} `;
  return `${p.credentials.uid === 0 ? 'root' : 'I have no name!'}@${p.workload.hostname}:${where}${user} `;
}

/** Commands from standard input, one complete one at a time. */
async function readCommands(state: ShellState, interactive: boolean): Promise<number> {
  const { p } = state;
  const shell = new Shell(state);
  state.interactive = interactive;
  let interrupted = false;
  if (interactive) {
    p.handle('INT', () => {
      interrupted = true;
    });
    p.handle('QUIT', 'ignore');
    p.handle('TERM', 'ignore');
  }
  return shell.guarded(async () => {
    let pending = '';
    for (;;) {
      if (interactive) await p.complain(pending === '' ? promptText(state, p) : (getVariable(state, 'PS2') ?? '> '));
      let line: Awaited<ReturnType<typeof readLine>>;
      try {
        line = await readLine(p, 0, { raw: true });
      } catch (error) {
        if (!isSysError(error, 'EINTR')) throw error;
        if (interrupted) {
          interrupted = false;
          pending = '';
          state.status = 130;
          await p.complain('\n');
        }
        await shell.runTraps();
        continue;
      }
      if (!line.complete && line.bytes.length === 0 && pending === '') {
        if (interactive && state.dialect === 'bash') await p.complain('exit\n');
        return state.status;
      }
      pending += `${Buffer.from(line.bytes as number[]).toString()}\n`;
      const script = await parsed(state, pending, line.complete);
      if (script === 'more') continue;
      pending = '';
      if (script === 'bad') {
        state.status = 2;
        if (!interactive) return 2;
        continue;
      }
      try {
        await shell.run(script);
      } catch (error) {
        const fatal =
          error instanceof Control || !interactive || !(error instanceof ShellFailure || error instanceof SysError);
        if (fatal) throw error;
        state.status = await shell.caught(error);
      }
    }
  });
}

async function parsed(state: ShellState, text: string, mayGrow: boolean): Promise<Script | 'more' | 'bad'> {
  try {
    const script = parseScript(text, state.dialect);
    const heredoc = /<<-?\s*(['"\\]?)(\w+)\1/.exec(text);
    if (mayGrow && heredoc && !new RegExp(`\\n\\t*${heredoc[2]}\\n`).test(text)) return 'more';
    return /\\\n$/.test(text) && mayGrow ? 'more' : script;
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    if (error.incomplete && mayGrow) return 'more';
    await state.p.complain(`${errorLine(state, error.message)}\n`);
    return 'bad';
  }
}
