import { SysError, strerror } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { accept, listen } from '../../net/sockets.ts';
import { renamePath } from '../../vfs/operations.ts';
import { parseSize } from '../files/make.ts';
import { formatTime } from '../system/time.ts';
import { runCommand } from './commands.ts';
import type { Redis, Session } from './context.ts';
import { encodeReply, failure, respReader } from './resp.ts';
import { createStore, dumpStore, loadStore, sizeOfStore } from './store.ts';

const defaults: readonly (readonly [string, string])[] = [
  ['port', '6379'],
  ['bind', '* -::*'],
  ['dir', '/data'],
  ['dbfilename', 'dump.rdb'],
  ['requirepass', ''],
  ['maxmemory', '0'],
  ['maxmemory-policy', 'noeviction'],
  ['appendonly', 'no'],
  ['save', '3600 1 300 100 60 10000'],
  ['timeout', '0'],
  ['databases', '16'],
  ['protected-mode', 'no'],
  ['loglevel', 'notice'],
  ['maxclients', '10000'],
];

/** redis-server [FILE] [--NAME VALUE]… */
export async function redisServer(p: Process): Promise<number> {
  const version = p.env.get('REDIS_VERSION') ?? '7.4.2';
  const config = new Map(defaults);
  const args = p.argv.slice(1);
  if (args[0] === '--version' || args[0] === '-v') {
    await p.print(`Redis server v=${version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0\n`);
    return 0;
  }
  const log = (role: 'C' | 'M' | 'signal-handler', level: string, text: string): Promise<void> => {
    const now = p.workload.clock.now();
    return p.print(
      `${p.pid}:${role} ${formatTime('%d %b %Y %H:%M:%S', now)}.${String(Math.floor(now % 1000)).padStart(3, '0')} ${level} ${text}\n`,
    );
  };
  const fatal = async (where: string, line: string, why: string): Promise<number> => {
    await p.complain(
      `\n*** FATAL CONFIG FILE ERROR (Redis ${version}) ***\nReading the configuration file, at line ${where}\n>>> '${line}'\n${why}\n`,
    );
    return 1;
  };
  const apply = (name: string, value: string): string | undefined => {
    const key = name.toLowerCase();
    if (key === 'maxmemory') {
      const bytes = parseSize(value.replace(/b$/i, ''));
      if (bytes === undefined) return 'argument must be a memory value';
      config.set(key, String(bytes));
    } else if (
      config.has(key) ||
      /^(tcp-|repl|slave|lua|hash-|list-|set-|zset-|stop-writes|rdb|append|no-append|auto-aof|aof|daemonize|supervised|pidfile|logfile|always-show|hz|slowlog|latency|notify|active|client|io-threads|user|tls|cluster)/.test(
        key,
      )
    )
      config.set(key, value);
    else return 'Bad directive or wrong number of arguments';
    return undefined;
  };
  const file = args[0] !== undefined && !args[0].startsWith('--') ? args[0] : undefined;
  if (file !== undefined) {
    const text = await readText(p, file);
    if (text === undefined) {
      await p.complain(
        `${p.pid}:C ${formatTime('%d %b %Y %H:%M:%S', p.workload.clock.now())}.000 # Fatal error, can't open config file '${file}': No such file or directory\n`,
      );
      return 1;
    }
    for (const [index, line] of text.split('\n').entries()) {
      const words = line.trim().split(/\s+/);
      if (words[0] === '' || words[0]?.startsWith('#')) continue;
      const why = apply(
        words[0] ?? '',
        words
          .slice(1)
          .join(' ')
          .replace(/^"(.*)"$/, '$1'),
      );
      if (why) return fatal(String(index + 1), line.trim(), why);
    }
  }
  for (let at = file === undefined ? 0 : 1; at < args.length; ) {
    const name = (args[at++] ?? '').replace(/^--/, '');
    const values: string[] = [];
    while (at < args.length && !args[at]?.startsWith('--')) values.push(args[at++] ?? '');
    const why = apply(name, values.join(' '));
    if (why) return fatal('2', `${name} "${values.join(' ')}"`, why);
  }
  const port = Number(config.get('port'));
  await log('C', '*', 'oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo');
  await log('C', '*', `Redis version=${version}, bits=64, commit=00000000, modified=0, pid=${p.pid}, just started`);
  await (args.length === 0
    ? log(
        'C',
        '#',
        'Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf',
      )
    : log('C', '*', 'Configuration loaded'));
  await log('M', '*', 'monotonic clock: POSIX clock_gettime');
  const store = createStore(() => p.workload.clock.now());
  const started = p.workload.clock.now();
  const dump = `${config.get('dir')}/${config.get('dbfilename')}`;
  const save = async (): Promise<boolean> => {
    try {
      const temporary = `${config.get('dir')}/temp-${p.pid}.rdb`;
      const fd = p.open(temporary, { write: true, create: true, truncate: true });
      await p.write(fd, dumpStore(store));
      p.close(fd);
      renamePath(p.view, temporary, dump);
      redis.dirty = 0;
      await log('M', '*', 'DB saved on disk');
      return true;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await log(
        'M',
        '#',
        `Failed opening the temp RDB file temp-${p.pid}.rdb (in server root dir ${config.get('dir')}) for saving: ${strerror(error)}`,
      );
      return false;
    }
  };
  const shutdown = async (): Promise<never> => {
    if (config.get('save') !== '') {
      await log('M', '*', 'Saving the final RDB snapshot before exiting.');
      if (!(await save())) await log('M', '#', "Error trying to save the DB, can't exit.");
    }
    await log('M', '#', 'Redis is now ready to exit, bye bye...');
    return p.exit(0);
  };
  let clients = 0;
  let commands = 0;
  const redis: Redis = {
    store,
    config,
    dirty: 0,
    save,
    shutdown,
    info: () =>
      `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\nos:Linux ${p.workload.machine.kernelVersion} x86_64\r\nprocess_id:${p.pid}\r\ntcp_port:${port}\r\nuptime_in_seconds:${Math.floor((p.workload.clock.now() - started) / 1000)}\r\n\r\n# Clients\r\nconnected_clients:${clients}\r\n\r\n# Memory\r\nused_memory:${1_000_000 + sizeOfStore(store)}\r\nmaxmemory:${config.get('maxmemory')}\r\nmaxmemory_policy:${config.get('maxmemory-policy')}\r\n\r\n# Persistence\r\nloading:0\r\nrdb_changes_since_last_save:${redis.dirty}\r\n\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n# Keyspace\r\n${store.databases.map((data, db) => (data.size > 0 ? `db${db}:keys=${data.size},expires=${[...data.values()].filter((one) => one.expiresAt !== undefined).length},avg_ttl=0\r\n` : '')).join('')}`,
  };
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(p, port);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await log('M', '#', `Warning: Could not create server TCP listening socket *:${port}: bind: ${strerror(error)}`);
    await log('M', '#', `Failed listening on port ${port} (tcp), aborting.`);
    return 1;
  }
  await log('M', '*', `Running mode=standalone, port=${port}.`);
  await log('M', '*', 'Server initialized');
  const saved = await readText(p, dump);
  if (saved !== undefined) {
    const count = loadStore(store, saved);
    if (count === undefined) {
      await log('M', '#', 'Wrong signature trying to load DB from file');
      await log('M', '#', 'Fatal error loading the DB, check server logs. Exiting.');
      return 1;
    }
    await log('M', '*', `DB loaded from disk: 0.000 seconds`);
  }
  await log('M', '*', 'Ready to accept connections tcp');
  for (const signal of ['TERM', 'INT'] as const)
    p.handle(signal, () => {
      void p
        .print(
          `${p.pid}:signal-handler (${Math.floor(p.workload.clock.now() / 1000)}) Received SIG${signal} scheduling shutdown...\n`,
        )
        .then(() => log('M', '*', 'User requested shutdown...'))
        .then(shutdown);
    });
  p.handle('PIPE', 'ignore');
  const serve = async (fd: number): Promise<void> => {
    const session: Session = { db: 0, authenticated: false, closing: false };
    const reader = respReader(() => p.read(fd));
    clients++;
    let counted = sizeOfStore(store);
    try {
      for (let words = await reader.command(); words !== undefined; words = await reader.command()) {
        if (words.length === 0) continue;
        const reply = await runCommand(redis, session, words);
        await p.write(fd, encodeReply(reply));
        if (++commands % 64 !== 0) {
          if (session.closing) break;
          continue;
        }
        const size = sizeOfStore(store);
        if (Math.abs(size - counted) > 65_536) {
          await p.allocate(size - counted);
          counted = size;
        }
        if (session.closing) break;
      }
    } catch (error) {
      if (!(error instanceof SysError))
        await p
          .write(fd, encodeReply(failure(`ERR ${error instanceof Error ? error.message : String(error)}`)))
          .catch(() => undefined);
    }
    clients--;
    p.close(fd);
  };
  for (;;) void serve((await accept(p, listener)).fd);
}
