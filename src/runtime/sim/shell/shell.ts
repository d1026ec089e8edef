import { SysError, strerror } from '../errno.ts';
import { become, type Executable, fork, prepare, searchPath } from '../kernel/exec.ts';
import { type OpenFile, openInodeFile, streamFile } from '../kernel/open-file.ts';
import { createPipe } from '../kernel/pipe.ts';
import type { Process } from '../kernel/process.ts';
import { fileData } from '../vfs/file-data.ts';
import { createFileSystem, createInode, writeInode } from '../vfs/inode.ts';
import type { AndOr, Assignment, Command, Pipeline, Redirect, Script } from './ast.ts';
import { type Builtin, builtins, specialBuiltins } from './builtins.ts';
import { conditional } from './conditional.ts';
import { evaluate, expandPattern, expandText, expandWords, redirectError, type Substituter } from './expand.ts';
import { parseScript } from './parser.ts';
import { matches } from './pattern.ts';
import {
  Control,
  environment,
  errorLine,
  forkState,
  getVariable,
  prefix,
  ShellFailure,
  type ShellState,
  setVariable,
  type Variable,
} from './state.ts';

/** A shell in a process: runs parsed scripts. */
export class Shell implements Substituter {
  readonly state: ShellState;

  constructor(state: ShellState) {
    this.state = state;
  }

  private get p(): Process {
    return this.state.p;
  }

  /** Runs a list; answers the status of its last command. */
  async run(script: Script): Promise<number> {
    const { state } = this;
    for (const item of script) {
      if (item.background) this.background(item);
      else await this.andOr(item);
      if (state.pending.length > 0) await this.runTraps();
    }
    return state.status;
  }

  private async andOr({ first, rest }: AndOr): Promise<void> {
    const { state } = this;
    const guarded = rest.length > 0;
    await this.pipeline(first, guarded);
    for (const [index, { op, pipeline }] of rest.entries()) {
      if ((op === '&&') !== (state.status === 0)) continue;
      await this.pipeline(pipeline, index < rest.length - 1);
    }
  }

  private async pipeline(pipeline: Pipeline, tested: boolean): Promise<void> {
    const { state } = this;
    const guard = tested || pipeline.negate;
    if (guard) state.tested++;
    try {
      const only = pipeline.commands[0];
      if (pipeline.commands.length === 1 && only) state.status = await this.command(only);
      else state.status = await this.pipe(pipeline.commands);
    } finally {
      if (guard) state.tested--;
    }
    if (pipeline.negate) state.status = state.status === 0 ? 1 : 0;
    else if (state.status !== 0 && state.tested === 0 && !guard && state.options.has('errexit'))
      throw new Control('exit', state.status);
  }

  private async pipe(commands: readonly Command[]): Promise<number> {
    const children: Process[] = [];
    let input: OpenFile | undefined;
    for (const [index, command] of commands.entries()) {
      const pipe = index < commands.length - 1 ? createPipe() : undefined;
      const from = input;
      if (pipe) pipe.reader.refs++;
      if (pipe) pipe.writer.refs++;
      children.push(
        this.forkShell(
          (shell) => shell.command(command),
          (child) => {
            if (from) child.install(from, 0);
            if (pipe) child.install(pipe.writer, 1);
          },
        ),
      );
      for (const end of [from, pipe?.writer]) if (end && --end.refs === 0) end.released();
      input = pipe?.reader;
    }
    const codes: number[] = [];
    for (const child of children) codes.push((await this.p.wait(child)).code);
    const failed = codes.findLast((code) => code !== 0);
    return this.state.options.has('pipefail') ? (failed ?? 0) : (codes[codes.length - 1] ?? 0);
  }

  /** A subshell in a process of its own. */
  private forkShell(main: (shell: Shell) => Promise<number>, setup?: (child: Process) => void): Process {
    const child = fork(this.p, () => shell.guarded(() => main(shell)));
    // The state is copied now: the parent goes on changing its own.
    const shell = new Shell(forkState(this.state, child));
    setup?.(child);
    return child;
  }

  private background(item: AndOr): void {
    const { state } = this;
    const child = this.forkShell(async (shell) => {
      await shell.andOr(item);
      return shell.state.status;
    });
    child.background = true;
    child.handle('INT', 'ignore');
    child.handle('QUIT', 'ignore');
    if (!this.p.tty) {
      try {
        child.install(child.openFile('/dev/null', { read: true }), 0);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
      }
    }
    state.lastBackground = child.pid;
    state.jobs.set(child.pid, child);
    state.status = 0;
  }

  /** Runs the life of a shell: its exit, its fatal errors, its EXIT trap. */
  async guarded(main: () => Promise<number>): Promise<number> {
    const { state } = this;
    let code: number;
    try {
      code = await main();
    } catch (error) {
      code = await this.caught(error);
    }
    const trap = state.traps.get('EXIT');
    if (trap) {
      state.traps.delete('EXIT');
      state.status = code;
      try {
        await this.evaluateText(trap);
      } catch (error) {
        code = error instanceof Control && error.kind === 'exit' ? error.count : code;
      }
    }
    return code;
  }

  /** The status that an error which ends the shell leaves; says what went wrong. */
  async caught(error: unknown): Promise<number> {
    if (error instanceof Control)
      return error.kind === 'exit' || error.kind === 'return' ? error.count : this.state.status;
    if (error instanceof ShellFailure || (error instanceof Error && error.name === 'ShellSyntaxError')) {
      if ('line' in error && typeof error.line === 'number') this.state.line = error.line;
      await this.p.complain(`${errorLine(this.state, error.message)}\n`);
      return error instanceof ShellFailure ? error.status : 2;
    }
    if (error instanceof SysError && error.code === 'EAGAIN') {
      await this.p.complain(
        `${prefix(this.state)}${this.state.dialect === 'dash' ? 'Cannot fork' : "can't fork: Resource temporarily unavailable"}\n`,
      );
      return 2;
    }
    throw error;
  }

  async evaluateText(text: string): Promise<number> {
    return this.run(parseScript(text, this.state.dialect, this.state.line));
  }

  async runTraps(): Promise<void> {
    const { state } = this;
    for (let name = state.pending.shift(); name !== undefined; name = state.pending.shift()) {
      const action = state.traps.get(name);
      if (!action) continue;
      const before = state.status;
      await this.evaluateText(action);
      state.status = before;
    }
  }

  async command(command: Command): Promise<number> {
    const wait = this.p.work();
    if (wait) await wait;
    if (command.t === 'simple') return this.simple(command);
    if (command.redirs.length === 0) return this.compound(command);
    const saved = await this.redirect(command.redirs);
    if (!saved) return this.state.dialect === 'dash' ? 2 : 1;
    try {
      return await this.compound(command);
    } finally {
      this.restore(saved);
    }
  }

  private async test(script: Script): Promise<boolean> {
    this.state.tested++;
    try {
      return (await this.run(script)) === 0;
    } finally {
      this.state.tested--;
    }
  }

  private async compound(command: Exclude<Command, { t: 'simple' }>): Promise<number> {
    const { state } = this;
    switch (command.t) {
      case 'group':
        return this.run(command.body);
      case 'subshell': {
        const child = this.forkShell((shell) => shell.run(command.body));
        return (await this.p.wait(child)).code;
      }
      case 'if':
        for (const arm of command.arms) if (await this.test(arm.test)) return this.run(arm.body);
        return command.otherwise ? this.run(command.otherwise) : 0;
      case 'while':
        return this.loop(async () => (await this.test(command.test)) !== command.until, command.body);
      case 'for': {
        const words = command.words ? await expandWords(this, command.words) : [...state.params];
        let at = 0;
        return this.loop(async () => {
          if (at >= words.length) return false;
          setVariable(state, command.name, words[at++] ?? '');
          return true;
        }, command.body);
      }
      case 'cfor': {
        const [init, test, step] = command.parts;
        const value = async (word: typeof init): Promise<bigint> =>
          word.length === 0 ? 1n : evaluate(state, await expandText(this, word));
        await value(init);
        let first = true;
        return this.loop(async () => {
          if (!first) await value(step);
          first = false;
          return (await value(test)) !== 0n;
        }, command.body);
      }
      case 'case':
        return this.caseOf(command);
      case 'function':
        state.functions.set(command.name, command.body);
        return 0;
      case 'arith':
        return this.arithmetic(async () => evaluate(state, await expandText(this, command.expr)));
      case 'cond':
        return (await conditional(this, command.words)) ? 0 : 1;
    }
  }

  private async arithmetic(value: () => Promise<bigint>): Promise<number> {
    try {
      return (await value()) === 0n ? 1 : 0;
    } catch (error) {
      if (!(error instanceof Error) || error instanceof Control) throw error;
      throw error instanceof ShellFailure || error instanceof SysError ? error : new ShellFailure(error.message);
    }
  }

  private async caseOf(command: Extract<Command, { t: 'case' }>): Promise<number> {
    const text = await expandText(this, command.word);
    let through = false;
    let status = 0;
    for (const arm of command.arms) {
      let hit = through;
      for (const pattern of arm.patterns) hit ||= matches(await expandPattern(this, pattern), text);
      if (!hit) continue;
      this.state.status = 0;
      status = await this.run(arm.body);
      if (arm.end === ';;') return status;
      through = arm.end === ';&';
    }
    return status;
  }

  private async loop(again: () => Promise<boolean>, body: Script): Promise<number> {
    const { state } = this;
    let status = 0;
    state.loops++;
    try {
      while (await again()) {
        const wait = this.p.work();
        if (wait) await wait;
        try {
          status = await this.run(body);
        } catch (error) {
          if (!(error instanceof Control) || (error.kind !== 'break' && error.kind !== 'continue')) throw error;
          status = 0;
          if (error.count > 1) throw new Control(error.kind, error.count - 1);
          if (error.kind === 'break') break;
        }
      }
    } finally {
      state.loops--;
    }
    return status;
  }

  private async simple(command: Extract<Command, { t: 'simple' }>): Promise<number> {
    const { state } = this;
    state.line = command.line;
    state.substituted = undefined;
    const argv = await expandWords(this, command.words);
    if (state.options.has('xtrace')) await this.trace(command.assigns, argv);
    const [name] = argv;
    if (name === undefined) {
      const saved = command.redirs.length > 0 ? await this.redirect(command.redirs) : [];
      if (!saved) return this.state.dialect === 'dash' ? 2 : 1;
      this.restore(saved);
      for (const assign of command.assigns) await this.assign(assign);
      return state.substituted ?? 0;
    }
    const special = specialBuiltins.has(name) ? builtins[name] : undefined;
    const fn = special ? undefined : state.functions.get(name);
    const builtin = special ?? (fn ? undefined : Object.hasOwn(builtins, name) ? builtins[name] : undefined);
    if (builtin && !(name === 'exec' && argv.length === 1))
      return this.callBuiltin(builtin, special !== undefined, command, argv);
    if (builtin) {
      const saved = await this.redirect(command.redirs);
      if (!saved) throw new Control('exit', 1);
      for (const { before } of saved) if (before && --before.refs === 0) before.released();
      return 0;
    }
    if (fn) return this.callFunction(fn, command, argv);
    return this.external(command, argv);
  }

  private async trace(assigns: readonly Assignment[], argv: readonly string[]): Promise<void> {
    const quote = (text: string): string =>
      /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
    const parts: string[] = [];
    for (const assign of assigns) parts.push(`${assign.name}=${quote(await expandText(this, assign.value))}`);
    await this.p.complain(`${getVariable(this.state, 'PS4') ?? '+ '}${[...parts, ...argv.map(quote)].join(' ')}\n`);
  }

  private async assign(assign: Assignment): Promise<void> {
    const { state } = this;
    const before = state.vars.get(assign.name)?.value;
    if (assign.array) {
      const items = await expandWords(this, assign.array);
      setVariable(
        state,
        assign.name,
        assign.append ? [...(Array.isArray(before) ? before : before ? [before] : []), ...items] : items,
      );
      return;
    }
    const text = await expandText(this, assign.value);
    if (assign.index) {
      const items = Array.isArray(before) ? [...before] : before === undefined ? [] : [before];
      const at = Number(evaluate(state, await expandText(this, assign.index)));
      items[at] = assign.append ? (items[at] ?? '') + text : text;
      setVariable(state, assign.name, items);
    } else
      setVariable(
        state,
        assign.name,
        assign.append ? (Array.isArray(before) ? (before[0] ?? '') : (before ?? '')) + text : text,
      );
  }

  /** Assignments that hold for one command: what to put back. */
  private async temporary(assigns: readonly Assignment[]): Promise<Map<string, Variable | undefined>> {
    const saved = new Map<string, Variable | undefined>();
    for (const assign of assigns) {
      const before = this.state.vars.get(assign.name);
      if (!saved.has(assign.name)) saved.set(assign.name, before ? { ...before } : undefined);
      await this.assign(assign);
      const now = this.state.vars.get(assign.name);
      if (now) now.exported = true;
    }
    return saved;
  }

  private putBack(saved: Map<string, Variable | undefined>): void {
    for (const [name, variable] of saved) {
      if (variable) this.state.vars.set(name, variable);
      else this.state.vars.delete(name);
    }
  }

  private async callBuiltin(
    builtin: Builtin,
    special: boolean,
    command: Extract<Command, { t: 'simple' }>,
    argv: readonly string[],
  ): Promise<number> {
    const saved = command.redirs.length > 0 ? await this.redirect(command.redirs) : [];
    if (!saved) {
      if (special && !this.state.interactive && this.state.dialect !== 'bash') throw new Control('exit', 2);
      return 1;
    }
    const vars = command.assigns.length > 0 ? await this.temporary(command.assigns) : undefined;
    try {
      return await builtin(this, argv);
    } catch (error) {
      if (!(error instanceof SysError) || error.code === 'EPIPE' || error.code === 'EINTR') throw error;
      await this.p.complain(`${prefix(this.state)}${argv[0]}: ${strerror(error)}\n`);
      return 1;
    } finally {
      // POSIX keeps assignments before special builtins; bash does not, unless asked to be POSIX.
      if (vars && (!special || this.state.dialect === 'bash')) this.putBack(vars);
      this.restore(saved);
    }
  }

  private async callFunction(
    fn: Command,
    command: Extract<Command, { t: 'simple' }>,
    argv: readonly string[],
  ): Promise<number> {
    const { state } = this;
    if (state.locals.length > 1000) throw new ShellFailure('maximum function nesting level exceeded');
    const saved = command.redirs.length > 0 ? await this.redirect(command.redirs) : [];
    if (!saved) return this.state.dialect === 'dash' ? 2 : 1;
    const vars = await this.temporary(command.assigns);
    const { params, loops } = state;
    state.params = argv.slice(1);
    state.loops = 0;
    const frame = new Map<string, Variable | undefined>();
    state.locals.push(frame);
    if (state.dialect !== 'dash') {
      frame.set('FUNCNAME', state.vars.get('FUNCNAME'));
      state.vars.set('FUNCNAME', { value: argv[0] ?? '', exported: false, readonly: false });
    }
    try {
      return await this.command(fn);
    } catch (error) {
      if (error instanceof Control && error.kind === 'return') return error.count;
      throw error;
    } finally {
      this.putBack(state.locals.pop() ?? new Map());
      state.params = params;
      state.loops = loops;
      this.putBack(vars);
      this.restore(saved);
    }
  }

  /** The executable of a command, or the status after saying why there is none. */
  async locate(argv: readonly string[], line = true): Promise<Executable | number> {
    const { state, p } = this;
    const name = argv[0] ?? '';
    const head = line ? prefix(state) : `${state.name}: `;
    const path = searchPath(p, name, getVariable(state, 'PATH') ?? '');
    const absent =
      state.dialect === 'bash' && !name.includes('/')
        ? 'command not found'
        : name.includes('/') && state.dialect === 'bash'
          ? 'No such file or directory'
          : 'not found';
    if (path === undefined) {
      await p.complain(`${head}${name}: ${absent}\n`);
      return 127;
    }
    try {
      return prepare(p, path, argv);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      if (error.code === 'ENOEXEC') {
        const own = searchPath(p, 'sh', '/bin:/usr/bin');
        if (own) return prepare(p, own, [own, path, ...argv.slice(1)]);
      }
      const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
      await p.complain(`${head}${name}: ${missing ? absent : strerror(error)}\n`);
      return missing ? 127 : 126;
    }
  }

  private async external(command: Extract<Command, { t: 'simple' }>, argv: readonly string[]): Promise<number> {
    const { state, p } = this;
    const vars = command.assigns.length > 0 ? await this.temporary(command.assigns) : undefined;
    const env = environment(state);
    let found: Executable | number;
    try {
      if (command.redirs.length > 0) {
        // The message about a missing command goes where the command's own would.
        const saved = await this.redirect(command.redirs);
        if (!saved) return state.dialect === 'dash' ? 2 : 1;
        try {
          found = await this.locate(argv);
          if (typeof found === 'number') return found;
          return await this.launch(found, env);
        } finally {
          this.restore(saved);
        }
      }
      found = await this.locate(argv);
    } finally {
      if (vars) this.putBack(vars);
    }
    return typeof found === 'number' ? found : this.launch(found, env, p);
  }

  private async launch(found: Executable, env: Map<string, string>, p: Process = this.p): Promise<number> {
    const child = fork(p, (process) => {
      process.env = env;
      return become(process, found);
    });
    const status = await p.wait(child);
    if (status.signal && status.signal !== 'INT' && status.signal !== 'PIPE' && p.tty && this.state.interactive)
      await p.complain(status.signal === 'KILL' ? 'Killed\n' : status.signal === 'TERM' ? 'Terminated\n' : '\n');
    return status.code;
  }

  /** The only command of a script: an external one takes over this process. */
  async runLast(command: Extract<Command, { t: 'simple' }>): Promise<number> {
    const name = command.words[0]?.map((part) => (part.t === 'lit' ? part.v : '$')).join('') ?? '';
    const external = command.words.length > 0 && !name.includes('$') && !Object.hasOwn(builtins, name);
    if (!external || command.redirs.length > 0 || command.assigns.length > 0) return this.command(command);
    this.state.line = command.line;
    return this.replace(await expandWords(this, command.words));
  }

  /** Runs what `locate` found. */
  launchFound(found: Executable): Promise<number> {
    return this.launch(found, environment(this.state));
  }

  /** exec: the rest of this process's life. */
  async replace(argv: readonly string[]): Promise<number> {
    const found = await this.locate(argv);
    if (typeof found === 'number') throw new Control('exit', found);
    this.p.env = environment(this.state);
    return this.p.exit(await become(this.p, found));
  }

  async substitute(body: Script): Promise<string> {
    const pipe = createPipe();
    pipe.reader.refs++;
    pipe.writer.refs++;
    const child = this.forkShell(
      (shell) => shell.run(body),
      (process) => void process.install(pipe.writer, 1),
    );
    if (--pipe.writer.refs === 0) pipe.writer.released();
    const fd = this.p.install(pipe.reader);
    pipe.reader.refs--;
    const output = await this.p.readAll(fd);
    this.p.close(fd);
    const { code } = await this.p.wait(child);
    this.state.substituted = code;
    this.state.status = code;
    return output.toString().replaceAll('\0', '').replace(/\n+$/, '');
  }

  processSubstitution(body: Script, dir: '<' | '>'): string {
    const pipe = createPipe();
    const mine = dir === '<' ? pipe.reader : pipe.writer;
    const theirs = dir === '<' ? pipe.writer : pipe.reader;
    const fd = this.p.install(mine, 63 - (this.p.fds[63] ? 1 : 0));
    this.forkShell(
      (shell) => shell.run(body),
      (child) => {
        child.install(theirs, dir === '<' ? 1 : 0);
        child.close(fd);
      },
    );
    return `/dev/fd/${fd}`;
  }

  /** Carries out redirections; undefined after saying why one failed. */
  private async redirect(
    redirs: readonly Redirect[],
  ): Promise<{ fd: number; before: OpenFile | undefined }[] | undefined> {
    const saved: { fd: number; before: OpenFile | undefined }[] = [];
    const put = (fd: number, file: OpenFile | undefined): void => {
      const before = this.p.fds[fd];
      if (before) before.refs++;
      saved.push({ fd, before });
      if (file) this.p.install(file, fd);
      else this.p.close(fd);
    };
    for (const { fd, op, target } of redirs) {
      const text = await expandText(this, target);
      const failed = await this.redirectOne(fd, op, text, put);
      if (failed === undefined) continue;
      await this.p.complain(`${failed}\n`);
      this.restore(saved);
      return undefined;
    }
    return saved;
  }

  private async redirectOne(
    fd: number | undefined,
    op: Redirect['op'],
    text: string,
    put: (fd: number, file: OpenFile | undefined) => void,
  ): Promise<string | undefined> {
    const { p, state } = this;
    const open = (flags: Parameters<Process['openFile']>[1]): OpenFile => p.openFile(text, flags);
    const write = op === '>' || op === '>|' || op === '&>' || (op === '>&' && !/^(\d+|-)$/.test(text));
    try {
      if (op === '<<' || op === '<<<') put(fd ?? 0, inlineFile(p, op === '<<<' ? `${text}\n` : text));
      else if (op === '<') put(fd ?? 0, open({ read: true }));
      else if (op === '<>') put(fd ?? 0, open({ read: true, write: true, create: true }));
      else if (op === '>>' || op === '&>>') {
        const file = open({ write: true, create: true, append: true });
        put(fd ?? 1, file);
        if (op === '&>>') put(2, file);
      } else if (write) {
        const exclusive = op === '>' && state.options.has('noclobber') && text !== '/dev/null';
        const file = open({ write: true, create: true, ...(exclusive ? { exclusive } : { truncate: true }) });
        put(fd ?? 1, file);
        if (op !== '>' && op !== '>|') put(2, file);
      } else if (text === '-') put(fd ?? (op === '<&' ? 0 : 1), undefined);
      else {
        const file = /^\d+$/.test(text) ? p.fds[Number(text)] : undefined;
        if (!file) return `${prefix(state)}${text}: ${state.dialect === 'ash' ? 'bad' : 'Bad'} file descriptor`;
        put(fd ?? (op === '<&' ? 0 : 1), file);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return redirectError(state, text, op !== '<', error, strerror(error));
    }
  }

  private restore(saved: readonly { readonly fd: number; readonly before: OpenFile | undefined }[]): void {
    for (const { fd, before } of [...saved].reverse()) {
      if (!before) {
        this.p.close(fd);
        continue;
      }
      this.p.install(before, fd);
      if (--before.refs === 0) before.released();
    }
  }
}

/** A here-document as an open file. */
function inlineFile(p: Process, text: string): OpenFile {
  if (text === '') return streamFile('/dev/null', { tryRead: () => null });
  const inode = createInode(
    createFileSystem('tmpfs', () => p.workload.clock.now()),
    'file',
  );
  inode.data = fileData();
  writeInode(inode, 0, Buffer.from(text));
  return openInodeFile(inode, '/tmp/here', { read: true, write: false, append: false }, p);
}
