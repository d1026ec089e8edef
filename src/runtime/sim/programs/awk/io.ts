import { isSysError } from '../../errno.ts';
import { prepare, searchPath, spawn } from '../../kernel/exec.ts';
import { createPipe } from '../../kernel/pipe.ts';
import type { Process } from '../../kernel/process.ts';
import { type Applet, Failure } from '../applet.ts';
import { runCommand } from '../files/find.ts';
import { type Line, lines } from '../input.ts';
import type { Expression } from './ast.ts';
import { assign, evaluate, type Machine, setRecord, textOf } from './machine.ts';
import { Strnum, toText, type Value } from './values.ts';

/** Input and output of a program: its records, files, pipes. */
export interface AwkIo {
  /** The next record of the input, or undefined at its end. */
  next(m: Machine): Promise<string | undefined>;
  skipFile(): void;
  getline(m: Machine, e: Extract<Expression, { t: 'getline' }>): Promise<Value>;
  write(text: string, to?: { readonly op: '>' | '>>' | '|'; readonly name: string }): Promise<void>;
  close(name: string): Promise<number>;
  system(command: string): Promise<number>;
  flush(): Promise<void>;
  /** Ends pipes and waits for their commands. */
  finish(): Promise<void>;
  readonly failed: boolean;
}

interface Stream {
  readonly fd: number;
  readonly child?: Process;
  readonly reader?: AsyncGenerator<Line, void, void>;
}

/** Records out of lines: RS as a newline, one character, or paragraphs. */
async function* records(p: Process, fd: number, separator: () => string): AsyncGenerator<Line, void, void> {
  const rs = separator();
  if (rs === '\n') {
    yield* lines(p, fd);
    return;
  }
  const text = (await p.readAll(fd)).toString();
  const parts =
    rs === ''
      ? text
          .replace(/^\n+/, '')
          .replace(/\n+$/, '')
          .split(/\n{2,}/)
      : rs.length === 1
        ? text.replace(/\n$/, '').split(rs)
        : text.split(new RegExp(rs));
  for (const part of text === '' ? [] : parts) yield { text: part, ended: true };
}

export function awkIo(a: Applet, operands: string[]): AwkIo {
  const { p } = a;
  const streams = new Map<string, Stream>();
  let current: AsyncGenerator<Line, void, void> | undefined;
  let started = false;
  let failed = false;
  const shell = (command: string, setup: (child: Process) => void): Process => {
    const path = searchPath(p, 'sh');
    if (path === undefined) throw new Failure('no shell to run commands with');
    return spawn(p, prepare(p, path, ['sh', '-c', command]), setup);
  };
  const pipeTo = (command: string): Stream => {
    const pipe = createPipe();
    const fd = p.install(pipe.writer);
    const child = shell(command, (process) => {
      process.install(pipe.reader, 0);
      process.close(fd);
    });
    // The child has its own reference once it runs; this one keeps the pipe whole until then.
    return { fd, child };
  };
  const pipeFrom = (command: string, m: Machine): Stream => {
    const pipe = createPipe();
    const fd = p.install(pipe.reader);
    pipe.writer.refs++;
    const child = shell(command, (process) => {
      process.install(pipe.writer, 1);
      process.close(fd);
      if (--pipe.writer.refs === 0) pipe.writer.released();
    });
    return { fd, child, reader: records(p, fd, () => textOf(m, 'RS')) };
  };
  const io: AwkIo = {
    get failed() {
      return failed;
    },
    async next(m) {
      for (;;) {
        if (current) {
          const line = await current.next();
          if (!line.done) return line.value.text;
          current = undefined;
        }
        const name = operands.shift();
        if (name === undefined) {
          if (started) return undefined;
          started = true;
          current = records(p, 0, () => textOf(m, 'RS'));
          continue;
        }
        const setting = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(name);
        if (setting) {
          m.globals.set(setting[1] ?? '', new Strnum(setting[2] ?? ''));
          continue;
        }
        started = true;
        m.globals.set('FILENAME', name);
        m.globals.set('FNR', 0);
        try {
          current = records(p, name === '-' ? 0 : p.open(name, { read: true }), () => textOf(m, 'RS'));
        } catch (error) {
          failed = true;
          await (a.flavour === 'busybox' ? a.warn(`${name}: No such file or directory`) : a.cannotOpen(name, error));
        }
      }
    },
    skipFile() {
      current = undefined;
    },
    async getline(m, e) {
      await io.flush();
      let text: string | undefined;
      if (e.from === 'input') {
        text = await io.next(m);
        if (text !== undefined) count(m);
      } else {
        const source = e.source ? toText(await evaluate(m, e.source)) : '';
        let stream = streams.get(source);
        if (!stream) {
          try {
            if (e.from === 'command') stream = pipeFrom(source, m);
            else {
              const fd = source === '-' ? 0 : p.open(source, { read: true });
              stream = { fd, reader: records(p, fd, () => textOf(m, 'RS')) };
            }
          } catch (error) {
            if (!isSysError(error)) throw error;
            return -1;
          }
          streams.set(source, stream);
        }
        const line = await stream.reader?.next();
        text = line && !line.done ? line.value.text : undefined;
        if (text !== undefined && e.from === 'command') m.globals.set('NR', Number(textOf(m, 'NR')) + 1);
      }
      if (text === undefined) return 0;
      if (e.into) await assign(m, e.into, new Strnum(text));
      else setRecord(m, text);
      return 1;
    },
    async write(text, to) {
      if (!to) {
        await a.out(text);
        return;
      }
      if (to.name === '/dev/stdout') {
        await a.out(text);
        return;
      }
      let stream = streams.get(to.name);
      if (!stream) {
        await a.flush();
        stream =
          to.op === '|'
            ? pipeTo(to.name)
            : {
                fd: p.open(to.name, {
                  write: true,
                  create: true,
                  ...(to.op === '>' ? { truncate: true } : { append: true }),
                }),
              };
        streams.set(to.name, stream);
      }
      await p.write(stream.fd, text);
    },
    async close(name) {
      const stream = streams.get(name);
      if (!stream) return -1;
      streams.delete(name);
      await a.flush();
      p.close(stream.fd);
      return stream.child ? (await p.wait(stream.child)).code : 0;
    },
    async system(command) {
      await a.flush();
      return runCommand(a, ['sh', '-c', command]);
    },
    flush: () => a.flush(),
    async finish() {
      await a.flush();
      for (const name of [...streams.keys()]) await io.close(name);
    },
  };
  return io;
}

/** One more record has been read. */
export function count(m: Machine): void {
  m.globals.set('NR', Number(textOf(m, 'NR')) + 1);
  m.globals.set('FNR', Number(textOf(m, 'FNR')) + 1);
}
