import type { KubeObject, Live } from '../../api/resource.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams, say } from '../output.ts';
import { shownName } from './apply.ts';
import { targetsOf } from './arguments.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { KubectlError } from './errors.ts';
import { discover } from './mapper.ts';

interface LabelFlags extends ConnectFlags {
  readonly overwrite?: boolean;
  readonly all?: boolean;
  readonly selector?: string;
  readonly list?: boolean;
}

type Field = 'labels' | 'annotations';

/** What is to be set, and what is to go. */
export interface Changes {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: ReadonlySet<string>;
}

/** Splits `TYPE NAME… a=b c-` where the changes begin. Throws kubectl's complaints. */
export function splitChanges(args: readonly string[], field: Field): { what: readonly string[]; changes: Changes } {
  const isChange = (arg: string): boolean => arg.includes('=') || /[^-]-$/.test(arg);
  const first = args.findIndex((arg) => isChange(arg));
  const what = first < 0 ? args : args.slice(0, first);
  const set = new Map<string, string>();
  const remove = new Set<string>();
  for (const arg of first < 0 ? [] : args.slice(first)) {
    const equals = arg.indexOf('=');
    if (equals > 0) set.set(arg.slice(0, equals), arg.slice(equals + 1));
    else if (equals < 0 && arg.endsWith('-')) remove.add(arg.slice(0, -1));
    else throw new KubectlError(`unknown ${field.slice(0, -1)} spec: ${arg}`);
  }
  for (const key of remove)
    if (set.has(key))
      throw new KubectlError(
        `can not both modify and remove ${field === 'labels' ? 'a label' : 'an annotation'} in the same command`,
      );
  return { what, changes: { set, remove } };
}

async function objectsOf(connection: Connection, what: readonly string[], flags: LabelFlags) {
  const found: { readonly resource: ReturnType<typeof targetsOf>[number]['resource']; readonly object: Live }[] = [];
  for (const { resource, name } of targetsOf(await discover(connection.client), what)) {
    const scope = resource.namespaced ? { namespace: connection.namespace } : {};
    if (name) found.push({ resource, object: await connection.client.get(resource, name, scope) });
    else if (!flags.all && !flags.selector)
      throw new KubectlError('resource(s) were provided, but no name was specified');
    else {
      const { items } = await connection.client.list(resource, {
        ...scope,
        ...(flags.selector && { labelSelector: flags.selector }),
      });
      found.push(...items.map((object) => ({ resource, object })));
    }
  }
  return found;
}

/** What kubectl says became of the object; for labels it tells whether anything was taken away or changed. */
function outcome(before: Readonly<Record<string, string>>, changes: Changes, field: Field): string {
  if (field === 'annotations') return 'annotated';
  const added = [...changes.set].some(([key, value]) => before[key] !== value);
  const gone = [...changes.remove].some((key) => key in before);
  if (gone && !added) return 'unlabeled';
  return added || gone ? 'labeled' : 'not labeled';
}

async function change(
  connection: Connection,
  args: readonly string[],
  flags: LabelFlags,
  field: Field,
  streams: Streams,
): Promise<number> {
  const { what, changes } = splitChanges(args, field);
  if (changes.set.size + changes.remove.size === 0 && !flags.list)
    throw new KubectlError(`at least one ${field.slice(0, -1)} update is required`);
  for (const { resource, object } of await objectsOf(connection, what, flags)) {
    const { name, namespace } = object.metadata;
    const before = (object as KubeObject).metadata?.[field] ?? {};
    if (flags.list) {
      for (const key of Object.keys(before).sort()) say(streams, `${key}=${before[key]}`);
      continue;
    }
    for (const [key, value] of changes.set) {
      if (!flags.overwrite && key in before && before[key] !== value) {
        const there =
          field === 'labels'
            ? `'${key}' already has a value (${before[key]}), and --overwrite is false`
            : `--overwrite is false but found the following declared annotation(s): '${key}' already has a value (${before[key]})`;
        throw new KubectlError(there);
      }
    }
    for (const key of changes.remove)
      if (!(key in before) && field === 'labels') complain(streams, `label "${key}" not found.`);
    const patch = Object.fromEntries([
      ...changes.set,
      ...[...changes.remove].map((key): [string, null] => [key, null]),
    ]);
    await connection.client.patch(
      resource,
      name,
      { metadata: { [field]: patch } },
      {
        type: 'application/merge-patch+json',
        fieldManager: `kubectl-${field === 'labels' ? 'label' : 'annotate'}`,
        ...(namespace && { namespace }),
      },
    );
    say(streams, `${shownName(resource, name)} ${outcome(before, changes, field)}`);
  }
  return 0;
}

const command =
  (name: string, field: Field): CommandBuilder =>
  (program, streams, exit) => {
    withConnection(program.command(name))
      .description(`set and remove ${field} (as kubectl ${name})`)
      .argument('<what...>', 'TYPE NAME… KEY=VALUE… KEY-…')
      .option('--overwrite', 'values that are there already, too')
      .option('--all', 'all of the type in the namespace')
      .option('-l, --selector <selector>', 'by labels')
      .option('--list', `show the ${field}`)
      .action(async (args: readonly string[], flags: LabelFlags) => {
        const connection = await connect(flags, streams);
        try {
          exit(await change(connection, args, flags, field, streams));
        } finally {
          connection.client.close();
        }
      });
  };

export const labelCommand: CommandBuilder = command('label', 'labels');
export const annotateCommand: CommandBuilder = command('annotate', 'annotations');
