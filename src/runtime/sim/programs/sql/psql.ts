import { SysError, strerror } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { goFlags } from '../go.ts';
import { dial } from '../http/client.ts';
import { lines } from '../input.ts';
import { md5Answer, message, messageReader } from './postgres-wire.ts';

const spec = {
  host: '',
  port: '',
  username: '',
  dbname: '',
  command: '',
  file: '',
  timeout: '3',
  quiet: false,
  'tuples-only': false,
  'no-align': false,
  list: false,
  variable: '',
  'no-password': false,
  password: false,
  'no-psqlrc': false,
  version: false,
};
const shorts = {
  h: 'host',
  p: 'port',
  U: 'username',
  d: 'dbname',
  c: 'command',
  f: 'file',
  t: 'timeout',
  q: 'quiet',
  v: 'variable',
  w: 'no-password',
  W: 'password',
  X: 'no-psqlrc',
  V: 'version',
  A: 'no-align',
};

/** pg_isready [-h HOST] [-p PORT] [-U USER]: 0 accepting, 2 no answer. */
export async function pgIsready(p: Process): Promise<number> {
  const flags = goFlags(p.argv.slice(1), spec, shorts);
  if ('problem' in flags) {
    await p.complain(`pg_isready: ${flags.problem}\n`);
    return 3;
  }
  const host = flags.text('host') || p.env.get('PGHOST') || '';
  const port = Number(flags.text('port') || p.env.get('PGPORT') || 5432);
  const shown = host === '' ? `/var/run/postgresql:${port}` : `${host}:${port}`;
  try {
    const connection = await dial(
      p,
      host === '' || host.startsWith('/') ? '127.0.0.1' : host,
      port,
      Number(flags.text('timeout')) * 1000,
    );
    if (!('kind' in connection)) {
      p.close(connection.fd);
      if (!flags.has('quiet')) await p.print(`${shown} - accepting connections\n`);
      return 0;
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
  if (!flags.has('quiet')) await p.print(`${shown} - no response\n`);
  return 2;
}

/** psql [-h] [-p] [-U] [-d] [-tA] [-c SQL]: runs statements and prints tables. */
export async function psql(p: Process): Promise<number> {
  const args = p.argv
    .slice(1)
    .flatMap((word) =>
      /^-[tAqXw]{1,}c?$/.test(word)
        ? [...word.slice(1)].map((letter) =>
            letter === 't' ? '--tuples-only' : letter === 'A' ? '--no-align' : `-${letter}`,
          )
        : [word],
    );
  const flags = goFlags(args, spec, { ...shorts, t: 'tuples-only' });
  if ('problem' in flags) {
    await p.complain(`psql: error: ${flags.problem}\n`);
    return 1;
  }
  if (flags.has('version')) {
    await p.print(`psql (PostgreSQL) ${p.env.get('PG_VERSION') ?? '17.5'}\n`);
    return 0;
  }
  const url = /^postgres(?:ql)?:\/\/(?:([^:@]*)(?::([^@]*))?@)?([^:/]*)(?::(\d+))?(?:\/([^?]*))?/.exec(
    flags.rest[0] ?? flags.text('dbname'),
  );
  const host = url?.[3] ?? (flags.text('host') || p.env.get('PGHOST') || '');
  const port = Number(url?.[4] ?? (flags.text('port') || p.env.get('PGPORT') || 5432));
  const user =
    url?.[1] ?? (flags.text('username') || p.env.get('PGUSER') || (p.credentials.uid === 0 ? 'root' : 'postgres'));
  const database = url?.[5] ?? (flags.text('dbname') || flags.rest[0] || p.env.get('PGDATABASE') || user);
  const password = url?.[2] ?? p.env.get('PGPASSWORD');
  const where =
    host === '' ? `on socket "/var/run/postgresql/.s.PGSQL.${port}"` : `to server at "${host}", port ${port}`;
  const fail = async (text: string): Promise<number> => {
    await p.complain(`psql: error: connection ${where} failed: ${text}\n`);
    return 2;
  };
  let fd: number;
  try {
    const connection = await dial(p, host === '' || host.startsWith('/') ? '127.0.0.1' : host, port);
    if ('kind' in connection) {
      await p.complain(`psql: error: could not translate host name "${host}" to address: Name or service not known\n`);
      return 2;
    }
    fd = connection.fd;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return fail(
      host === ''
        ? 'No such file or directory\n\tIs the server running locally and accepting connections on that socket?'
        : `${strerror(error)}\n\tIs the server running on that host and accepting TCP/IP connections?`,
    );
  }
  const reader = messageReader(() => p.read(fd));
  await p.write(fd, message('', Buffer.from(`\0\x03\0\0user\0${user}\0database\0${database}\0\0`, 'latin1')));
  for (;;) {
    const next = await reader.next();
    if (!next)
      return fail(
        'server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.',
      );
    if (next.type === 'E') return fail(`FATAL:  ${fieldOf(next.body, 'M')}`);
    if (next.type === 'Z') break;
    if (next.type !== 'R' || next.body.readUInt32BE(0) !== 5) continue;
    if (password === undefined) return fail('fe_sendauth: no password supplied');
    await p.write(fd, message('p', `${md5Answer(user, password, next.body.subarray(4, 8))}\0`));
  }
  const plain = flags.has('tuples-only') || flags.has('no-align');
  const run = async (sql: string): Promise<number> => {
    await p.write(fd, message('Q', `${sql}\0`));
    let columns: string[] = [];
    let rows: (string | null)[][] = [];
    let status = 0;
    for (;;) {
      const next = await reader.next();
      if (!next) return 2;
      if (next.type === 'Z') return status;
      if (next.type === 'T') {
        columns = columnNames(next.body);
        rows = [];
      } else if (next.type === 'D') rows.push(cellsOf(next.body));
      else if (next.type === 'E') {
        status = 1;
        await p.complain(`ERROR:  ${fieldOf(next.body, 'M')}\n`);
      } else if (next.type === 'C') {
        const tag = next.body.toString().replace(/\0$/, '');
        if (columns.length > 0)
          await p.print(
            plain ? rows.map((row) => `${row.map((cell) => cell ?? '').join('|')}\n`).join('') : grid(columns, rows),
          );
        else if (!flags.has('quiet')) await p.print(`${tag}\n`);
        columns = [];
      }
    }
  };
  const command = flags.text('command');
  if (command !== '') return run(command);
  let pending = '';
  let status = 0;
  for await (const { text } of lines(p, 0)) {
    if (/^\\q/.test(text)) return 0;
    if (/^\\(conninfo|l|dt)/.test(text)) await p.print(`the simulated psql has no ${text.split(' ')[0]}\n`);
    else pending += `${text}\n`;
    if (pending.includes(';')) {
      status = await run(pending.trim());
      pending = '';
    }
  }
  return pending.trim() === '' ? status : run(pending.trim());
}

const fieldOf = (body: Buffer, letter: string): string =>
  body
    .toString()
    .split('\0')
    .find((part) => part.startsWith(letter))
    ?.slice(1) ?? '';

function columnNames(body: Buffer): string[] {
  const names: string[] = [];
  for (let at = 2; at < body.length; ) {
    const end = body.indexOf(0, at);
    names.push(body.subarray(at, end).toString());
    at = end + 19;
  }
  return names;
}

function cellsOf(body: Buffer): (string | null)[] {
  const cells: (string | null)[] = [];
  for (let at = 2; at < body.length; ) {
    const size = body.readInt32BE(at);
    cells.push(size < 0 ? null : body.subarray(at + 4, at + 4 + size).toString());
    at += 4 + Math.max(0, size);
  }
  return cells;
}

/** A table as psql draws it: centred heads, numbers to the right. */
function grid(columns: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const widths = columns.map((name, index) => Math.max(name.length, ...rows.map((row) => (row[index] ?? '').length)));
  const centred = (text: string, width: number): string => {
    const left = Math.floor((width - text.length) / 2);
    return `${' '.repeat(left)}${text}${' '.repeat(width - text.length - left)}`;
  };
  const numeric = columns.map(
    (_, index) =>
      rows.length > 0 && rows.every((row) => row[index] === null || /^-?\d+(\.\d+)?$/.test(row[index] ?? '')),
  );
  const head = columns.map((name, index) => ` ${centred(name, widths[index] ?? 0)} `).join('|');
  const line = widths.map((width) => '-'.repeat(width + 2)).join('+');
  const body = rows.map((row) =>
    row
      .map(
        (cell, index) =>
          ` ${numeric[index] ? (cell ?? '').padStart(widths[index] ?? 0) : (cell ?? '').padEnd(widths[index] ?? 0)} `,
      )
      .join('|')
      .trimEnd(),
  );
  return `${[head, line, ...body].join('\n')}\n(${rows.length} row${rows.length === 1 ? '' : 's'})\n\n`;
}
