import { stringify } from 'yaml';
import type { KubeObject, ObjectList, Resource } from '../../api/resource.ts';
import { hasReason, StatusError } from '../../api/status.ts';
import { jsonLines, pathOf } from '../../client/https-client.ts';
import { UsageError } from '../../cluster/options.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams, say } from '../output.ts';
import { type Target, targetsOf } from './arguments.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { discover } from './mapper.ts';
import { alignColumns, type Table, tableCells } from './print-table.ts';

interface GetFlags extends ConnectFlags {
  readonly output?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
  readonly headers: boolean;
  readonly showLabels?: boolean;
  readonly labelColumns?: string;
  readonly ignoreNotFound?: boolean;
  readonly showManagedFields?: boolean;
}

const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** `coracle get`: what `kubectl get` prints, for the flags it has. */
export const getCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('get'))
    .description('list objects, or show some (as kubectl get)')
    .argument('<what...>', 'TYPE [NAME…], TYPE/NAME…, TYPE,TYPE')
    .option('-o, --output <format>', 'wide, yaml, json or name')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-l, --selector <selector>', 'by labels')
    .option('--field-selector <selector>', 'by fields')
    .option('-w, --watch', 'go on with changes')
    .option('--no-headers', 'leave the headings out')
    .option('--show-labels', 'a column of all labels')
    .option('-L, --label-columns <labels>', 'a column for each of these labels')
    .option('--ignore-not-found', 'exit 0 when a name is not there')
    .option('--show-managed-fields', 'keep managedFields in yaml and json')
    .action(async (what: readonly string[], flags: GetFlags) => {
      const connection = await connect(flags, streams);
      try {
        const mapper = await discover(connection.client);
        exit(await get(connection, targetsOf(mapper, what), flags, streams));
      } finally {
        connection.client.close();
      }
    });
};

function pathFor(connection: Connection, target: Target, flags: GetFlags, watch = false): string {
  const namespace = flags.allNamespaces ? undefined : connection.namespace;
  const query = new URLSearchParams();
  if (flags.selector) query.set('labelSelector', flags.selector);
  if (flags.fieldSelector) query.set('fieldSelector', flags.fieldSelector);
  if (watch) {
    query.set('watch', '1');
    if (target.name) query.set('fieldSelector', `metadata.name=${target.name}`);
  }
  const text = query.toString();
  return pathOf(target.resource, namespace, watch ? undefined : target.name) + (text && `?${text}`);
}

const isTableOutput = (output: string | undefined): boolean => output === undefined || output === 'wide';

async function get(
  connection: Connection,
  targets: readonly Target[],
  flags: GetFlags,
  streams: Streams,
): Promise<number> {
  if (flags.allNamespaces && targets.some((target) => target.name)) {
    throw new UsageError('a resource cannot be retrieved by name across all namespaces');
  }
  return isTableOutput(flags.output)
    ? getTables(connection, targets, flags, streams)
    : getObjects(connection, targets, flags, streams);
}

/** Tells of an absent name as kubectl does and goes on with the others. */
async function orMissing<T>(ask: () => Promise<T>, flags: GetFlags, streams: Streams): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (hasReason(error, 'NotFound') && flags.ignoreNotFound) return undefined;
    complain(streams, `Error from server (${error.reason}): ${error.message}`);
    return undefined;
  }
}

async function getTables(
  connection: Connection,
  targets: readonly Target[],
  flags: GetFlags,
  streams: Streams,
): Promise<number> {
  const several = new Set(targets.map((target) => target.resource)).size > 1;
  const groups = new Map<Resource, Table[]>();
  let failed = false;
  let found = 0;
  for (const target of targets) {
    const path = pathFor(connection, target, flags);
    const table = await orMissing(
      async () => (await connection.client.json({ path, headers: { accept: tableAccept } })) as Table,
      flags,
      streams,
    );
    if (!table) failed ||= !flags.ignoreNotFound;
    else if (table.rows.length > 0) {
      found += table.rows.length;
      groups.set(target.resource, [...(groups.get(target.resource) ?? []), table]);
    }
  }
  let first = true;
  for (const [resource, tables] of groups) {
    const [head] = tables;
    if (!head) continue;
    const table: Table = { columnDefinitions: head.columnDefinitions, rows: tables.flatMap((one) => one.rows) };
    const options = {
      wide: flags.output === 'wide',
      noHeaders: !flags.headers,
      showNamespace: flags.allNamespaces === true && resource.namespaced,
      showLabels: flags.showLabels === true,
      labelColumns: flags.labelColumns?.split(',') ?? [],
    };
    const prefix = several ? `${resource.singular}${resource.group ? `.${resource.group}` : ''}/` : '';
    const cells = tableCells(table, options).map((row, i) => {
      const at = options.showNamespace ? 1 : 0;
      return prefix && (i > 0 || options.noHeaders) ? row.map((cell, n) => (n === at ? prefix + cell : cell)) : row;
    });
    if (!first) say(streams, '');
    first = false;
    for (const line of alignColumns(cells)) say(streams, line);
  }
  if (found === 0 && !failed && !flags.ignoreNotFound) {
    const where =
      flags.allNamespaces || targets.every((target) => !target.resource.namespaced)
        ? ''
        : ` in ${connection.namespace} namespace`;
    complain(streams, `No resources found${where}${where && '.'}`);
  }
  if (flags.watch && targets[0]) await watchTable(connection, targets[0], flags, streams);
  return failed ? 1 : 0;
}

async function watchTable(connection: Connection, target: Target, flags: GetFlags, streams: Streams): Promise<void> {
  const response = await connection.client.raw({
    path: pathFor(connection, target, flags, true),
    headers: { accept: tableAccept },
  });
  const widths: number[] = [];
  for await (const lines of jsonLines(response.body as AsyncIterable<Buffer>)) {
    for (const line of lines) {
      const event = JSON.parse(line) as { type: string; object: Table };
      if (event.type === 'BOOKMARK' || !event.object.rows) continue;
      const cells = tableCells(event.object, {
        wide: flags.output === 'wide',
        noHeaders: true,
        showNamespace: flags.allNamespaces === true,
      });
      for (const text of alignColumns(cells, widths)) say(streams, text);
    }
  }
}

const withoutManagedFields = (object: KubeObject): KubeObject => {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
};

async function getObjects(
  connection: Connection,
  targets: readonly Target[],
  flags: GetFlags,
  streams: Streams,
): Promise<number> {
  let failed = false;
  const items: KubeObject[] = [];
  for (const target of targets) {
    const answer = await orMissing(
      async () =>
        (await connection.client.json({ path: pathFor(connection, target, flags) })) as KubeObject | ObjectList,
      flags,
      streams,
    );
    if (!answer) failed ||= !flags.ignoreNotFound;
    else if ('items' in answer) {
      const { kind, apiVersion } = {
        kind: target.resource.kind,
        apiVersion: target.resource.group
          ? `${target.resource.group}/${target.resource.version}`
          : target.resource.version,
      };
      items.push(...answer.items.map((item) => ({ apiVersion, kind, ...item })));
    } else items.push(answer);
  }
  const shown = flags.showManagedFields ? items : items.map(withoutManagedFields);
  const single = targets.length === 1 && targets[0]?.name !== undefined;
  if (single && shown.length === 0) return failed ? 1 : 0;
  const whole = single
    ? (shown[0] as KubeObject)
    : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: shown };
  streams.stdout.write(render(flags.output ?? '', whole, shown, targets));
  return failed ? 1 : 0;
}

function render(output: string, whole: object, items: readonly KubeObject[], targets: readonly Target[]): string {
  switch (output) {
    case 'json':
      return `${JSON.stringify(whole, null, 4)}\n`;
    case 'yaml':
      return stringify(whole, { lineWidth: 0 });
    case 'name':
      return items.map((item) => `${nameOf(item, targets)}\n`).join('');
    default:
      throw new UsageError(
        `unable to match a printer suitable for the output format "${output}", allowed formats are: json,name,wide,yaml`,
      );
  }
}

function nameOf(item: KubeObject, targets: readonly Target[]): string {
  const { resource } = targets.find((target) => target.resource.kind === item.kind) ?? targets[0] ?? {};
  return `${resource?.singular}${resource?.group ? `.${resource.group}` : ''}/${item.metadata?.name}`;
}
