import { describe, expect, test } from 'vitest';
import { builtinImage, simBox } from '../sim-box.ts';

describe('postgres', () => {
  const image = builtinImage('postgres:16');
  test('demands a password', async () => {
    const run = simBox(image).start();
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toMatch(
      /^Error: Database is uninitialized and superuser password is not specified\.\n {7}You must specify POSTGRES_PASSWORD/,
    );
  });

  test('initialises, serves, keeps its data', async () => {
    const box = simBox(image);
    const run = box.start(undefined, { env: { POSTGRES_PASSWORD: 'secret' } });
    await run.saw('PostgreSQL init process complete');
    await run.saw('listening on IPv4 address "0.0.0.0", port 5432');
    const sql = async (text: string) => box.run(['psql', '-U', 'postgres', '-tAc', text]);
    expect((await box.run(['pg_isready'])).stdout).toBe('/var/run/postgresql:5432 - accepting connections\n');
    expect((await sql('SELECT 1')).stdout).toBe('1\n');
    expect((await sql('CREATE TABLE t (id serial primary key, name text)')).stdout).toBe('CREATE TABLE\n');
    expect((await sql("INSERT INTO t (name) VALUES ('ann'), ('bob')")).stdout).toBe('INSERT 0 2\n');
    expect((await sql("SELECT id, name FROM t WHERE name = 'bob'")).stdout).toBe('2|bob\n');
    expect(await sql('SELECT * FROM nope')).toEqual({
      stdout: '',
      stderr: 'ERROR:  relation "nope" does not exist\n',
      code: 1,
    });
    expect((await box.run(['psql', '-U', 'postgres', '-c', 'SELECT count(*) FROM t'])).stdout).toBe(
      ' count \n-------\n     2\n(1 row)\n\n',
    );
    const other = simBox(image, { network: box.network });
    const remote = (password: string) =>
      other.run(['psql', '-h', box.ip, '-U', 'postgres', '-tAc', 'SELECT 2'], { env: { PGPASSWORD: password } });
    expect((await remote('secret')).stdout).toBe('2\n');
    expect(await remote('wrong')).toEqual({
      stdout: '',
      stderr: `psql: error: connection to server at "${box.ip}", port 5432 failed: FATAL:  password authentication failed for user "postgres"\n`,
      code: 2,
    });
    run.p.signal('INT', false);
    expect(await run.ended).toBe(0);
    const again = box.start();
    await again.saw('Skipping initialization');
    await again.saw('listening on IPv4');
    expect((await sql('SELECT count(*) FROM t')).stdout).toBe('2\n');
  });

  test('a data directory that is not empty, or of another version', async () => {
    const full = simBox(image);
    full.write('/var/lib/postgresql/data/lost+found/x', '');
    const run = full.start(undefined, { env: { POSTGRES_PASSWORD: 'x' } });
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toContain(
      'initdb: error: directory "/var/lib/postgresql/data" exists but is not empty\ninitdb: detail: It contains a lost+found directory',
    );
    const old = simBox(image);
    old.write('/var/lib/postgresql/data/PG_VERSION', '15\n');
    const refused = old.start();
    expect(await refused.ended).toBe(1);
    expect(refused.stderr()).toContain('FATAL:  database files are incompatible with server');
    expect((await simBox(image).run(['postgres'])).stderr).toContain(
      '"root" execution of the PostgreSQL server is not permitted.',
    );
  });
});

describe('mysql and mariadb', () => {
  test.each([
    ['mysql:8.0', '- MYSQL_ROOT_PASSWORD\n', 'MYSQL_ROOT_PASSWORD'],
    ['mariadb:11', 'You need to specify one of MARIADB_ROOT_PASSWORD', 'MARIADB_ROOT_PASSWORD'],
  ])('%s', async (name, demand, variable) => {
    const image = builtinImage(name);
    const refused = simBox(image).start();
    expect(await refused.ended).toBe(1);
    expect(refused.stderr()).toContain(demand);
    const box = simBox(image);
    const run = box.start(undefined, { env: { [variable]: 'secret' } });
    await run.saw('ready for connections');
    expect((await box.run(['mysqladmin', 'ping', '-psecret'])).stdout).toBe('mysqld is alive\n');
    expect((await box.run(['mysql', '-uroot', '-psecret', '-N', '-e', 'SELECT 1'])).stdout).toBe('1\n');
    expect(await box.run(['mysql', '-uroot', '-pwrong', '-e', 'SELECT 1'])).toEqual({
      stdout: '',
      stderr: "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)\n",
      code: 1,
    });
    run.p.signal('TERM', false);
    expect(await run.ended).toBe(0);
    expect((await box.run(['mysqladmin', 'ping'])).code).toBe(1);
  });
});

test.each([
  ['mongo', 'Waiting for connections', 27_017],
  ['rabbitmq', 'Server startup complete', 5672],
  ['httpd', 'resuming normal operations', 80],
])('%s gets ready', async (name, line, port) => {
  const box = simBox(builtinImage(name));
  await box.start().saw(line);
  const client = simBox(builtinImage('busybox'), { network: box.network });
  expect((await client.run(['nc', '-z', box.ip, String(port)])).code).toBe(0);
});
