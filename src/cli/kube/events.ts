import { events } from '../../api/generated/resources.ts';
import type { CoreV1Event } from '../../api/generated/types.ts';
import { systemClock } from '../../base/clock.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams, say } from '../output.ts';
import { targetsOf } from './arguments.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { intervalOf } from './describe/events.ts';
import { KubectlError } from './errors.ts';
import { discover } from './mapper.ts';
import { printObjects } from './print-objects.ts';
import { alignColumns } from './print-table.ts';

interface EventFlags extends ConnectFlags {
  readonly allNamespaces?: boolean;
  readonly for?: string;
  readonly types?: string;
  readonly watch?: boolean;
  readonly headers: boolean;
  readonly output?: string;
}

/** `coracle events`: as kubectl events, the oldest first. */
export const eventsCommand: CommandBuilder = (program, streams) => {
  withConnection(program.command('events'))
    .description('list what happened, oldest first (as kubectl events)')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('--for <target>', 'TYPE/NAME: about this object only')
    .option('--types <types>', 'Normal, Warning')
    .option('-w, --watch', 'go on with new ones')
    .option('--no-headers', 'leave the headings out')
    .option('-o, --output <format>', 'json or yaml')
    .action(async (flags: EventFlags) => {
      const types = flags.types?.split(',').map((type) => type.toLowerCase());
      if (types?.some((type) => type !== 'normal' && type !== 'warning'))
        throw new KubectlError('valid --types are Normal or Warning');
      const connection = await connect(flags, streams);
      try {
        await run(connection, flags, types, streams);
      } finally {
        connection.client.close();
      }
    });
};

async function selectorFor(connection: Connection, target: string | undefined): Promise<string | undefined> {
  if (target === undefined) return undefined;
  if (!target.includes('/')) throw new KubectlError('--for must be in resource/name form');
  const [found] = targetsOf(await discover(connection.client), [target]);
  if (!found) return undefined;
  const { group, version, kind } = found.resource;
  const about = [
    ['kind', kind],
    ['apiVersion', group ? `${group}/${version}` : version],
    ['name', found.name],
  ];
  return about.map(([key, value]) => `involvedObject.${key}=${value}`).join(',');
}

/** When an event was last seen, for the order. */
function lastSeen({ series, eventTime, lastTimestamp, firstTimestamp }: CoreV1Event): number {
  const time = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp;
  return time ? Date.parse(time) : 0;
}

function rowOf(event: CoreV1Event, flags: EventFlags): readonly string[] {
  const { involvedObject: it } = event;
  return [
    ...(flags.allNamespaces ? [event.metadata?.namespace ?? ''] : []),
    intervalOf(event, systemClock.now()),
    event.type ?? '',
    event.reason ?? '',
    `${it.kind}/${it.name}`,
    (event.message ?? '').trim(),
  ];
}

async function run(
  connection: Connection,
  flags: EventFlags,
  types: readonly string[] | undefined,
  streams: Streams,
): Promise<void> {
  const fieldSelector = await selectorFor(connection, flags.for);
  const scope = {
    ...(!flags.allNamespaces && { namespace: connection.namespace }),
    ...(fieldSelector && { fieldSelector }),
  };
  const wanted = (event: CoreV1Event): boolean => !types || types.includes((event.type ?? '').toLowerCase());
  const head = flags.headers
    ? [[...(flags.allNamespaces ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']]
    : [];
  if (flags.watch) {
    const widths: number[] = [];
    for (const line of alignColumns(head, widths)) say(streams, line);
    for await (const batch of await connection.client.watch(events, scope)) {
      const rows = batch.flatMap((change) =>
        (change.type === 'ADDED' || change.type === 'MODIFIED') && wanted(change.object)
          ? [rowOf(change.object, flags)]
          : [],
      );
      for (const line of alignColumns(rows, widths)) say(streams, line);
    }
    return;
  }
  const { items } = await connection.client.list(events, scope);
  const found = items.filter(wanted).sort((a, b) => lastSeen(a) - lastSeen(b));
  if (found.length === 0) {
    complain(
      streams,
      flags.allNamespaces ? 'No events found.' : `No events found in ${connection.namespace} namespace.`,
    );
  } else if (flags.output) {
    const list = { kind: 'EventList', apiVersion: 'v1', metadata: {}, items: found };
    streams.stdout.write(printObjects({ output: flags.output, whole: list, items: found, nameOf: () => '' }));
  } else for (const line of alignColumns([...head, ...found.map((event) => rowOf(event, flags))])) say(streams, line);
}
