import type { KubeObject, Live, Resource } from '../../api/resource.ts';
import { hasReason, StatusError } from '../../api/status.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams, say } from '../output.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { KubectlError } from './errors.ts';
import { type Manifest, readManifests } from './manifests.ts';
import { discover, type Mapper } from './mapper.ts';

interface ApplyFlags extends ConnectFlags {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly dryRun?: string;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
export const shownName = (resource: Resource, name: string): string =>
  `${resource.singular}${resource.group ? `.${resource.group}` : ''}/${name}`;

/** The resource of a manifest and the namespace it goes to. */
export function placeOf(mapper: Mapper, { object, source }: Manifest, connection: Connection, flags: ConnectFlags) {
  const resource = mapper.byKind(object.apiVersion, object.kind);
  if (!resource) {
    throw new KubectlError(
      `unable to recognize "${source}": no matches for kind "${object.kind}" in version "${object.apiVersion}"\nensure CRDs are installed first`,
    );
  }
  const own = object.metadata?.namespace;
  if (resource.namespaced && flags.namespace && own && own !== flags.namespace) {
    throw new KubectlError(
      `the namespace from the provided object "${own}" does not match the namespace "${flags.namespace}". You must pass '--namespace=${own}' to perform this operation.`,
    );
  }
  return { resource, ...(resource.namespaced && { namespace: own ?? connection.namespace }) };
}

async function present(
  connection: Connection,
  resource: Resource,
  namespace: string | undefined,
  name: string,
): Promise<Live | undefined> {
  try {
    return await connection.client.get(resource, name, namespace ? { namespace } : {});
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Applies one object on the server and says what became of it, in kubectl's words. */
async function applyOne(
  connection: Connection,
  mapper: Mapper,
  manifest: Manifest,
  flags: ApplyFlags,
): Promise<string> {
  const { resource, namespace } = placeOf(mapper, manifest, connection, flags);
  const name = manifest.object.metadata?.name;
  if (!name) throw new KubectlError(`${manifest.source}: resource name may not be empty`);
  const before = await present(connection, resource, namespace, name);
  const body: KubeObject = {
    ...manifest.object,
    metadata: { ...manifest.object.metadata, ...(namespace && { namespace }) },
  };
  const after = await connection.client.patch(resource, name, body, {
    type: 'application/apply-patch+yaml',
    fieldManager: 'coracle-apply',
    force: true,
    ...(namespace && { namespace }),
    ...(flags.dryRun === 'server' && { dryRun: true }),
  });
  const change = !before
    ? 'created'
    : before.metadata.resourceVersion === after.metadata.resourceVersion
      ? 'unchanged'
      : 'configured';
  return `${shownName(resource, name)} ${change}${flags.dryRun === 'server' ? ' (server dry run)' : ''}`;
}

/** `coracle apply`: server-side apply that takes over conflicting fields, said in the words of kubectl apply. */
export const applyCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('apply'))
    .description('create or change objects from files (as kubectl apply)')
    .requiredOption('-f, --filename <file>', 'file, directory or - (may be repeated)', collect)
    .option('-R, --recursive', 'with directories below')
    .option('--dry-run <how>', 'server: ask the server without changing anything')
    .action(async (flags: ApplyFlags) => {
      if (flags.dryRun !== undefined && flags.dryRun !== 'server' && flags.dryRun !== 'none') {
        throw new KubectlError(`Invalid dry-run value (${flags.dryRun}). Must be "none" or "server".`);
      }
      const manifests = await readManifests(flags.filename, flags.recursive ?? false, streams);
      const connection = await connect(flags, streams);
      try {
        exit(await applyAll(connection, manifests, flags, streams));
      } finally {
        connection.client.close();
      }
    });
};

async function applyAll(
  connection: Connection,
  manifests: readonly Manifest[],
  flags: ApplyFlags,
  streams: Streams,
): Promise<number> {
  let mapper = await discover(connection.client);
  let failed = false;
  for (const manifest of manifests) {
    try {
      // A definition applied a moment ago brings kinds that the first look did not show.
      if (!mapper.byKind(manifest.object.apiVersion, manifest.object.kind)) mapper = await discover(connection.client);
      say(streams, await applyOne(connection, mapper, manifest, flags));
    } catch (error) {
      failed = true;
      if (error instanceof StatusError)
        complain(
          streams,
          `Error from server (${error.reason}): error when applying "${manifest.source}": ${error.message}`,
        );
      else if (error instanceof KubectlError) complain(streams, `error: ${error.message}`);
      else throw error;
    }
  }
  return failed ? 1 : 0;
}
