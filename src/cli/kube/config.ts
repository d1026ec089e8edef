import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { loadKubeconfig } from '../../client/kubeconfig.ts';
import type { CommandBuilder } from '../main.ts';
import { type Streams, say } from '../output.ts';
import { kubeconfigPath } from './connect.ts';
import { KubectlError } from './errors.ts';
import { toJson } from './print-objects.ts';
import { alignColumns } from './print-table.ts';
import { toYaml } from './yaml-writer.ts';

interface ConfigFlags {
  readonly kubeconfig?: string;
  readonly output: string;
  readonly raw?: boolean;
  readonly minify?: boolean;
  readonly headers: boolean;
}

const load = (flags: ConfigFlags, streams: Streams) => {
  const path = kubeconfigPath(flags, streams);
  return loadKubeconfig({ ...(path && { path }), env: streams.env });
};

/** Certificates are left out and secrets hidden, unless they are asked for. */
function hidden(fields: object, raw: boolean | undefined): object {
  if (raw) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (key === 'certificate-authority-data' || key === 'client-certificate-data' || key === 'client-key-data')
        return [key, 'DATA+OMITTED'];
      return key === 'token' || key === 'password' ? [key, 'REDACTED'] : [key, value];
    }),
  );
}

async function view(flags: ConfigFlags, streams: Streams): Promise<void> {
  const { contexts, clusters, users, currentContext } = await load(flags, streams);
  const current = contexts.get(currentContext);
  if (flags.minify && !current) throw new KubectlError('current-context must exist in order to minify');
  const list = <T extends object>(all: ReadonlyMap<string, T>, field: string, only: string | undefined) =>
    [...all]
      .filter(([name]) => !flags.minify || name === only)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name, [field]: hidden(value, flags.raw) }));
  const shown = {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    clusters: list(clusters, 'cluster', current?.cluster),
    contexts: list(contexts, 'context', currentContext),
    users: list(users, 'user', current?.user),
    'current-context': currentContext,
  };
  streams.stdout.write(flags.output === 'json' ? toJson(shown) : toYaml(shown));
}

async function getContexts(flags: ConfigFlags, streams: Streams): Promise<void> {
  const { contexts, currentContext } = await load(flags, streams);
  const names = [...contexts.keys()].sort();
  if (flags.output === 'name') {
    for (const name of names) say(streams, name);
    return;
  }
  const rows = names.map((name) => {
    const { cluster = '', user = '', namespace = '' } = contexts.get(name) ?? {};
    return [name === currentContext ? '*' : '', name, cluster, user, namespace];
  });
  const head = flags.headers ? [['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE']] : [];
  for (const line of alignColumns([...head, ...rows])) say(streams, line);
}

/** Writes the current context into the first file that was read, leaving all else in it as it is. */
async function useContext(name: string, flags: ConfigFlags, streams: Streams): Promise<void> {
  const { contexts, files } = await load(flags, streams);
  if (!contexts.has(name)) throw new KubectlError(`no context exists with the name: "${name}"`);
  const [file] = files;
  if (!file || !existsSync(file)) throw new KubectlError('there is no kubeconfig to write to');
  const document = parseDocument(readFileSync(file, 'utf8'));
  document.set('current-context', name);
  writeFileSync(`${file}.new`, document.toString({ lineWidth: 0 }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  say(streams, `Switched to context "${name}".`);
}

/** `coracle config`: what kubectl config can, as far as reading and choosing contexts goes. */
export const configCommand: CommandBuilder = (program, streams) => {
  const config = program.command('config').description('look at kubeconfig, choose a context (as kubectl config)');
  const add = (name: string, description: string) =>
    config.command(name).description(description).option('--kubeconfig <file>', 'the kubeconfig to use');
  add('view', 'show the merged kubeconfig, without its secrets')
    .option('-o, --output <format>', 'yaml or json', 'yaml')
    .option('--raw', 'with certificates and secrets')
    .option('--minify', 'only what the current context needs')
    .action((flags: ConfigFlags) => view(flags, streams));
  add('current-context', 'show the current context').action(async (flags: ConfigFlags) => {
    const { currentContext } = await load(flags, streams);
    if (!currentContext) throw new KubectlError('current-context is not set');
    say(streams, currentContext);
  });
  add('get-contexts', 'list the contexts')
    .option('-o, --output <format>', 'name: only the names', '')
    .option('--no-headers', 'leave the headings out')
    .action((flags: ConfigFlags) => getContexts(flags, streams));
  add('use-context', 'choose the current context')
    .alias('use')
    .argument('<name>')
    .action((name: string, flags: ConfigFlags) => useContext(name, flags, streams));
};
