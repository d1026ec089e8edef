import { SysError, strerror } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { accept, listen } from '../../net/sockets.ts';
import { formatTime } from '../system/time.ts';
import { createSqlStore, dumpTables, loadTables, runSql, type SqlStore, statements } from './engine.ts';
import {
  authentication,
  backendKey,
  errorResponse,
  md5Answer,
  messageReader,
  parameter,
  readyForQuery,
  resultMessages,
} from './postgres-wire.ts';

/** What the entrypoint's initdb leaves in the data directory for the server. */
export interface Cluster {
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly method: string;
}

export const clusterFile = 'global/coracle.json';
const tablesFile = 'base/tables.json';

export const pgStamp = (p: Process): string => {
  const now = p.workload.clock.now();
  return `${formatTime('%Y-%m-%d %H:%M:%S', now)}.${String(Math.floor(now % 1000)).padStart(3, '0')} UTC [${p.pid}]`;
};

export const pgVersion = (p: Process): string => {
  const version = p.env.get('PG_VERSION') ?? '17.5';
  return `PostgreSQL ${version} (Debian ${version}-1.pgdg120+1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14+deb12u1) 12.2.0, 64-bit`;
};

/** postgres: the server. Refuses root, a data directory that is none, and one of another version. */
export async function postgres(p: Process): Promise<number> {
  if (p.argv.includes('--version') || p.argv.includes('-V')) {
    await p.print(`postgres (PostgreSQL) ${p.env.get('PG_VERSION') ?? '17.5'}\n`);
    return 0;
  }
  if (p.credentials.uid === 0) {
    await p.complain(
      '"root" execution of the PostgreSQL server is not permitted.\nThe server must be started under an unprivileged user ID to prevent\npossible system security compromise.  See the documentation for\nmore information on how to properly start the server.\n',
    );
    return 1;
  }
  const option = (letter: string): string | undefined => {
    const at = p.argv.indexOf(letter);
    return at < 0 ? undefined : p.argv[at + 1];
  };
  const data = option('-D') ?? p.env.get('PGDATA') ?? '';
  const log = (level: string, text: string): Promise<void> => p.complain(`${pgStamp(p)} ${level}:  ${text}\n`);
  const version = await readText(p, `${data}/PG_VERSION`);
  if (version === undefined) {
    await p.complain(
      `postgres: could not access the server configuration file "${data}/postgresql.conf": No such file or directory\n`,
    );
    return 2;
  }
  const major = p.env.get('PG_MAJOR') ?? '17';
  if (version.trim() !== major) {
    await log('FATAL', 'database files are incompatible with server');
    await log(
      'DETAIL',
      `The data directory was initialized by PostgreSQL version ${version.trim()}, which is not compatible with this version ${p.env.get('PG_VERSION') ?? major} (Debian ${p.env.get('PG_VERSION') ?? major}-1.pgdg120+1).`,
    );
    return 1;
  }
  const cluster = JSON.parse(
    (await readText(p, `${data}/${clusterFile}`)) ??
      '{"user":"postgres","password":"","database":"postgres","method":"trust"}',
  ) as Cluster;
  const port = Number(option('-p') ?? p.env.get('PGPORT') ?? 5432);
  const store = createSqlStore(pgVersion(p));
  const tables = await readText(p, `${data}/${tablesFile}`);
  if (tables !== undefined) loadTables(store, tables);
  await log('LOG', `starting ${pgVersion(p)}`);
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(p, port);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await log('LOG', `could not bind IPv4 address "0.0.0.0": ${strerror(error)}`);
    await log('HINT', `Is another postmaster already running on port ${port}? If not, wait a few seconds and retry.`);
    await log('FATAL', 'could not create any TCP/IP sockets');
    return 1;
  }
  await log('LOG', `listening on IPv4 address "0.0.0.0", port ${port}`);
  await log('LOG', `listening on IPv6 address "::", port ${port}`);
  await log('LOG', `listening on Unix socket "/var/run/postgresql/.s.PGSQL.${port}"`);
  await log('LOG', `database system was shut down at ${formatTime('%Y-%m-%d %H:%M:%S', p.workload.clock.now())} UTC`);
  await log('LOG', 'database system is ready to accept connections');
  const stop = (text: string) => (): void => {
    void (async () => {
      await log('LOG', `received ${text} shutdown request`);
      await log('LOG', 'shutting down');
      await keep(p, `${data}/${tablesFile}`, dumpTables(store), log);
      await log('LOG', 'database system is shut down');
      await p.exit(0);
    })();
  };
  p.handle('TERM', stop('smart'));
  p.handle('INT', stop('fast'));
  p.handle('QUIT', () => void log('LOG', 'received immediate shutdown request').then(() => p.exit(2)));
  p.handle('PIPE', 'ignore');
  const changed = (): Promise<void> => keep(p, `${data}/${tablesFile}`, dumpTables(store), log);
  for (;;) {
    const { fd, socket } = await accept(p, listener);
    void serve(p, fd, { store, cluster, log, local: /^127\.|^::1/.test(socket.remote.ip), changed })
      .catch((error: unknown) => {
        if (!(error instanceof SysError)) throw error;
      })
      .then(() => p.close(fd));
  }
}

async function keep(
  p: Process,
  path: string,
  text: string,
  log: (level: string, text: string) => Promise<void>,
): Promise<void> {
  try {
    const fd = p.open(path, { write: true, create: true, truncate: true }, 0o600);
    await p.write(fd, text);
    p.close(fd);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await log('PANIC', `could not write to file "${path}": ${strerror(error)}`);
    await p.exit(1);
  }
}

interface Backend {
  readonly store: SqlStore;
  readonly cluster: Cluster;
  readonly log: (level: string, text: string) => Promise<void>;
  readonly local: boolean;
  readonly changed: () => Promise<void>;
}

async function serve(p: Process, fd: number, { store, cluster, log, local, changed }: Backend): Promise<void> {
  const reader = messageReader(() => p.read(fd));
  const send = (data: Buffer): Promise<void> => p.write(fd, data);
  let start = await reader.startup();
  // SSL and GSS are answered with "no"; the client goes on in the clear.
  while (start && start.length >= 4 && [80_877_103, 80_877_104].includes(start.readUInt32BE(0))) {
    await p.write(fd, 'N');
    start = await reader.startup();
  }
  if (!start || start.length < 4 || start.readUInt32BE(0) !== 196_608) return;
  const words = start.subarray(4).toString().split('\0');
  const settings = new Map<string, string>();
  for (let at = 0; at + 1 < words.length && words[at] !== ''; at += 2)
    settings.set(words[at] ?? '', words[at + 1] ?? '');
  const user = settings.get('user') ?? '';
  const database = settings.get('database') ?? user;
  const fatal = async (code: string, text: string): Promise<void> => {
    await log('FATAL', text);
    await send(errorResponse('FATAL', code, text));
  };
  if (!local && cluster.method !== 'trust') {
    const salt = Buffer.from(p.workload.random.bytes(4));
    await send(authentication(5, salt));
    const answer = await reader.next();
    if (answer?.type !== 'p') return;
    const given = answer.body.toString().replace(/\0$/, '');
    if (user !== cluster.user || given !== md5Answer(user, cluster.password, salt)) {
      await fatal('28P01', `password authentication failed for user "${user}"`);
      return;
    }
  } else if (user !== cluster.user) {
    await fatal('28000', `role "${user}" does not exist`);
    return;
  }
  if (![cluster.database, 'postgres', 'template1', cluster.user].includes(database)) {
    await fatal('3D000', `database "${database}" does not exist`);
    return;
  }
  await send(
    Buffer.concat([
      authentication(0),
      parameter('server_version', p.env.get('PG_VERSION') ?? '17.5'),
      parameter('server_encoding', 'UTF8'),
      parameter('client_encoding', 'UTF8'),
      parameter('DateStyle', 'ISO, MDY'),
      parameter('TimeZone', 'Etc/UTC'),
      parameter('integer_datetimes', 'on'),
      parameter('standard_conforming_strings', 'on'),
      backendKey(p.pid),
      readyForQuery,
    ]),
  );
  for (let next = await reader.next(); next && next.type !== 'X'; next = await reader.next()) {
    if (next.type === 'Q') {
      const text = next.body.toString().replace(/\0$/, '');
      for (const statement of statements(text)) {
        const result = runSql(store, statement, user, database);
        await send(resultMessages(result));
        if (result.kind === 'error') {
          await log('ERROR', result.message);
          await log('STATEMENT', statement);
          break;
        }
        if (result.kind === 'done') await changed();
      }
      await send(readyForQuery);
    } else if (next.type === 'S') await send(readyForQuery);
    else if (next.type === 'P')
      await send(
        errorResponse('ERROR', '0A000', 'the simulated PostgreSQL knows simple queries only, no prepared statements'),
      );
  }
}
