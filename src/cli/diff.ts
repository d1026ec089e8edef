import type { KubeObject, ObjectList, Resource } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import { pathOf } from '../client/https-client.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './kube/connect.ts';
import { KubectlError } from './kube/errors.ts';
import { discover, type Mapper } from './kube/mapper.ts';
import type { CommandBuilder } from './main.ts';
import { type Streams, say } from './output.ts';

interface DiffFlags extends ConnectFlags {
  readonly from: string;
  readonly to?: string;
  readonly allNamespaces?: boolean;
  readonly output: string;
}

/** One field that differs: `undefined` where it is absent. */
export interface FieldChange {
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

export interface ObjectChange {
  readonly type: 'added' | 'removed' | 'changed';
  readonly resource: string;
  readonly namespace?: string;
  readonly name: string;
  readonly fields: readonly FieldChange[];
}

/** Fields that change with every write, or say nothing to a person. */
const noise = new Set(['.metadata.resourceVersion', '.metadata.managedFields', '.metadata.generation']);
/** Resources that only tell of others or change all the time. */
const quiet = new Set(['events', 'leases.coordination.k8s.io', 'events.events.k8s.io']);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The fields in which two JSON values differ, deepest first found; lists are compared by index. */
export function fieldChanges(from: unknown, to: unknown, path = ''): readonly FieldChange[] {
  if (noise.has(path) || path.endsWith('.lastHeartbeatTime') || JSON.stringify(from) === JSON.stringify(to)) return [];
  if (isObject(from) && isObject(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return names.flatMap((name) => fieldChanges(from[name], to[name], `${path}${step(name)}`));
  }
  if (Array.isArray(from) && Array.isArray(to)) {
    const length = Math.max(from.length, to.length);
    return Array.from({ length }, (_, i) => fieldChanges(from[i], to[i], `${path}[${i}]`)).flat();
  }
  return [{ path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
}

const step = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);

const keyOf = ({ metadata }: KubeObject): string => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;

/** What became of the objects of one resource between two lists. */
export function objectChanges(
  resource: string,
  from: readonly KubeObject[],
  to: readonly KubeObject[],
): readonly ObjectChange[] {
  const before = new Map(from.map((object) => [keyOf(object), object]));
  const after = new Map(to.map((object) => [keyOf(object), object]));
  const about = (object: KubeObject) => ({
    resource,
    ...(object.metadata?.namespace && { namespace: object.metadata.namespace }),
    name: object.metadata?.name ?? '',
  });
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((key): ObjectChange[] => {
    const old = before.get(key);
    const now = after.get(key);
    if (!old && now) return [{ type: 'added', ...about(now), fields: [] }];
    if (old && !now) return [{ type: 'removed', ...about(old), fields: [] }];
    if (!old || !now) return [];
    if (old.metadata?.uid !== now.metadata?.uid)
      return [
        { type: 'removed', ...about(old), fields: [] },
        { type: 'added', ...about(now), fields: [] },
      ];
    const fields = fieldChanges(old, now);
    return fields.length === 0 ? [] : [{ type: 'changed', ...about(now), fields }];
  });
}

const shown = (value: unknown): string => {
  const text = value === undefined ? '(absent)' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
};

function lines(change: ObjectChange): readonly string[] {
  const sign = { added: '+', removed: '-', changed: '~' }[change.type];
  const where = change.namespace ? ` -n ${change.namespace}` : '';
  return [
    `${sign} ${change.resource}/${change.name}${where}`,
    ...change.fields.map(({ path, from, to }) => `    ${path}: ${shown(from)} → ${shown(to)}`),
  ];
}

const fullName = ({ plural, group }: Resource): string => (group === '' ? plural : `${plural}.${group}`);

/** One version of each listable resource. */
function resourcesFor(mapper: Mapper, what: readonly string[]): readonly Resource[] {
  if (what.length > 0) return what.flatMap((name) => name.split(',')).map((name) => mapper.byName(name));
  const byName = new Map<string, Resource>();
  for (const resource of mapper.all) {
    const name = fullName(resource);
    if (resource.verbs.includes('list') && !quiet.has(name) && !byName.has(name)) byName.set(name, resource);
  }
  return [...byName.values()];
}

async function diff(connection: Connection, what: readonly string[], flags: DiffFlags, streams: Streams) {
  const { client } = connection;
  const mapper = await discover(client);
  const changes: ObjectChange[] = [];
  for (const resource of resourcesFor(mapper, what)) {
    const everywhere = flags.allNamespaces || flags.namespace === undefined;
    const path = pathOf(resource, resource.namespaced && !everywhere ? connection.namespace : undefined);
    const listAt = async (at: string | undefined): Promise<readonly KubeObject[]> => {
      const query = at === undefined ? '' : `?at=${encodeURIComponent(at)}`;
      return ((await client.json({ path: `${path}${query}` })) as ObjectList).items;
    };
    try {
      changes.push(...objectChanges(fullName(resource), await listAt(flags.from), await listAt(flags.to)));
    } catch (error) {
      // Some resources are listed by servers of others, or not for this user.
      if (what.length > 0 || !(hasReason(error, 'Forbidden') || hasReason(error, 'MethodNotAllowed'))) throw error;
    }
  }
  if (flags.output === 'json') say(streams, JSON.stringify(changes, null, 2));
  else for (const change of changes) for (const line of lines(change)) say(streams, line);
  return changes.length === 0 ? 0 : 1;
}

/** `coracle diff --from A [--to B]`: what changed between two moments. Exit 0 when nothing did, 1 when something did, as diff. */
export const diffCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('diff'))
    .description('what changed between two moments: revisions, times, or so long ago (5m)')
    .argument('[type...]', 'only these types (default: all but events and leases)')
    .requiredOption('--from <rev|time>', 'the earlier moment')
    .option('--to <rev|time>', 'the later one (default: now)')
    .option('-A, --all-namespaces', 'in all namespaces (the default unless -n is given)')
    .option('-o, --output <format>', 'text or json', 'text')
    .action(async (what: readonly string[], flags: DiffFlags) => {
      if (flags.output !== 'text' && flags.output !== 'json') throw new KubectlError('--output is text or json');
      const connection = await connect(flags, streams);
      try {
        exit(await diff(connection, what, flags, streams));
      } finally {
        connection.client.close();
      }
    });
};
