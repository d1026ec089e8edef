import { lazyProgram } from '../kernel/exec.ts';
import type { Program, ProgramTable } from '../kernel/workload.ts';
import { applet, type Flavour } from './applet.ts';
import { appletNames, findApplet } from './applets.ts';

/** Programs that are no small commands, by the name that executables carry. */
const programs: Readonly<Record<string, () => Promise<Program>>> = {
  ash: async () => (await import('../shell/sh.ts')).shellProgram('ash'),
  dash: async () => (await import('../shell/sh.ts')).shellProgram('dash'),
  bash: async () => (await import('../shell/sh.ts')).shellProgram('bash'),
  busybox: async () =>
    (await import('./system/busybox.ts')).busyboxProgram([...appletNames, 'ash', 'sh'].sort(), (name) =>
      name === 'ash' ? programs['ash']?.() : command(name, 'busybox')?.(),
    ),
  curl: async () => (await import('./net/curl.ts')).curl,
  'curl-entrypoint': async () => (await import('./small/curl-entrypoint.ts')).curlEntrypoint,
  agnhost: async () => (await import('./agnhost/agnhost.ts')).agnhost,
  nonewprivs: async () => (await import('./small/nonewprivs.ts')).nonewprivs,
  'resource-consumer': async () => (await import('./small/resource-consumer.ts')).resourceConsumer,
  stress: async () => (await import('./small/stress.ts')).stress,
  'traefik-whoami': async () => (await import('./small/web.ts')).whoami,
  'http-echo': async () => (await import('./small/web.ts')).httpEcho,
  'hello-app': async () => (await import('./small/web.ts')).helloApp,
  bootcamp: async () => (await import('./small/web.ts')).bootcamp,
  'echo-server': async () => (await import('./small/web.ts')).echoServer,
  'hello-kubernetes': async () => (await import('./small/web.ts')).helloKubernetes,
  'hello-world': async () => (await import('./small/web.ts')).helloWorld,
  scripted: async () => (await import('./scripted.ts')).scripted,
  'redis-server': async () => (await import('./redis/server.ts')).redisServer,
  'redis-cli': async () => (await import('./redis/cli.ts')).redisCli,
  'redis-entrypoint': async () => (await import('./redis/entrypoint.ts')).redisEntrypoint,
  'httpd-apache': async () => (await import('./small/apache.ts')).apache,
  python: async () => (await import('./small/interpreters.ts')).python,
  node: async () => (await import('./small/interpreters.ts')).node,
  java: async () => (await import('./small/interpreters.ts')).java,
  postgres: async () => (await import('./sql/postgres.ts')).postgres,
  'postgres-entrypoint': async () => (await import('./sql/postgres-entrypoint.ts')).postgresEntrypoint,
  psql: async () => (await import('./sql/psql.ts')).psql,
  pg_isready: async () => (await import('./sql/psql.ts')).pgIsready,
  mysqld: async () => (await import('./sql/mysql.ts')).mysqld,
  'mysql-entrypoint': async () => (await import('./sql/mysql-entrypoint.ts')).mysqlEntrypoint,
  mysqladmin: async () => (await import('./sql/mysql-client.ts')).mysqladmin,
  mysql: async () => (await import('./sql/mysql-client.ts')).mysqlClient,
  mongod: async () => (await import('./small/brokers.ts')).mongod,
  'rabbitmq-server': async () => (await import('./small/brokers.ts')).rabbitmq,
  nginx: async () => (await import('./nginx/main.ts')).nginx,
  'nginx-entrypoint': async () => (await import('./nginx/entrypoint.ts')).nginxEntrypoint,
  pause: async () => (await import('./pause.ts')).pause,
  'no-package-manager': async () => (await import('./no-package-manager.ts')).noPackageManager,
};

function command(name: string, flavour: Flavour): (() => Promise<Program>) | undefined {
  const load = findApplet(name);
  return load && (async () => applet(await load(), flavour));
}

const loaders = new Map<string, Program | (() => Promise<Program>)>();

/**
 * Every builtin program: `ls` is busybox's, `gnu/ls` that of Debian. Each is imported when it is first run and kept from then
 * on.
 */
export const builtinPrograms: ProgramTable = {
  find(name) {
    const known = loaders.get(name);
    if (known) return known;
    const load = name.startsWith('gnu/')
      ? command(name.slice(4), 'gnu')
      : Object.hasOwn(programs, name)
        ? programs[name]
        : command(name, 'busybox');
    if (!load) return undefined;
    const lazy = lazyProgram(async () => {
      const program = await load();
      loaders.set(name, program);
      return program;
    });
    loaders.set(name, lazy);
    return lazy;
  },
};

export const builtinProgramNames: readonly string[] = Object.keys(programs);
