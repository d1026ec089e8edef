import { PassThrough } from 'node:stream';
import type { StreamSession } from '../../runtime/cri.ts';

/** A process that echoes (`cat`), or prints its words and exits with the number after `exit`. */
export function fakeSession(command: readonly string[], wantsStdin: boolean): StreamSession {
  const stdin = wantsStdin ? new PassThrough() : null;
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const sizes: string[] = [];
  const exit = (async (): Promise<{ exitCode: number }> => {
    if (command[0] === 'cat' && stdin) for await (const chunk of stdin) stdout.write(chunk);
    else if (command[0] === 'size') {
      await new Promise((resolve) => setImmediate(resolve));
      stdout.write(sizes.join());
    } else stdout.write(`${command.join(' ')}\n`);
    stdout.end();
    stderr.end();
    const code = command.indexOf('exit');
    return { exitCode: code < 0 ? 0 : Number(command[code + 1]) };
  })();
  return {
    stdin,
    stdout,
    stderr,
    resize: (width, height) => void sizes.push(`${width}x${height}`),
    exit,
    close() {
      stdin?.destroy();
      stdout.destroy();
      stderr.destroy();
    },
  };
}
