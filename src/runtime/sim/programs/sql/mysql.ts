import { SysError, strerror } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { accept, listen } from '../../net/sockets.ts';
import { formatTime } from '../system/time.ts';
import { createSqlStore, dumpTables, loadTables, runSql, statements } from './engine.ts';
import {
  errorPacket,
  greeting,
  nativeAnswer,
  okPacket,
  packet,
  packetReader,
  readLogin,
  resultSet,
} from './mysql-wire.ts';

/** What the entrypoint leaves in the data directory: who may log in. */
export interface Accounts {
  readonly users: Readonly<Record<string, string>>;
  readonly database: string;
}

export const dataDirectory = '/var/lib/mysql';
export const accountsFile = `${dataDirectory}/coracle.json`;

export const isMaria = (p: Process): boolean => p.env.has('MARIADB_VERSION');
export const serverVersion = (p: Process): string =>
  isMaria(p)
    ? `${(p.env.get('MARIADB_VERSION') ?? '11.7.2').replace(/^1:/, '').replace(/\+.*/, '')}-MariaDB`
    : (p.env.get('MYSQL_VERSION') ?? '9.3.0').replace(/-.*/, '');

/** mysqld or mariadbd: listens, authenticates, answers simple statements. */
export async function mysqld(p: Process): Promise<number> {
  const maria = isMaria(p);
  const now = (): number => p.workload.clock.now();
  const log = (level: string, code: string, text: string): Promise<void> =>
    p.complain(
      maria
        ? `${formatTime('%Y-%m-%d %k:%M:%S', now()).replace('%k', formatTime('%H', now()))} 0 [${level === 'System' ? 'Note' : level}] ${text}\n`
        : `${new Date(now()).toISOString().replace('Z', '000Z')} 0 [${level}] [MY-${code}] [Server] ${text}\n`,
    );
  const program = maria ? '/usr/sbin/mariadbd' : '/usr/sbin/mysqld';
  const version = serverVersion(p);
  if (p.argv.includes('--version') || p.argv.includes('-V')) {
    await p.print(`${program}  Ver ${version} for Linux on x86_64\n`);
    return 0;
  }
  if (p.credentials.uid === 0 && !p.argv.some((word) => word.startsWith('--user'))) {
    await log(
      'ERROR',
      '010123',
      `Fatal error: Please read "Security" section of the manual to find out how to run mysqld as root!`,
    );
    await log('ERROR', '010119', 'Aborting');
    return 1;
  }
  const saved = await readText(p, accountsFile);
  if (saved === undefined) {
    await log(
      'ERROR',
      '010457',
      '--initialize specified but the data directory has files in it. Aborting.'.replace(
        /^.*$/,
        `Could not open file 'mysql.plugin' in the data directory ${dataDirectory}/: it was not initialised`,
      ),
    );
    await log('ERROR', '010119', 'Aborting');
    return 1;
  }
  const accounts = JSON.parse(saved) as Accounts;
  const store = createSqlStore(version);
  const tables = await readText(p, `${dataDirectory}/tables.json`);
  if (tables !== undefined) loadTables(store, tables);
  const port = Number(p.argv.find((word) => word.startsWith('--port='))?.slice(7) ?? 3306);
  await log('System', '010116', `${program} (mysqld ${version}) starting as process ${p.pid}`);
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(p, port);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await log('ERROR', '010262', `Can't start server: Bind on TCP/IP port: ${strerror(error)}`);
    return 1;
  }
  await log(
    'System',
    '010931',
    `${program}: ready for connections. Version: '${version}'  socket: '/var/run/mysqld/mysqld.sock'  port: ${port}  ${maria ? 'mariadb.org binary distribution' : 'MySQL Community Server - GPL'}.`,
  );
  p.handle('TERM', () => {
    void (async () => {
      await log(
        'System',
        '013172',
        `Received SHUTDOWN from user <via user signal>. Shutting down mysqld (Version: ${version}).`,
      );
      await save();
      await log(
        'System',
        '010910',
        `${program}: Shutdown complete (mysqld ${version})  ${maria ? 'mariadb.org binary distribution' : 'MySQL Community Server - GPL'}.`,
      );
      await p.exit(0);
    })();
  });
  const save = async (): Promise<void> => {
    const fd = p.open(`${dataDirectory}/tables.json`, { write: true, create: true, truncate: true }, 0o640);
    await p.write(fd, dumpTables(store));
    p.close(fd);
  };
  p.handle('PIPE', 'ignore');
  let connections = 7;
  const serve = async (fd: number, ip: string): Promise<void> => {
    const salt = Buffer.from(p.workload.random.bytes(20)).map((byte) => (byte % 94) + 33);
    await p.write(fd, packet(0, greeting(version, ++connections, Buffer.from(salt))));
    const next = packetReader(() => p.read(fd));
    const hello = await next();
    if (!hello) return;
    const { user, answer } = readLogin(hello.payload);
    const password = Object.hasOwn(accounts.users, user) ? accounts.users[user] : undefined;
    const local = /^127\.|^::1/.test(ip);
    if (password === undefined || !nativeAnswer(password, Buffer.from(salt)).equals(answer)) {
      const host = local ? 'localhost' : ip;
      await p.write(
        fd,
        packet(
          hello.sequence + 1,
          errorPacket(
            1045,
            '28000',
            `Access denied for user '${user}'@'${host}' (using password: ${answer.length > 0 ? 'YES' : 'NO'})`,
          ),
        ),
      );
      return;
    }
    await p.write(fd, packet(hello.sequence + 1, okPacket));
    for (let request = await next(); request && request.payload[0] !== 1; request = await next()) {
      const kind = request.payload[0];
      const text = request.payload.subarray(1).toString();
      if (kind === 14 || kind === 2) await p.write(fd, packet(1, okPacket));
      else if (kind === 3) {
        const [statement = ''] = statements(text);
        const shown = /^show\s+databases$/i.test(statement)
          ? [['information_schema'], ['mysql'], ...(accounts.database === '' ? [] : [[accounts.database]])]
          : undefined;
        const result = shown
          ? { kind: 'rows' as const, columns: ['Database'], rows: shown }
          : runSql(store, statement.replace(/@@version\b.*/i, 'version()'), user, accounts.database);
        if (result.kind === 'rows') await p.write(fd, resultSet(result.columns, result.rows));
        else if (result.kind === 'done') {
          await save();
          await p.write(fd, packet(1, okPacket));
        } else
          await p.write(
            fd,
            packet(
              1,
              errorPacket(
                result.code === '42P01' ? 1146 : 1064,
                result.code === '42P01' ? '42S02' : '42000',
                result.code === '42P01'
                  ? result.message.replace(
                      /relation "(.*)" does not exist/,
                      `Table '${accounts.database}.$1' doesn't exist`,
                    )
                  : result.message,
              ),
            ),
          );
      } else await p.write(fd, packet(1, errorPacket(1047, '08S01', 'Unknown command')));
    }
  };
  for (;;) {
    const { fd, socket } = await accept(p, listener);
    void serve(fd, socket.remote.ip)
      .catch((error: unknown) => {
        if (!(error instanceof SysError)) throw error;
      })
      .then(() => p.close(fd));
  }
}
