import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { changeMode, changeOwner, listPath, makeDirectories } from '../../vfs/operations.ts';
import { runApplet } from '../applet.ts';
import { dropRoot, ownBy } from '../small/drop-root.ts';
import { execCommand } from '../system/identity.ts';
import { createSqlStore, dumpTables, runSql, statements } from './engine.ts';
import { type Cluster, clusterFile, pgStamp, pgVersion } from './postgres.ts';

/** docker-entrypoint.sh of the postgres images: initialises an empty data directory, then the server. */
export async function postgresEntrypoint(p: Process): Promise<number> {
  const words = p.argv.slice(1);
  const command = words[0]?.startsWith('-') ? ['postgres', ...words] : words;
  if (
    command[0] === 'postgres' &&
    !command.some((word) => /^(--help|-\?|--version|-V|--describe-config)$/.test(word))
  ) {
    const data = p.env.get('PGDATA') ?? '/var/lib/postgresql/data';
    try {
      makeDirectories(p.view, data);
      ownBy(p, data, 'postgres', (path, uid, gid) => {
        changeOwner(p.view, path, uid, gid);
        changeMode(p.view, path, 0o700);
      });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await p.complain(
        `chown: changing ownership of '${data}': ${error.code === 'EROFS' ? 'Read-only file system' : 'Operation not permitted'}\n`,
      );
      return 1;
    }
    dropRoot(p, 'postgres');
    const failed = (await readText(p, `${data}/PG_VERSION`)) === undefined ? await initialise(p, data) : await skip(p);
    if (failed) return failed;
  }
  return runApplet((a) => execCommand(a, command), p, 'docker-entrypoint.sh', command, 'gnu');
}

async function skip(p: Process): Promise<number> {
  await p.print('\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n');
  return 0;
}

/** A variable, or the text of the file that its _FILE sibling names. */
async function setting(p: Process, name: string, fallback = ''): Promise<string> {
  const file = p.env.get(`${name}_FILE`);
  return (
    p.env.get(name) ?? (file === undefined ? undefined : (await readText(p, file))?.replace(/\n$/, '')) ?? fallback
  );
}

async function initialise(p: Process, data: string): Promise<number> {
  const password = await setting(p, 'POSTGRES_PASSWORD');
  const method = p.env.get('POSTGRES_HOST_AUTH_METHOD') ?? '';
  if (password === '' && method !== 'trust') {
    await p.complain(
      'Error: Database is uninitialized and superuser password is not specified.\n       You must specify POSTGRES_PASSWORD to a non-empty value for the\n       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".\n\n       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all\n       connections without a password. This is *not* recommended.\n\n       See PostgreSQL documentation about "trust":\n       https://www.postgresql.org/docs/current/auth-trust.html\n',
    );
    return 1;
  }
  const head =
    'The files belonging to this database system will be owned by user "postgres".\nThis user must also own the server process.\n\nThe database cluster will be initialized with locale "en_US.utf8".\nThe default database encoding has accordingly been set to "UTF8".\nThe default text search configuration will be set to "english".\n\nData page checksums are disabled.\n\n';
  await p.print(head);
  let present: readonly string[];
  try {
    present = listPath(p.view, data);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await p.complain(`initdb: error: could not access directory "${data}": Permission denied\n`);
    return 1;
  }
  if (present.length > 0) {
    await p.complain(`initdb: error: directory "${data}" exists but is not empty\n`);
    await p.complain(
      present.includes('lost+found')
        ? 'initdb: detail: It contains a lost+found directory, perhaps due to it being a mount point.\ninitdb: hint: Using a mount point directly as the data directory is not recommended.\nCreate a subdirectory under the mount point.\n'
        : `initdb: hint: If you want to create a new database system, either remove or empty the directory "${data}" or run initdb with an argument other than "${data}".\n`,
    );
    return 1;
  }
  const user = await setting(p, 'POSTGRES_USER', 'postgres');
  const cluster: Cluster = { user, password, database: await setting(p, 'POSTGRES_DB', user), method: method || 'md5' };
  try {
    changeMode(p.view, data, 0o700);
    for (const dir of ['base', 'global', 'pg_wal', 'pg_stat', 'pg_tblspc'])
      makeDirectories(p.view, `${data}/${dir}`, 0o700);
    const write = async (name: string, text: string): Promise<void> => {
      const fd = p.open(`${data}/${name}`, { write: true, create: true }, 0o600);
      await p.write(fd, text);
      p.close(fd);
    };
    await write('postgresql.conf', "listen_addresses = '*'\nmax_connections = 100\nshared_buffers = 128MB\n");
    await write(
      'pg_hba.conf',
      `local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all all ${cluster.method}\n`,
    );
    await write(clusterFile, JSON.stringify(cluster));
    await write('PG_VERSION', `${p.env.get('PG_MAJOR') ?? '17'}\n`);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const why =
      {
        EACCES: 'Permission denied',
        EPERM: 'Operation not permitted',
        EROFS: 'Read-only file system',
        ENOSPC: 'No space left on device',
      }[error.code as 'EACCES'] ?? error.message;
    await p.complain(
      `fixing permissions on existing directory ${data} ... initdb: error: could not change permissions of directory "${data}": ${why}\n`,
    );
    return 1;
  }
  await p.print(
    `fixing permissions on existing directory ${data} ... ok\ncreating subdirectories ... ok\nselecting dynamic shared memory implementation ... posix\nselecting default "max_connections" ... 100\nselecting default "shared_buffers" ... 128MB\nselecting default time zone ... Etc/UTC\ncreating configuration files ... ok\nrunning bootstrap script ... ok\nperforming post-bootstrap initialization ... ok\nsyncing data to disk ... ok\n\n\nSuccess. You can now start the database server using:\n\n    pg_ctl -D ${data} -l logfile start\n\n`,
  );
  await p.complain(
    'initdb: warning: enabling "trust" authentication for local connections\ninitdb: hint: You can change this by editing pg_hba.conf or using the option -A, or --auth-local and --auth-host, the next time you run initdb.\n',
  );
  await p.print(
    `waiting for server to start....${pgStamp(p)} LOG:  starting ${pgVersion(p)}\n${pgStamp(p)} LOG:  database system is ready to accept connections\n done\nserver started\n`,
  );
  if (cluster.database !== 'postgres') await p.print('CREATE DATABASE\n');
  const failed = await scripts(p, data, cluster);
  if (failed) return failed;
  await p.print(
    'waiting for server to shut down.... done\nserver stopped\n\nPostgreSQL init process complete; ready for start up.\n\n',
  );
  return 0;
}

async function scripts(p: Process, data: string, cluster: Cluster): Promise<number> {
  const dir = '/docker-entrypoint-initdb.d';
  let names: readonly string[] = [];
  try {
    names = listPath(p.view, dir);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
  if (names.length === 0) {
    await p.print(`\n/usr/local/bin/docker-entrypoint.sh: ignoring ${dir}/*\n\n`);
    return 0;
  }
  const store = createSqlStore(pgVersion(p));
  for (const name of names) {
    if (!name.endsWith('.sql')) {
      await p.print(`\n/usr/local/bin/docker-entrypoint.sh: ignoring ${dir}/${name}\n`);
      continue;
    }
    await p.print(`\n/usr/local/bin/docker-entrypoint.sh: running ${dir}/${name}\n`);
    const text = ((await readText(p, `${dir}/${name}`)) ?? '').replace(/--.*$/gm, '');
    for (const statement of statements(text)) {
      const result = runSql(store, statement, cluster.user, cluster.database);
      if (result.kind === 'error') {
        await p.complain(`psql:${dir}/${name}:1: ERROR:  ${result.message}\n`);
        return 3;
      }
      if (result.kind === 'done') await p.print(`${result.tag}\n`);
    }
  }
  const fd = p.open(`${data}/base/tables.json`, { write: true, create: true, truncate: true }, 0o600);
  await p.write(fd, dumpTables(store));
  p.close(fd);
  return 0;
}
