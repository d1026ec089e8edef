import type { KubeObject, ObjectList } from '../../api/resource.ts';
import { jsonLines } from '../../client/https-client.ts';
import { type Streams, say } from '../output.ts';
import { shownName } from './apply.ts';
import type { Connection } from './connect.ts';
import { type GetFlags, pathFor, type Wanted, withoutManagedFields } from './get.ts';
import { tableAccept, tableLines } from './get-tables.ts';
import { printObjects } from './print-objects.ts';
import type { Table } from './print-table.ts';

interface Change<T> {
  readonly type: string;
  readonly object: T;
}

async function* changes<T>(
  { client }: Connection,
  path: string,
  headers: Readonly<Record<string, string>>,
): AsyncGenerator<Change<T>> {
  const { body } = await client.raw({ path, headers });
  for await (const lines of jsonLines(body as AsyncIterable<Buffer>))
    for (const line of lines) yield JSON.parse(line) as Change<T>;
}

interface ListMeta {
  readonly metadata?: { readonly resourceVersion?: string };
}

/** `get --watch`: the table, then a row for every change, in the same columns. */
export async function watchTable(
  connection: Connection,
  target: Wanted,
  flags: GetFlags,
  streams: Streams,
): Promise<void> {
  const headers = { accept: tableAccept };
  const { resource } = target;
  const table = (await connection.client.json({ path: pathFor(target, flags), headers })) as Table & ListMeta;
  const widths: number[] = [];
  let headed = false;
  const print = (rows: Table['rows'], columnDefinitions: Table['columnDefinitions'], type: string): void => {
    if (rows.length === 0) return;
    const shown: Table = flags.outputWatchEvents
      ? {
          columnDefinitions: [{ name: 'Event' }, ...columnDefinitions],
          rows: rows.map((row) => ({ ...row, cells: [type, ...row.cells] })),
        }
      : { columnDefinitions, rows };
    const headless = { ...flags, headers: flags.headers && !headed };
    headed = true;
    for (const line of tableLines({ resource, table: shown }, headless, false, widths)) say(streams, line);
  };
  if (!flags.watchOnly) print(table.rows, table.columnDefinitions, 'ADDED');
  let columns = table.columnDefinitions;
  const from = table.metadata?.resourceVersion ?? '';
  for await (const { type, object } of changes<Table>(connection, pathFor(target, flags, from), headers)) {
    if (type === 'BOOKMARK' || !object.rows) continue;
    columns = object.columnDefinitions?.length ? object.columnDefinitions : columns;
    print(object.rows, columns, type);
  }
}

/** `get --watch -o json`: every object, and every changed one, whole. */
export async function watchObjects(
  connection: Connection,
  target: Wanted,
  flags: GetFlags,
  streams: Streams,
): Promise<void> {
  const nameOf = (item: KubeObject): string => shownName(target.resource, item.metadata?.name ?? '');
  const print = (object: KubeObject, type: string): void => {
    const item = flags.showManagedFields ? object : withoutManagedFields(object);
    const whole = flags.outputWatchEvents ? { type, object: item } : item;
    const { output = '' } = flags;
    if (output === 'yaml') streams.stdout.write('---\n');
    streams.stdout.write(printObjects({ output, whole, items: [item], nameOf, noHeaders: true }));
  };
  const path = pathFor(target, flags);
  const first = (await connection.client.json({ path })) as (KubeObject | ObjectList) & ListMeta;
  const listed = 'items' in first && !target.name ? first.items : [first as KubeObject];
  const { group, version, kind } = target.resource;
  const named = { apiVersion: group ? `${group}/${version}` : version, kind };
  if (!flags.watchOnly) for (const object of listed) print({ ...named, ...object }, 'ADDED');
  const from = first.metadata?.resourceVersion ?? '';
  for await (const { type, object } of changes<KubeObject>(connection, pathFor(target, flags, from), {}))
    if (type !== 'BOOKMARK' && type !== 'ERROR') print(object, type);
}
