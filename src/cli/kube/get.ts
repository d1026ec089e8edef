import type { KubeObject, Live, ObjectList } from '../../api/resource.ts';
import { hasReason, StatusError } from '../../api/status.ts';
import { pathOf } from '../../client/https-client.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams } from '../output.ts';
import { placeOf, shownName } from './apply.ts';
import { type Target, targetsOf } from './arguments.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { KubectlError, serverError } from './errors.ts';
import { fetchTables, printTables } from './get-tables.ts';
import { watchObjects, watchTable } from './get-watch.ts';
import { readManifests } from './manifests.ts';
import { discover, type Mapper } from './mapper.ts';
import { printObjects } from './print-objects.ts';
import { sortObjects } from './sort-by.ts';

export interface GetFlags extends ConnectFlags {
  readonly output?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly watch?: boolean;
  readonly watchOnly?: boolean;
  readonly outputWatchEvents?: boolean;
  readonly headers: boolean;
  readonly showLabels?: boolean;
  readonly showKind?: boolean;
  readonly labelColumns?: string;
  readonly sortBy?: string;
  readonly subresource?: string;
  readonly ignoreNotFound?: boolean;
  readonly showManagedFields?: boolean;
  readonly raw?: string;
  readonly at?: string;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `coracle get`: what `kubectl get` prints, for the flags it has. */
export const getCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('get'))
    .description('list objects, or show some (as kubectl get)')
    .argument('[what...]', 'TYPE [NAME…], TYPE/NAME…, TYPE,TYPE')
    .option('-o, --output <format>', 'wide, yaml, json, name, jsonpath=…, custom-columns=…')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-l, --selector <selector>', 'by labels')
    .option('--field-selector <selector>', 'by fields')
    .option('-f, --filename <file>', 'those of a file, directory or -', collect)
    .option('-R, --recursive', 'with directories below')
    .option('-w, --watch', 'go on with changes')
    .option('--watch-only', 'only changes')
    .option('--output-watch-events', 'with what kind of change each is')
    .option('--no-headers', 'leave the headings out')
    .option('--show-labels', 'a column of all labels')
    .option('--show-kind', 'names with their kind')
    .option('-L, --label-columns <labels>', 'a column for each of these labels')
    .option('--sort-by <path>', 'in the order of a field, such as .metadata.name')
    .option('--subresource <name>', 'status, scale')
    .option('--ignore-not-found', 'exit 0 when a name is not there')
    .option('--show-managed-fields', 'keep managedFields in yaml and json')
    .option('--at <rev|time>', 'as of a revision, a time, or so long ago (5m)')
    .option('--raw <path>', 'what the server answers for a path')
    .action(async (what: readonly string[], flags: GetFlags) => {
      const connection = await connect(flags, streams);
      try {
        if (flags.raw) streams.stdout.write(await connection.client.text({ path: flags.raw }));
        else exit(await get(connection, what, flags, streams));
      } finally {
        connection.client.close();
      }
    });
};

/** A thing to get, and where. */
export interface Wanted extends Target {
  readonly namespace?: string;
}

async function wantedOf(
  connection: Connection,
  mapper: Mapper,
  what: readonly string[],
  flags: GetFlags,
  streams: Streams,
): Promise<readonly Wanted[]> {
  if (flags.filename) {
    const manifests = await readManifests(flags.filename, flags.recursive ?? false, streams);
    return manifests.map((manifest) => ({
      ...placeOf(mapper, manifest, connection, flags),
      name: manifest.object.metadata?.name ?? '',
    }));
  }
  const targets = targetsOf(mapper, what);
  if (flags.allNamespaces && targets.some((target) => target.name))
    throw new KubectlError('a resource cannot be retrieved by name across all namespaces');
  return targets.map((target) => ({
    ...target,
    ...(!flags.allNamespaces && target.resource.namespaced && { namespace: connection.namespace }),
  }));
}

/** The request for a list or an object; `watchFrom` makes it a watch from that revision on. */
export function pathFor(target: Wanted, flags: GetFlags, watchFrom?: string, table = false): string {
  const query = new URLSearchParams();
  if (flags.at !== undefined) query.set('at', flags.at);
  if (!target.name && flags.selector) query.set('labelSelector', flags.selector);
  if (!target.name && flags.fieldSelector) query.set('fieldSelector', flags.fieldSelector);
  if (table && flags.sortBy) query.set('includeObject', 'Object');
  if (watchFrom !== undefined) {
    query.set('watch', 'true');
    if (watchFrom) query.set('resourceVersion', watchFrom);
    if (target.name) query.set('fieldSelector', `metadata.name=${target.name}`);
  }
  const text = query.toString();
  const name = watchFrom === undefined ? target.name : undefined;
  return pathOf(target.resource, target.namespace, name, name && flags.subresource) + (text && `?${text}`);
}

/** Tells of a refusal as kubectl does and goes on with the others. */
export async function orMissing<T>(ask: () => Promise<T>, flags: GetFlags, streams: Streams): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (hasReason(error, 'NotFound') && flags.ignoreNotFound) return undefined;
    complain(streams, serverError(error));
    return undefined;
  }
}

async function get(
  connection: Connection,
  what: readonly string[],
  flags: GetFlags,
  streams: Streams,
): Promise<number> {
  const mapper = await discover(connection.client);
  const wanted = await wantedOf(connection, mapper, what, flags, streams);
  const table = flags.output === undefined || flags.output === '' || flags.output === 'wide';
  if ((flags.watch || flags.watchOnly) && flags.at !== undefined)
    throw new KubectlError('--at and --watch cannot be used together');
  if (flags.watch || flags.watchOnly) {
    const [only, ...more] = wanted;
    if (!only || more.length > 0) throw new KubectlError('you may only specify a single resource type');
    await (table ? watchTable : watchObjects)(connection, only, flags, streams);
    return 0;
  }
  if (!table) return getObjects(connection, wanted, flags, streams);
  const found = await fetchTables(connection, wanted, flags, streams);
  printTables(found.tables, flags, streams);
  if (found.rows === 0 && !found.failed && !flags.ignoreNotFound) {
    const inNamespace = !flags.allNamespaces && wanted.every(({ resource }) => resource.namespaced);
    complain(streams, inNamespace ? `No resources found in ${connection.namespace} namespace.` : 'No resources found');
  }
  return found.failed ? 1 : 0;
}

export const withoutManagedFields = (object: KubeObject): KubeObject => {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return object.metadata ? { ...object, metadata } : object;
};

async function getObjects(
  connection: Connection,
  wanted: readonly Wanted[],
  flags: GetFlags,
  streams: Streams,
): Promise<number> {
  let failed = false;
  const items: KubeObject[] = [];
  const names = new Map<KubeObject, string>();
  for (const target of wanted) {
    const { resource } = target;
    const answer = await orMissing(
      async () => (await connection.client.json({ path: pathFor(target, flags) })) as KubeObject | ObjectList,
      flags,
      streams,
    );
    if (!answer) {
      failed ||= !flags.ignoreNotFound;
      continue;
    }
    const apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version;
    const found: readonly KubeObject[] =
      'items' in answer && !target.name
        ? answer.items.map((item: Live) => ({ apiVersion, kind: resource.kind, ...item }))
        : [answer as KubeObject];
    for (const item of found) {
      const shown = flags.showManagedFields ? item : withoutManagedFields(item);
      names.set(shown, shownName(resource, item.metadata?.name ?? ''));
      items.push(shown);
    }
  }
  const sorted = flags.sortBy ? sortObjects(items, flags.sortBy) : items;
  const single = wanted.length === 1 && wanted[0]?.name !== undefined;
  if (single && sorted.length === 0) return failed ? 1 : 0;
  const whole = single
    ? (sorted[0] as KubeObject)
    : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: sorted };
  streams.stdout.write(
    printObjects({
      output: flags.output ?? '',
      whole,
      items: sorted,
      nameOf: (item) => names.get(item) ?? '',
      noHeaders: !flags.headers,
    }),
  );
  return failed ? 1 : 0;
}
