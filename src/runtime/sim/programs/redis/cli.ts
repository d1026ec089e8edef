import { SysError, strerror } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { dial } from '../http/client.ts';
import { lines } from '../input.ts';
import { encodeReply, list, type Reply, respReader, showReply } from './resp.ts';

/** redis-cli [-h HOST] [-p PORT] [-a PASSWORD] [-n DB] [--raw] [COMMAND…]; without a command it reads lines. */
export async function redisCli(p: Process): Promise<number> {
  const args = p.argv.slice(1);
  let host = '127.0.0.1';
  let port = 6379;
  let password = p.env.get('REDISCLI_AUTH');
  let db = 0;
  let raw = p.fds[1]?.kind !== 'tty';
  let at = 0;
  for (; at < args.length && /^-/.test(args[at] ?? ''); at++) {
    const word = args[at];
    if (word === '-h') host = args[++at] ?? host;
    else if (word === '-p') port = Number(args[++at]);
    else if (word === '-a' || word === '--pass') {
      password = args[++at];
      await p.complain(
        "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n",
      );
    } else if (word === '-n') db = Number(args[++at]);
    else if (word === '--raw') raw = true;
    else if (word === '--no-raw') raw = false;
    else if (word === '--version' || word === '-v') {
      await p.print('redis-cli 7.4.2\n');
      return 0;
    } else if (word !== '--no-auth-warning') {
      await p.complain(`Unrecognized option or bad number of args for: '${word}'\n`);
      return 1;
    }
  }
  let fd: number;
  try {
    const connection = await dial(p, host, port);
    if ('kind' in connection) {
      await p.complain(`Could not connect to Redis at ${host}:${port}: Name or service not known\n`);
      return 1;
    }
    fd = connection.fd;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await p.complain(`Could not connect to Redis at ${host}:${port}: ${strerror(error)}\n`);
    return 1;
  }
  const reader = respReader(() => p.read(fd));
  const ask = async (words: readonly string[]): Promise<Reply | undefined> => {
    await p.write(fd, encodeReply(list(words)));
    return reader.reply();
  };
  if (password !== undefined) {
    const reply = await ask(['AUTH', password]);
    if (reply?.t === 'error') await p.complain(`AUTH failed: ${reply.text}\n`);
  }
  if (db !== 0) await ask(['SELECT', String(db)]);
  const run = async (words: readonly string[]): Promise<number> => {
    const reply = await ask(words);
    if (!reply) {
      await p.complain('Error: Server closed the connection\n');
      return 1;
    }
    await p.print(showReply(reply, raw));
    return reply.t === 'error' ? 1 : 0;
  };
  const command = args.slice(at);
  if (command.length > 0) return run(command);
  const terminal = p.fds[0]?.kind === 'tty';
  const prompt = (): Promise<void> =>
    terminal ? p.print(`${host}:${port}${db > 0 ? `[${db}]` : ''}> `) : Promise.resolve();
  await prompt();
  for await (const { text } of lines(p, 0)) {
    const words = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
      (match) => match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? match[3] ?? '',
    );
    if (words[0] === 'exit' || words[0] === 'quit') return 0;
    if (words.length > 0) await run(words);
    await prompt();
  }
  return 0;
}
