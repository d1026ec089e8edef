import type { Resource } from '../../api/resource.ts';
import type { Streams } from '../output.ts';
import { say } from '../output.ts';
import type { Connection } from './connect.ts';
import { type GetFlags, orMissing, pathFor, type Wanted } from './get.ts';
import { alignColumns, type Table, tableCells } from './print-table.ts';
import { sortObjects } from './sort-by.ts';

export const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

export interface FoundTable {
  readonly resource: Resource;
  readonly table: Table;
}

export interface FoundTables {
  readonly tables: readonly FoundTable[];
  readonly rows: number;
  readonly failed: boolean;
}

/** Asks for the table of each target; those of one resource that stand together become one. */
export async function fetchTables(
  { client }: Connection,
  wanted: readonly Wanted[],
  flags: GetFlags,
  streams: Streams,
): Promise<FoundTables> {
  const tables: FoundTable[] = [];
  let failed = false;
  let rows = 0;
  for (const target of wanted) {
    const path = pathFor(target, flags, undefined, true);
    const table = await orMissing(
      async () => (await client.json({ path, headers: { accept: tableAccept } })) as Table,
      flags,
      streams,
    );
    if (!table) failed ||= !flags.ignoreNotFound;
    if (!table || table.rows.length === 0) continue;
    rows += table.rows.length;
    const last = tables.at(-1);
    if (last?.resource === target.resource)
      tables[tables.length - 1] = { ...last, table: { ...last.table, rows: [...last.table.rows, ...table.rows] } };
    else tables.push({ resource: target.resource, table });
  }
  return { tables, rows, failed };
}

const sorted = (table: Table, path: string | undefined): Table => {
  if (!path) return table;
  const byObject = new Map(table.rows.map((row) => [row.object ?? {}, row]));
  return { ...table, rows: sortObjects([...byObject.keys()], path).flatMap((object) => byObject.get(object) ?? []) };
};

/** The lines of a table; names carry their kind where several kinds are shown. */
export function tableLines(
  { resource, table }: FoundTable,
  flags: GetFlags,
  withKind: boolean,
  widths?: number[],
): readonly string[] {
  const options = {
    wide: flags.output === 'wide',
    noHeaders: !flags.headers,
    showNamespace: flags.allNamespaces === true && resource.namespaced,
    showLabels: flags.showLabels === true,
    labelColumns: flags.labelColumns?.split(',') ?? [],
  };
  const prefix = `${resource.singular}${resource.group ? `.${resource.group}` : ''}/`;
  const nameAt = options.showNamespace ? 1 : 0;
  const cells = tableCells(sorted(table, flags.sortBy), options).map((row, i) =>
    (withKind || flags.showKind) && (i > 0 || options.noHeaders)
      ? row.map((cell, column) => (column === nameAt ? prefix + cell : cell))
      : row,
  );
  return alignColumns(cells, widths);
}

export function printTables(tables: readonly FoundTable[], flags: GetFlags, streams: Streams): void {
  const withKind = new Set(tables.map(({ resource }) => resource)).size > 1;
  tables.forEach((one, i) => {
    if (i > 0 && flags.headers) say(streams, '');
    for (const line of tableLines(one, flags, withKind)) say(streams, line);
  });
}
