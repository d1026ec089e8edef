import { StringDecoder } from 'node:string_decoder';
import type { Process } from '../kernel/process.ts';
import type { Applet } from './applet.ts';

/** A line without its end; `ended` is false for a last line that has no newline. */
export interface Line {
  readonly text: string;
  readonly ended: boolean;
}

/** The lines of a descriptor as they arrive. A line may not be longer than 16 MiB; longer ones are cut there. */
export async function* lines(p: Process, fd: number): AsyncGenerator<Line, void, void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for (;;) {
    const part = await p.read(fd);
    if (part === null) break;
    rest += decoder.write(Buffer.from(part));
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      yield { text: rest.slice(from, end), ended: true };
      from = end + 1;
    }
    rest = rest.slice(from);
    if (rest.length > 1 << 24) {
      yield { text: rest, ended: false };
      rest = '';
    }
  }
  rest += decoder.end();
  if (rest !== '') yield { text: rest, ended: false };
}

/**
 * Opens every operand in turn (`-` and none at all are standard input) and hands its descriptor to `each`; those that cannot
 * be opened are complained about. Answers 1 when one failed, else 0.
 */
export async function eachInput(
  a: Applet,
  operands: readonly string[],
  each: (fd: number, name: string) => Promise<void>,
): Promise<number> {
  let status = 0;
  for (const name of operands.length === 0 ? ['-'] : operands) {
    try {
      const fd = name === '-' ? 0 : a.p.open(name, { read: true });
      await each(fd, name);
      if (fd !== 0) a.p.close(fd);
    } catch (error) {
      if ((error as { code?: string }).code === 'EPIPE') throw error;
      status =
        (error as { code?: string }).code === 'EISDIR'
          ? await a.warn(a.flavour === 'busybox' ? 'read error: Is a directory' : `${name}: Is a directory`)
          : await a.cannotOpen(name, error);
    }
  }
  return status;
}

/** Everything on a descriptor, as lines. */
export async function allLines(p: Process, fd: number): Promise<string[]> {
  const text = (await p.readAll(fd)).toString();
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}
