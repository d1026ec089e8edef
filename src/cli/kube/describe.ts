import type { Live } from '../../api/resource.ts';
import { hasReason, StatusError } from '../../api/status.ts';
import { systemClock } from '../../base/clock.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams } from '../output.ts';
import { type Target, targetsOf } from './arguments.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { describerFor } from './describe/describers.ts';
import { eventsAbout, writeEvents } from './describe/events.ts';
import { createPage } from './describe/page.ts';
import { KubectlError, serverError } from './errors.ts';
import { discover } from './mapper.ts';

interface DescribeFlags extends ConnectFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly showEvents: boolean;
}

/** `coracle describe`: as kubectl describe, in the layout of 1.33. A name that is no object is a prefix. */
export const describeCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('describe'))
    .description('show an object and what happened to it (as kubectl describe)')
    .argument('<what...>', 'TYPE [NAME…], TYPE/NAME…')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-l, --selector <selector>', 'by labels')
    .option('--no-show-events', 'leave the events out')
    .action(async (what: readonly string[], flags: DescribeFlags) => {
      const connection = await connect(flags, streams);
      try {
        exit(await describe(connection, what, flags, streams));
      } finally {
        connection.client.close();
      }
    });
};

async function pageOf(connection: Connection, target: Target, object: Live, flags: DescribeFlags): Promise<string> {
  const page = createPage();
  const { client } = connection;
  const { resource } = target;
  const named = {
    ...object,
    apiVersion: resource.group ? `${resource.group}/${resource.version}` : resource.version,
    kind: resource.kind,
  };
  await describerFor(resource)(page, named, { client, showEvents: flags.showEvents, now: systemClock.now() });
  return page.text();
}

async function objectsOf(connection: Connection, target: Target, flags: DescribeFlags): Promise<readonly Live[]> {
  const scope = flags.allNamespaces ? {} : { namespace: connection.namespace };
  if (target.name) return [await connection.client.get(target.resource, target.name, scope)];
  const { items } = await connection.client.list(target.resource, {
    ...scope,
    ...(flags.selector && { labelSelector: flags.selector }),
  });
  return items;
}

/** Objects whose names begin so, as kubectl takes a name that there is none of. */
async function byPrefix(connection: Connection, target: Target): Promise<readonly Live[]> {
  const { items } = await connection.client.list(target.resource, { namespace: connection.namespace });
  return items.filter((item) => item.metadata.name.startsWith(target.name ?? ''));
}

/** A pod that is gone may still have events. */
async function eventsOfGonePod(
  connection: Connection,
  target: Target,
  error: StatusError,
): Promise<string | undefined> {
  if (target.resource.group !== '' || target.resource.plural !== 'pods') return undefined;
  const around = { client: connection.client, showEvents: true, now: systemClock.now() };
  const found = await eventsAbout({ name: target.name, namespace: connection.namespace }, around);
  if (!found?.length) return undefined;
  const page = createPage();
  page.line(0, `Pod '${target.name}': error '${error.message}', but found events.`);
  writeEvents(page, found, around.now);
  return page.text();
}

async function describe(
  connection: Connection,
  what: readonly string[],
  flags: DescribeFlags,
  streams: Streams,
): Promise<number> {
  const targets = targetsOf(await discover(connection.client), what);
  if (flags.allNamespaces && targets.some((target) => target.name))
    throw new KubectlError('a resource cannot be retrieved by name across all namespaces');
  let failed = false;
  let shown = 0;
  const show = (text: string): void => {
    streams.stdout.write(shown++ === 0 ? text : `\n\n${text}`);
  };
  for (const target of targets) {
    try {
      for (const object of await objectsOf(connection, target, flags))
        show(await pageOf(connection, target, object, flags));
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const prefixed = hasReason(error, 'NotFound') && what.length === 2 ? await byPrefix(connection, target) : [];
      for (const object of prefixed) streams.stdout.write(`${await pageOf(connection, target, object, flags)}\n`);
      if (prefixed.length > 0) return 0;
      const last =
        flags.showEvents && hasReason(error, 'NotFound') ? await eventsOfGonePod(connection, target, error) : undefined;
      if (last) {
        show(last);
        continue;
      }
      failed = true;
      complain(streams, serverError(error));
    }
  }
  if (shown === 0 && !failed)
    complain(
      streams,
      flags.allNamespaces ? 'No resources found' : `No resources found in ${connection.namespace} namespace.`,
    );
  return failed ? 1 : 0;
}
