import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { dial } from '../http/client.ts';
import { lines } from '../input.ts';
import { login, nativeAnswer, packet, packetReader } from './mysql-wire.ts';

interface Options {
  readonly host: string | undefined;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly execute: string | undefined;
  readonly silent: boolean;
  readonly rest: readonly string[];
}

function read(p: Process): Options {
  const rest: string[] = [];
  let [host, port, user, password, execute, silent]: [
    string | undefined,
    number,
    string,
    string,
    string | undefined,
    boolean,
  ] = [undefined, 3306, p.credentials.uid === 0 ? 'root' : 'mysql', p.env.get('MYSQL_PWD') ?? '', undefined, false];
  const args = p.argv.slice(1);
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    const value = (short: string, long: string): string | undefined => {
      if (word === short || word === `--${long}`) return args[++at] ?? '';
      if (word.startsWith(`--${long}=`)) return word.slice(long.length + 3);
      return !word.startsWith('--') && word.startsWith(short) && word.length > 2 ? word.slice(2) : undefined;
    };
    // -p takes its password only when attached.
    if (word === '-p' || word === '--password') continue;
    const [given, number, name, secret, statement] = [
      value('-h', 'host'),
      value('-P', 'port'),
      value('-u', 'user'),
      value('-p', 'password'),
      value('-e', 'execute'),
    ];
    if (given !== undefined) host = given;
    else if (number !== undefined) port = Number(number);
    else if (name !== undefined) user = name;
    else if (secret !== undefined) password = secret;
    else if (statement !== undefined) execute = statement;
    else if (word === '-s' || word === '--silent' || word === '-N' || word === '-B') silent = true;
    else if (!word.startsWith('-')) rest.push(word);
  }
  return { host, port, user, password, execute, silent, rest };
}

type Session = { readonly fd: number; readonly next: ReturnType<typeof packetReader> };

/** Connects and logs in, or tells why not in the client's words. */
async function open(
  p: Process,
  { host, port, user, password }: Options,
): Promise<Session | { readonly refused: string; readonly alive: boolean }> {
  try {
    const connection = await dial(p, host === undefined || host === 'localhost' ? '127.0.0.1' : host, port);
    if ('kind' in connection) return { refused: `Unknown MySQL server host '${host}' (-2)`, alive: false };
    const { fd } = connection;
    const next = packetReader(() => p.read(fd));
    const hello = await next();
    if (!hello)
      return {
        refused: "Lost connection to MySQL server at 'reading initial communication packet', system error: 0",
        alive: false,
      };
    const end = hello.payload.indexOf(0, 1);
    const salt = Buffer.concat([hello.payload.subarray(end + 5, end + 13), hello.payload.subarray(end + 32, end + 44)]);
    await p.write(fd, packet(1, login(user, nativeAnswer(password, salt))));
    const answer = await next();
    if (!answer || answer.payload[0] === 0xff)
      return { refused: answer?.payload.subarray(9).toString() ?? 'Lost connection', alive: true };
    return { fd, next };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return {
      refused:
        host === undefined || host === 'localhost'
          ? "Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)"
          : `Can't connect to MySQL server on '${host}:${port}' (${error.code === 'ECONNREFUSED' ? 111 : 110})`,
      alive: false,
    };
  }
}

/** mysqladmin [-h HOST] [-u USER] [-pPASSWORD] ping|status|version. A refused login still shows that the server lives. */
export async function mysqladmin(p: Process): Promise<number> {
  const options = read(p);
  const name = (p.argv[0] ?? '').replace(/^.*\//, '');
  const session = await open(p, options);
  if ('refused' in session) {
    if (options.rest.includes('ping') && session.alive) {
      await p.print('mysqld is alive\n');
      return 0;
    }
    await p.complain(
      `${name}: connect to server at '${options.host ?? 'localhost'}' failed\nerror: '${session.refused}'\n`,
    );
    if (!session.alive && options.host === undefined)
      await p.complain("Check that mysqld is running and that the socket: '/var/run/mysqld/mysqld.sock' exists!\n");
    return 1;
  }
  if (options.rest.includes('ping')) await p.print('mysqld is alive\n');
  else if (options.rest.includes('status'))
    await p.print('Uptime: 1  Threads: 2  Questions: 1  Slow queries: 0  Opens: 1\n');
  else {
    await p.complain(`${name}: Unknown command: '${options.rest[0] ?? ''}'\n`);
    return 1;
  }
  return 0;
}

/** mysql [-h HOST] [-u USER] [-pPASSWORD] [-e SQL] [DATABASE] */
export async function mysqlClient(p: Process): Promise<number> {
  const options = read(p);
  const session = await open(p, options);
  if ('refused' in session) {
    const code = session.alive ? '1045 (28000)' : options.host === undefined ? '2002 (HY000)' : '2003 (HY000)';
    await p.complain(`ERROR ${code}: ${session.refused}\n`);
    return 1;
  }
  const run = async (sql: string): Promise<number> => {
    await p.write(session.fd, packet(0, Buffer.concat([Buffer.from([3]), Buffer.from(sql)])));
    const first = await session.next();
    if (!first) return 1;
    if (first.payload[0] === 0xff) {
      await p.complain(
        `ERROR ${first.payload.readUInt16LE(1)} (${first.payload.subarray(4, 9).toString()}) at line 1: ${first.payload.subarray(9).toString()}\n`,
      );
      return 1;
    }
    if (first.payload[0] === 0) return 0;
    const columns: string[] = [];
    for (let packet = await session.next(); packet && packet.payload[0] !== 0xfe; packet = await session.next())
      columns.push(strings(packet.payload)[4] ?? '');
    if (!options.silent) await p.print(`${columns.join('\t')}\n`);
    for (
      let packet = await session.next();
      packet && !(packet.payload[0] === 0xfe && packet.payload.length < 9);
      packet = await session.next()
    )
      await p.print(
        `${strings(packet.payload)
          .map((cell) => cell ?? 'NULL')
          .join('\t')}\n`,
      );
    return 0;
  };
  if (options.execute !== undefined) return run(options.execute);
  let status = 0;
  let pending = '';
  for await (const { text } of lines(p, 0)) {
    pending += `${text}\n`;
    if (!pending.includes(';')) continue;
    status = await run(pending.trim());
    if (status !== 0) return status;
    pending = '';
  }
  return status;
}

function strings(payload: Buffer): (string | null)[] {
  const out: (string | null)[] = [];
  for (let at = 0; at < payload.length; ) {
    const size = payload[at] ?? 0;
    if (size === 0xfb) {
      out.push(null);
      at++;
      continue;
    }
    const [length, head] = size === 0xfc ? [payload.readUInt16LE(at + 1), 3] : [size, 1];
    out.push(payload.subarray(at + head, at + head + length).toString());
    at += head + length;
  }
  return out;
}
