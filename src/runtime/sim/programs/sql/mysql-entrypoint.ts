import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { changeOwner } from '../../vfs/operations.ts';
import { runApplet } from '../applet.ts';
import { dropRoot, ownBy } from '../small/drop-root.ts';
import { execCommand } from '../system/identity.ts';
import { formatTime } from '../system/time.ts';
import { type Accounts, accountsFile, dataDirectory, isMaria } from './mysql.ts';

/** docker-entrypoint.sh of the mysql and mariadb images. */
export async function mysqlEntrypoint(p: Process): Promise<number> {
  const maria = isMaria(p);
  const words = p.argv.slice(1);
  const command = words[0]?.startsWith('-') ? [maria ? 'mariadbd' : 'mysqld', ...words] : words;
  const name = maria ? 'MariaDB' : 'MySQL';
  const version = p.env.get(maria ? 'MARIADB_VERSION' : 'MYSQL_VERSION') ?? '';
  const stamp = (): string => formatTime('%Y-%m-%d %H:%M:%S+00:00', p.workload.clock.now());
  const note = (text: string): Promise<void> => p.print(`${stamp()} [Note] [Entrypoint]: ${text}\n`);
  if (/^(mysqld|mariadbd)$/.test(command[0] ?? '')) {
    await note(`Entrypoint script for ${name} Server ${version} started.`);
    if (p.credentials.uid === 0) {
      await note(`Switching to dedicated user 'mysql'`);
      try {
        ownBy(p, dataDirectory, 'mysql', (path, uid, gid) => changeOwner(p.view, path, uid, gid));
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        await p.complain(`chown: changing ownership of '${dataDirectory}': Operation not permitted\n`);
        return 1;
      }
      dropRoot(p, 'mysql');
      await note(`Entrypoint script for ${name} Server ${version} started.`);
    }
    if ((await readText(p, accountsFile)) === undefined) {
      const failed = await initialise(p, maria, note, stamp);
      if (failed) return failed;
    }
  }
  return runApplet((a) => execCommand(a, command), p, 'docker-entrypoint.sh', command, 'gnu');
}

async function initialise(
  p: Process,
  maria: boolean,
  note: (text: string) => Promise<void>,
  stamp: () => string,
): Promise<number> {
  const value = async (key: string): Promise<string | undefined> => {
    for (const name of maria ? [`MARIADB_${key}`, `MYSQL_${key}`] : [`MYSQL_${key}`]) {
      const file = p.env.get(`${name}_FILE`);
      const text = p.env.get(name) ?? (file === undefined ? undefined : (await readText(p, file))?.replace(/\n$/, ''));
      if (text !== undefined && text !== '') return text;
    }
    return undefined;
  };
  const root = await value('ROOT_PASSWORD');
  const empty =
    (await value(maria ? 'ALLOW_EMPTY_ROOT_PASSWORD' : 'ALLOW_EMPTY_PASSWORD')) ??
    (await value('ALLOW_EMPTY_PASSWORD'));
  const random = await value('RANDOM_ROOT_PASSWORD');
  if (root === undefined && empty === undefined && random === undefined) {
    await p.complain(
      `${stamp()} [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n${
        maria
          ? '\tYou need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD\n'
          : '    You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD\n'
      }`,
    );
    return 1;
  }
  const generated = random === undefined ? undefined : Buffer.from(p.workload.random.bytes(18)).toString('base64');
  const user = await value('USER');
  if (user === 'root') {
    await p.complain(
      `${stamp()} [ERROR] [Entrypoint]: MYSQL_USER="root", MYSQL_USER and MYSQL_PASSWORD are for configuring a regular user and cannot be used for the root user\n`,
    );
    return 1;
  }
  const accounts: Accounts = {
    users: {
      root: root ?? generated ?? '',
      ...(user === undefined ? {} : { [user]: (await value('PASSWORD')) ?? '' }),
    },
    database: (await value('DATABASE')) ?? '',
  };
  await note('Initializing database files');
  try {
    const fd = p.open(accountsFile, { write: true, create: true }, 0o640);
    await p.write(fd, JSON.stringify(accounts));
    p.close(fd);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await p.complain(`mkdir: cannot create directory '${dataDirectory}': Permission denied\n`);
    return 1;
  }
  await note('Database files initialized');
  await note('Starting temporary server');
  await note('Temporary server started.');
  if (generated !== undefined) await note(`GENERATED ROOT PASSWORD: ${generated}`);
  if (accounts.database !== '') await note(`Creating database ${accounts.database}`);
  if (user !== undefined) await note(`Creating user ${user}`);
  await note('Stopping temporary server');
  await note('Temporary server stopped');
  await p.print('\n');
  await note(`${maria ? 'MariaDB' : 'MySQL'} init process done. Ready for start up.`);
  await p.print('\n');
  return 0;
}
