/** A table of the tiny engine: named columns, rows of text or null. */
interface Table {
  readonly columns: string[];
  readonly rows: (string | null)[][];
}

export type SqlResult =
  | {
      readonly kind: 'rows';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly (string | null)[])[];
    }
  | { readonly kind: 'done'; readonly tag: string }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

/** Databases by name, tables by name. */
export interface SqlStore {
  readonly tables: Map<string, Table>;
  readonly version: string;
}

export const createSqlStore = (version: string): SqlStore => ({ tables: new Map(), version });

export const dumpTables = (store: SqlStore): string =>
  JSON.stringify([...store.tables].map(([name, { columns, rows }]) => ({ name, columns, rows })));

export function loadTables(store: SqlStore, text: string): void {
  for (const { name, columns, rows } of JSON.parse(text) as {
    name: string;
    columns: string[];
    rows: (string | null)[][];
  }[])
    store.tables.set(name, { columns, rows });
}

const error = (code: string, message: string): SqlResult => ({ kind: 'error', code, message });
const name = (text: string): string =>
  text
    .trim()
    .replace(/^(?:public\.)?["`]?([^"`]*)["`]?$/, '$1')
    .toLowerCase();

/** Parts a list at commas outside of quotes and brackets. */
function commas(text: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let quote = false;
  let part = '';
  for (const char of text) {
    if (char === "'") quote = !quote;
    if (!quote && char === '(') depth++;
    if (!quote && char === ')') depth--;
    if (char === ',' && depth === 0 && !quote) {
      out.push(part.trim());
      part = '';
    } else part += char;
  }
  return part.trim() === '' && out.length === 0 ? [] : [...out, part.trim()];
}

/** A literal's text; undefined when it is no literal. */
function literal(text: string): string | null | undefined {
  const quoted = /^'((?:[^']|'')*)'(?:::\w+)?$/.exec(text.trim());
  if (quoted) return (quoted[1] ?? '').replaceAll("''", "'");
  if (/^-?\d+(\.\d+)?$/.test(text.trim())) return text.trim();
  if (/^null$/i.test(text.trim())) return null;
  return /^(true|false)$/i.test(text.trim()) ? (/^t/i.test(text.trim()) ? 't' : 'f') : undefined;
}

function condition(
  table: Table,
  where: string | undefined,
): ((row: readonly (string | null)[]) => boolean) | SqlResult {
  if (where === undefined) return () => true;
  const tests = where.split(/\s+and\s+/i).map((part) => {
    const match = /^\s*(\S+?)\s*(=|<>|!=|<=|>=|<|>)\s*('(?:[^']|'')*'|\S+)\s*$/.exec(part);
    const column = match ? table.columns.indexOf(name(match[1] ?? '')) : -1;
    const value = match ? literal(match[3] ?? '') : undefined;
    return { column, op: match?.[2] ?? '', value, known: column >= 0 && value !== undefined, text: match?.[1] ?? part };
  });
  const bad = tests.find(({ known }) => !known);
  if (bad) return error('42703', `column "${bad.text}" does not exist`);
  return (row) =>
    tests.every(({ column, op, value }) => {
      const cell = row[column] ?? null;
      if (cell === null || value === null || value === undefined) return false;
      const order =
        /^-?[\d.]+$/.test(cell) && /^-?[\d.]+$/.test(value)
          ? Number(cell) - Number(value)
          : cell < value
            ? -1
            : cell > value
              ? 1
              : 0;
      return (
        {
          '=': order === 0,
          '<>': order !== 0,
          '!=': order !== 0,
          '<': order < 0,
          '>': order > 0,
          '<=': order <= 0,
          '>=': order >= 0,
        }[op] ?? false
      );
    });
}

/** Runs one statement: constants, CREATE and DROP TABLE, INSERT, SELECT, UPDATE, DELETE on single tables. */
export function runSql(store: SqlStore, statement: string, user: string, database: string): SqlResult {
  const sql = statement.trim().replace(/;\s*$/, '');
  const absent = (table: string): SqlResult => error('42P01', `relation "${table}" does not exist`);
  let m: RegExpExecArray | null = /^create\s+table\s+(if\s+not\s+exists\s+)?(\S+?)\s*\(([\s\S]*)\)\s*[^)]*$/i.exec(sql);
  if (m) {
    const table = name(m[2] ?? '');
    if (store.tables.has(table))
      return m[1] ? { kind: 'done', tag: 'CREATE TABLE' } : error('42P07', `relation "${table}" already exists`);
    const columns = commas(m[3] ?? '')
      .filter((part) => !/^(primary|unique|foreign|constraint|check|key|index)\b/i.test(part))
      .map((part) => name(part.split(/\s+/)[0] ?? ''));
    store.tables.set(table, { columns, rows: [] });
    return { kind: 'done', tag: 'CREATE TABLE' };
  }
  m = /^drop\s+table\s+(if\s+exists\s+)?(\S+)$/i.exec(sql);
  if (m)
    return store.tables.delete(name(m[2] ?? '')) || m[1]
      ? { kind: 'done', tag: 'DROP TABLE' }
      : error('42P01', `table "${name(m[2] ?? '')}" does not exist`);
  m = /^insert\s+into\s+(\S+?)\s*(?:\(([^)]*)\))?\s*values\s*([\s\S]*)$/i.exec(sql);
  if (m) return insert(store, name(m[1] ?? ''), m[2], m[3] ?? '');
  m = /^delete\s+from\s+(\S+)(?:\s+where\s+([\s\S]*))?$/i.exec(sql);
  if (m) {
    const table = store.tables.get(name(m[1] ?? ''));
    if (!table) return absent(name(m[1] ?? ''));
    const hit = condition(table, m[2]);
    if (typeof hit !== 'function') return hit;
    const kept = table.rows.filter((row) => !hit(row));
    const count = table.rows.length - kept.length;
    table.rows.splice(0, table.rows.length, ...kept);
    return { kind: 'done', tag: `DELETE ${count}` };
  }
  m = /^update\s+(\S+)\s+set\s+([\s\S]*?)(?:\s+where\s+([\s\S]*))?$/i.exec(sql);
  if (m) {
    const table = store.tables.get(name(m[1] ?? ''));
    if (!table) return absent(name(m[1] ?? ''));
    const hit = condition(table, m[3]);
    if (typeof hit !== 'function') return hit;
    const changes = commas(m[2] ?? '').map(
      (part) =>
        [table.columns.indexOf(name(part.split('=')[0] ?? '')), literal(part.slice(part.indexOf('=') + 1))] as const,
    );
    if (changes.some(([column, value]) => column < 0 || value === undefined)) return unsupported();
    const rows = table.rows.filter(hit);
    for (const row of rows) for (const [column, value] of changes) row[column] = value ?? null;
    return { kind: 'done', tag: `UPDATE ${rows.length}` };
  }
  m =
    /^select\s+([\s\S]+?)\s+from\s+(\S+)(?:\s+where\s+([\s\S]*?))?(?:\s+order\s+by\s+(\S+)(\s+desc|\s+asc)?)?(?:\s+limit\s+(\d+))?$/i.exec(
      sql,
    );
  if (m) return select(store, m);
  m = /^select\s+([\s\S]+)$/i.exec(sql);
  if (m) return constants(store, m[1] ?? '', user, database);
  m = /^show\s+(\w+)$/i.exec(sql);
  if (m) {
    const settings: Readonly<Record<string, string>> = {
      server_version: store.version,
      max_connections: '100',
      server_encoding: 'UTF8',
      transaction_read_only: 'off',
    };
    const value = settings[(m[1] ?? '').toLowerCase()];
    return value === undefined
      ? error('42704', `unrecognized configuration parameter "${m[1]}"`)
      : { kind: 'rows', columns: [(m[1] ?? '').toLowerCase()], rows: [[value]] };
  }
  if (sql === '') return { kind: 'done', tag: '' };
  m =
    /^(begin|commit|rollback|set|create\s+(?:user|role|database|extension|schema|index)|alter\s+\w+|grant|start\s+transaction)\b/i.exec(
      sql,
    );
  if (m)
    return { kind: 'done', tag: (m[1] ?? '').toUpperCase().replace(/\s+/g, ' ').replace('CREATE USER', 'CREATE ROLE') };
  return /^[a-z]+/i.test(sql) && !/^(with|explain|copy|truncate|vacuum|do|call|merge|listen|analyze)\b/i.test(sql)
    ? error('42601', `syntax error at or near "${sql.split(/\s/)[0]}"`)
    : unsupported();
}

const unsupported = (): SqlResult => error('0A000', 'the simulated database does not run this statement');

function insert(store: SqlStore, table: string, listed: string | undefined, values: string): SqlResult {
  const target = store.tables.get(table);
  if (!target) return error('42P01', `relation "${table}" does not exist`);
  const columns = listed === undefined ? target.columns : commas(listed).map(name);
  const unknown = columns.find((column) => !target.columns.includes(column));
  if (unknown !== undefined) return error('42703', `column "${unknown}" of relation "${table}" does not exist`);
  const groups = [...values.matchAll(/\(((?:[^()']|'(?:[^']|'')*')*)\)/g)];
  for (const group of groups) {
    const cells = commas(group[1] ?? '').map(literal);
    if (cells.length > columns.length) return error('42601', 'INSERT has more expressions than target columns');
    if (cells.some((cell) => cell === undefined)) return unsupported();
    // A column without a value that is named id counts up, as serial columns do.
    target.rows.push(
      target.columns.map((column) => {
        const at = columns.indexOf(column);
        return at >= 0 && at < cells.length
          ? (cells[at] ?? null)
          : column === 'id'
            ? String(target.rows.length + 1)
            : null;
      }),
    );
  }
  return { kind: 'done', tag: `INSERT 0 ${groups.length}` };
}

function select(store: SqlStore, m: RegExpExecArray): SqlResult {
  const [, what = '*', from = '', where, order, direction, limit] = m;
  const table = store.tables.get(name(from));
  if (!table) return error('42P01', `relation "${name(from)}" does not exist`);
  const hit = condition(table, where);
  if (typeof hit !== 'function') return hit;
  let rows = table.rows.filter(hit);
  if (/^count\s*\(\s*(\*|1|\w+)\s*\)$/i.test(what.trim()))
    return { kind: 'rows', columns: ['count'], rows: [[String(rows.length)]] };
  if (order !== undefined) {
    const at = table.columns.indexOf(name(order));
    if (at < 0) return error('42703', `column "${name(order)}" does not exist`);
    const sign = /desc/i.test(direction ?? '') ? -1 : 1;
    rows = [...rows].sort((a, b) => {
      const [x, y] = [a[at] ?? '', b[at] ?? ''];
      return sign * (/^-?[\d.]+$/.test(x) && /^-?[\d.]+$/.test(y) ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0);
    });
  }
  if (limit !== undefined) rows = rows.slice(0, Number(limit));
  const columns = what.trim() === '*' ? table.columns : commas(what).map(name);
  const unknown = columns.find((column) => !table.columns.includes(column));
  if (unknown !== undefined) return error('42703', `column "${unknown}" does not exist`);
  return {
    kind: 'rows',
    columns,
    rows: rows.map((row) => columns.map((column) => row[table.columns.indexOf(column)] ?? null)),
  };
}

function constants(store: SqlStore, text: string, user: string, database: string): SqlResult {
  const columns: string[] = [];
  const row: (string | null)[] = [];
  for (const part of commas(text)) {
    const alias = /^([\s\S]*?)\s+as\s+"?(\w+)"?$/i.exec(part);
    const expression = (alias?.[1] ?? part).trim();
    const call = /^(@@)?(\w+)(\s*\(\s*\))?$/.exec(expression);
    const functions: Readonly<Record<string, string>> = {
      version: store.version,
      current_user: user,
      current_database: database,
      user,
      database,
      pg_is_in_recovery: 'f',
      session_user: user,
    };
    const sum = /^(\d+)\s*([-+*])\s*(\d+)$/.exec(expression);
    const known = call ? functions[(call[2] ?? '').toLowerCase()] : undefined;
    const value =
      known ??
      literal(expression) ??
      (sum
        ? String(
            sum[2] === '+'
              ? Number(sum[1]) + Number(sum[3])
              : sum[2] === '-'
                ? Number(sum[1]) - Number(sum[3])
                : Number(sum[1]) * Number(sum[3]),
          )
        : undefined);
    if (value === undefined && !/^null$/i.test(expression))
      return call && !call[3] ? error('42703', `column "${expression}" does not exist`) : unsupported();
    columns.push(alias?.[2] ?? (known !== undefined ? (call?.[2] ?? '').toLowerCase() : '?column?'));
    row.push(value ?? null);
  }
  return { kind: 'rows', columns, rows: [row] };
}

/** Statements of a query text, parted at semicolons outside of quotes. */
export function statements(text: string): string[] {
  return (text.match(/(?:[^;']|'(?:[^']|'')*')+/g) ?? []).map((part) => part.trim()).filter((part) => part !== '');
}
