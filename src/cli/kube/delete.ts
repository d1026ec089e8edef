import type { Resource } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import { sleep, systemClock } from '../../base/clock.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams, say } from '../output.ts';
import { placeOf, shownName } from './apply.ts';
import { targetsOf } from './arguments.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { KubectlError } from './errors.ts';
import { readManifests } from './manifests.ts';
import { discover } from './mapper.ts';

interface DeleteFlags extends ConnectFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly all?: boolean;
  readonly gracePeriod?: string;
  readonly force?: boolean;
  readonly now?: boolean;
  readonly wait: boolean;
  readonly cascade?: string;
  readonly ignoreNotFound?: boolean;
}

interface Doomed {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name: string;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
const policies: Readonly<Record<string, 'Background' | 'Foreground' | 'Orphan'>> = {
  background: 'Background',
  foreground: 'Foreground',
  orphan: 'Orphan',
};

/** `coracle delete`: as kubectl delete, waiting until the objects are gone. */
export const deleteCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('delete'))
    .description('delete objects (as kubectl delete)')
    .argument('[what...]', 'TYPE NAME…, TYPE/NAME…')
    .option('-f, --filename <file>', 'those of a file, directory or -', collect)
    .option('-R, --recursive', 'with directories below')
    .option('-l, --selector <selector>', 'by labels')
    .option('--all', 'all of the type in the namespace')
    .option('--grace-period <seconds>', 'seconds that pods get to end')
    .option('--now', 'one second')
    .option('--force', 'with --grace-period=0: at once')
    .option('--cascade <how>', 'background, foreground or orphan', 'background')
    .option('--ignore-not-found', 'exit 0 when a name is not there')
    .option('--no-wait', 'return before they are gone')
    .action(async (what: readonly string[], flags: DeleteFlags) => {
      const connection = await connect(flags, streams);
      try {
        exit(await remove(connection, await doomed(connection, what, flags, streams), flags, streams));
      } finally {
        connection.client.close();
      }
    });
};

async function doomed(
  connection: Connection,
  what: readonly string[],
  flags: DeleteFlags,
  streams: Streams,
): Promise<readonly Doomed[]> {
  const mapper = await discover(connection.client);
  if (flags.filename) {
    const manifests = await readManifests(flags.filename, flags.recursive ?? false, streams);
    return manifests.map((manifest) => ({
      ...placeOf(mapper, manifest, connection, flags),
      name: manifest.object.metadata?.name ?? '',
    }));
  }
  const found: Doomed[] = [];
  for (const { resource, name } of targetsOf(mapper, what)) {
    const scope = resource.namespaced ? { namespace: connection.namespace } : {};
    if (name) found.push({ resource, ...scope, name });
    else if (!flags.all && !flags.selector)
      throw new KubectlError('resource(s) were provided, but no name was specified');
    else {
      const { items } = await connection.client.list(resource, {
        ...scope,
        ...(flags.selector && { labelSelector: flags.selector }),
      });
      found.push(...items.map((item) => ({ resource, ...scope, name: item.metadata.name })));
    }
  }
  return found;
}

async function remove(
  connection: Connection,
  all: readonly Doomed[],
  flags: DeleteFlags,
  streams: Streams,
): Promise<number> {
  const grace = flags.now
    ? 1
    : flags.gracePeriod === undefined
      ? flags.force
        ? 0
        : undefined
      : Number(flags.gracePeriod);
  if (grace === 0 && !flags.force) throw new KubectlError('--grace-period=0 needs --force');
  const policy = policies[flags.cascade ?? 'background'];
  if (!policy)
    throw new KubectlError(
      `invalid cascade value (${flags.cascade}). Must be "background", "foreground", or "orphan".`,
    );
  if (all.length === 0) say(streams, 'No resources found');
  let failed = false;
  const deleted: Doomed[] = [];
  for (const one of all) {
    try {
      await connection.client.delete(one.resource, one.name, {
        ...(one.namespace && { namespace: one.namespace }),
        ...(grace !== undefined && { gracePeriodSeconds: grace }),
        propagationPolicy: policy,
      });
      const name = shownName(one.resource, one.name).replace('/', ' "');
      say(
        streams,
        `${name}" ${grace === 0 ? 'force ' : ''}deleted${one.namespace && one.namespace !== 'default' ? ` from ${one.namespace} namespace` : ''}`,
      );
      deleted.push(one);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      if (flags.ignoreNotFound) continue;
      failed = true;
      complain(streams, `Error from server (NotFound): ${error.message}`);
    }
  }
  if (flags.wait && grace !== 0) for (const one of deleted) await untilGone(connection, one);
  return failed ? 1 : 0;
}

async function untilGone(connection: Connection, { resource, namespace, name }: Doomed): Promise<void> {
  const scope = namespace ? { namespace } : {};
  for (;;) {
    try {
      await connection.client.get(resource, name, scope);
    } catch (error) {
      if (hasReason(error, 'NotFound')) return;
      throw error;
    }
    // The watch tells when it goes; it is opened only for what is still there.
    const abort = new AbortController();
    const stream = await connection.client.watch(resource, {
      ...scope,
      fieldSelector: `metadata.name=${name}`,
      timeoutSeconds: 60,
      signal: abort.signal,
    });
    for await (const events of stream) {
      if (events.some((event) => event.type === 'DELETED')) {
        abort.abort();
        return;
      }
    }
    await sleep(systemClock, 100);
  }
}
