import { isSysError, SysError, strerror } from '../../errno.ts';
import { fork } from '../../kernel/exec.ts';
import type { Process } from '../../kernel/process.ts';
import type { Listener } from '../../net/net-namespace.ts';
import { readText } from '../../net/read-text.ts';
import { accept, type Held, listen } from '../../net/sockets.ts';
import { resolve } from '../../vfs/mount-space.ts';
import { makeNode } from '../../vfs/operations.ts';
import { serveConnection } from '../http/server.ts';
import { header } from '../http/wire.ts';
import { readNames } from '../names.ts';
import { formatTime } from '../system/time.ts';
import { answer, chooseServer, fill, type Visit } from './answer.ts';
import { type Config, loadConfig } from './config.ts';
import { ConfError } from './parse-conf.ts';

interface Master {
  readonly p: Process;
  readonly version: string;
  config: Config;
  readonly listeners: Map<string, Held<Listener>>;
  workers: Process[];
  stopping: 'no' | 'gracefully' | 'at once';
  /** Wakes the master's loop. */
  wake: () => void;
  reload: boolean;
}

const logTime = (p: Process): string => formatTime('%Y/%m/%d %H:%M:%S', p.workload.clock.now());
const codes: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EACCES: 13,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
};
const failure = (error: SysError): string => `(${codes[error.code] ?? 5}: ${strerror(error)})`;

async function append(p: Process, path: string, text: string): Promise<void> {
  try {
    const target =
      path === 'stderr' || path === '/dev/stderr'
        ? undefined
        : p.open(path, { write: true, create: true, append: true });
    if (target === undefined) await p.complain(text);
    else {
      await p.write(target, text);
      p.close(target);
    }
  } catch (error) {
    // A log that cannot be written to does not stop the server.
    if (!(error instanceof SysError)) throw error;
  }
}

/** nginx [-t] [-T] [-v] [-V] [-s SIGNAL] [-g DIRECTIVES] [-c FILE] [-q]: master and workers. */
export async function nginx(p: Process): Promise<number> {
  const version = p.env.get('NGINX_VERSION') ?? '1.27.4';
  let path = '/etc/nginx/nginx.conf';
  let extra = '';
  let test = false;
  let signal: string | undefined;
  const args = p.argv.slice(1);
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '-v' || word === '-V') {
      await p.complain(`nginx version: nginx/${version}\n`);
      return 0;
    }
    if (word === '-t' || word === '-T') test = true;
    else if (word === '-g') extra = args[++at] ?? '';
    else if (word === '-c') path = args[++at] ?? '';
    else if (word === '-s') signal = args[++at] ?? '';
    else if (word === '-p' || word === '-e') at++;
    else if (word !== '-q' && word.startsWith('-')) {
      await p.complain(`nginx: invalid option: "${word.replace(/^-+/, '')}"\n`);
      return 1;
    }
  }
  const say = async (level: string, text: string, log: string): Promise<void> => {
    if (!test && !signal) await append(p, log, `${logTime(p)} [${level}] ${p.pid}#${p.pid}: ${text}\n`);
    await p.complain(`nginx: [${level}] ${text}\n`);
  };
  let config: Config;
  try {
    config = await loadConfig(p, path.startsWith('/') ? path : `/etc/nginx/${path}`, extra);
  } catch (error) {
    if (!(error instanceof ConfError)) throw error;
    await say('emerg', error.message, '/var/log/nginx/error.log');
    if (test) await p.complain(`nginx: configuration file ${path} test failed\n`);
    return 1;
  }
  if (signal !== undefined) return send(p, config, signal);
  for (const text of config.warnings) await say('warn', text, config.errorLog);
  if (test) {
    await p.complain(
      `nginx: the configuration file ${path} syntax is ok\nnginx: configuration file ${path} test is successful\n`,
    );
    return 0;
  }
  const master: Master = {
    p,
    version,
    config,
    listeners: new Map(),
    workers: [],
    stopping: 'no',
    wake: () => undefined,
    reload: false,
  };
  const problem = prepareDirectories(p) ?? bindAll(master);
  if (problem !== undefined) {
    await say('emerg', problem, config.errorLog);
    if (problem.startsWith('bind()')) await p.complain('nginx: [emerg] still could not bind()\n');
    return 1;
  }
  if (!config.daemon) return run(master, path, extra);
  fork(p, (child) => run({ ...master, p: child }, path, extra));
  return 0;
}

async function send(p: Process, config: Config, signal: string): Promise<number> {
  const names = { stop: 'TERM', quit: 'QUIT', reload: 'HUP', reopen: 'USR1' } as const;
  if (!Object.hasOwn(names, signal)) {
    await p.complain(`nginx: invalid option: "-s ${signal}"\n`);
    return 1;
  }
  const text = await readText(p, config.pid);
  const target = p.workload.pids.processes.get(Number(text));
  if (text === undefined || !target) {
    await p.complain(
      text === undefined
        ? `nginx: [error] open() "${config.pid}" failed (2: No such file or directory)\n`
        : text.trim() === ''
          ? `nginx: [error] invalid PID number "" in "${config.pid}"\n`
          : `nginx: [alert] kill(${text.trim()}, ${signal}) failed (3: No such process)\n`,
    );
    return 1;
  }
  target.signal(names[signal as keyof typeof names]);
  return 0;
}

/** Temporary directories, as compiled in; the text of what is wrong. */
function prepareDirectories(p: Process): string | undefined {
  const user = readNames(p).uid('nginx') ?? 101;
  const base = resolve(p.view, '/var/cache/nginx').inode ? '/var/cache/nginx' : '/tmp';
  for (const kind of ['client', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) {
    const path = base === '/tmp' ? `/tmp/${kind}_temp` : `${base}/${kind}_temp`;
    try {
      const made = resolve(p.view, path).inode ?? makeNode(p.view, path, 'directory', 0o700);
      if (p.credentials.uid !== 0) continue;
      if (!p.workload.privileged && !p.workload.capabilities.has('CHOWN'))
        throw Object.assign(new SysError('EPERM'), { step: 'chown' });
      made.uid = user;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return 'step' in error
        ? `chown("${path}", ${user}) failed ${failure(error)}`
        : `mkdir() "${path}" failed ${failure(error)}`;
    }
  }
  return undefined;
}

function bindAll(master: Master): string | undefined {
  for (const { listens } of master.config.servers)
    for (const { ip, port } of listens) {
      // One socket serves both families here.
      const key = String(port);
      if (master.listeners.has(key)) continue;
      try {
        master.listeners.set(key, listen(master.p, port, ip.startsWith('[') ? '0.0.0.0' : ip));
      } catch (error) {
        if (!isSysError(error)) throw error;
        return `bind() to ${ip}:${port} failed ${failure(error)}`;
      }
    }
  return undefined;
}

async function run(master: Master, path: string, extra: string): Promise<number> {
  const { p } = master;
  const notice = (text: string): Promise<void> =>
    append(p, master.config.errorLog, `${logTime(p)} [notice] ${p.pid}#${p.pid}: ${text}\n`);
  try {
    const fd = p.open(master.config.pid, { write: true, create: true, truncate: true });
    await p.write(fd, `${p.pid}\n`);
    p.close(fd);
  } catch (error) {
    if (!isSysError(error)) throw error;
    const text = `open() "${master.config.pid}" failed ${failure(error)}`;
    await append(p, master.config.errorLog, `${logTime(p)} [emerg] ${p.pid}#${p.pid}: ${text}\n`);
    await p.complain(`nginx: [emerg] ${text}\n`);
    return 1;
  }
  p.argv = ['nginx: master process nginx -g daemon off;'.replace('nginx -g daemon off;', p.argv.join(' '))];
  for (const text of [
    'using the "epoll" event method',
    `nginx/${master.version}`,
    'built by gcc 12.2.0 (Debian 12.2.0-14+deb12u1) ',
    `OS: Linux ${p.workload.machine.kernelVersion}`,
    'getrlimit(RLIMIT_NOFILE): 1048576:1048576',
    'start worker processes',
  ])
    await notice(text);
  const signals = { TERM: 'at once', INT: 'at once', QUIT: 'gracefully' } as const;
  for (const name of ['TERM', 'INT', 'QUIT'] as const)
    p.handle(name, () => {
      if (master.stopping === 'no') master.stopping = signals[name];
      master.wake();
    });
  p.handle('HUP', () => {
    master.reload = true;
    master.wake();
  });
  await startWorkers(master, notice);
  for (;;) {
    await p.block((wake) => {
      master.wake = wake;
      return undefined;
    });
    if (master.stopping !== 'no') break;
    if (!master.reload) continue;
    master.reload = false;
    await notice('signal 1 (SIGHUP) received, reconfiguring');
    try {
      const config = await loadConfig(p, path, extra);
      master.config = config;
      bindAll(master);
      const old = master.workers;
      await notice('start worker processes');
      await startWorkers(master, notice);
      for (const worker of old) worker.signal('QUIT');
    } catch (error) {
      if (!(error instanceof ConfError)) throw error;
      await append(p, master.config.errorLog, `${logTime(p)} [emerg] ${p.pid}#${p.pid}: ${error.message}\n`);
    }
  }
  const graceful = master.stopping === 'gracefully';
  await notice(graceful ? 'signal 3 (SIGQUIT) received, shutting down' : 'signal 15 (SIGTERM) received, exiting');
  for (const { fd } of master.listeners.values()) p.close(fd);
  for (const worker of master.workers) worker.signal(graceful ? 'QUIT' : 'TERM');
  for (const worker of master.workers) {
    const status = await p.wait(worker);
    await notice(`signal 17 (SIGCHLD) received from ${worker.pid}`);
    await notice(`worker process ${worker.pid} exited with code ${status.code}`);
  }
  await notice('exit');
  return 0;
}

async function startWorkers(master: Master, notice: (text: string) => Promise<void>): Promise<void> {
  const { p, config, version } = master;
  master.workers = [];
  const user = readNames(p).uid('nginx') ?? 101;
  for (let i = 0; i < config.workers; i++) {
    const worker = fork(p, (child) => work(child, config, version, master.listeners));
    if (p.credentials.uid === 0) worker.credentials = { uid: user, gid: user, groups: [user], override: false };
    worker.argv = ['nginx: worker process'];
    worker.rss = 3 * 1024 * 1024;
    worker.whenEnded(() => {
      // A worker that died by itself is replaced.
      if (master.stopping === 'no' && master.workers.includes(worker) && p.alive) {
        master.workers = master.workers.filter((other) => other !== worker);
        const next = fork(p, (child) => work(child, config, version, master.listeners));
        next.argv = ['nginx: worker process'];
        next.credentials = worker.credentials;
        master.workers.push(next);
      }
    });
    master.workers.push(worker);
    await notice(`start worker process ${worker.pid}`);
  }
}

/** A worker: takes connections from all ports until told to go. */
async function work(
  p: Process,
  config: Config,
  version: string,
  listeners: ReadonlyMap<string, Held<Listener>>,
): Promise<number> {
  const counters = { accepted: 0, requests: 0, active: 0 };
  let draining = false;
  let finish: (code: number) => void = () => undefined;
  const ended = new Promise<number>((settle) => {
    finish = settle;
  });
  p.handle('PIPE', 'ignore');
  p.handle('HUP', 'ignore');
  p.handle('TERM', () => finish(0));
  p.handle('INT', () => finish(0));
  p.handle('QUIT', () => {
    draining = true;
    for (const { fd } of listeners.values()) p.close(fd);
    if (counters.active === 0) finish(0);
  });
  const error = (level: string, text: string): Promise<void> =>
    append(p, config.errorLog, `${logTime(p)} [${level}] ${p.pid}#${p.pid}: ${text}\n`);
  const take = async (port: number, listener: Held<Listener>): Promise<void> => {
    while (!draining) {
      const connection = await accept(p, listener);
      counters.accepted++;
      counters.active++;
      const visits = new Map<object, Visit>();
      void serveConnection(
        p,
        connection,
        (request) => {
          counters.requests++;
          const server = chooseServer(config, port, header(request.headers, 'host') ?? '');
          if (!server) return { status: 404, close: true };
          const visit: Visit = {
            p,
            config,
            version,
            request,
            server,
            counters,
            scope: server.scope,
            location: undefined,
            uri: request.path,
            captures: null,
            error,
          };
          visits.set(request, visit);
          return answer(visit);
        },
        {
          before: [['Server', `nginx/${version}`]],
          draining: () => draining,
          bodyLimit: 1 << 26,
          malformed: (status) => ({
            status,
            headers: [['Content-Type', 'text/html']],
            body: `<html>\r\n<head><title>${status} Bad Request</title></head>\r\n<body>\r\n<center><h1>${status} Bad Request</h1></center>\r\n<hr><center>nginx/${version}</center>\r\n</body>\r\n</html>\r\n`,
          }),
          async log(request, status, bytes) {
            const visit = visits.get(request);
            visits.delete(request);
            const log = visit?.scope.accessLog;
            if (!visit || !log) return;
            const line = fill(visit, config.formats.get(log.format) ?? '', status, bytes).replace(/""/g, '"-"');
            await append(p, log.path, `${line}\n`);
          },
        },
      ).then(() => {
        counters.active--;
        if (draining && counters.active === 0) finish(0);
      });
    }
  };
  for (const [port, listener] of listeners) void take(Number(port), listener);
  return ended;
}
