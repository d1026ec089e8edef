import { pods } from '../../api/generated/resources.ts';
import type { V1Pod } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { pathOf } from '../../client/https-client.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams } from '../output.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { durationSeconds } from './durations.ts';
import { podOf } from './pod-of.ts';

interface LogFlags extends ConnectFlags {
  readonly container?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly allContainers?: boolean;
  readonly prefix?: boolean;
}

/** `coracle logs`: as kubectl logs. */
export const logsCommand: CommandBuilder = (program, streams) => {
  withConnection(program.command('logs'))
    .description('print the logs of a container (as kubectl logs)')
    .argument('<pod>', 'POD or TYPE/NAME')
    .argument('[container]')
    .option('-c, --container <name>', 'the container')
    .option('-f, --follow', 'go on with new lines')
    .option('-p, --previous', 'those of the run before')
    .option('--timestamps', 'with the time of each line')
    .option('--tail <lines>', 'only the last lines')
    .option('--since <duration>', 'only lines younger than 5s, 2m, 3h')
    .option('--all-containers', 'of every container')
    .option('--prefix', 'each line with its pod and container')
    .action(async (target: string, container: string | undefined, flags: LogFlags) => {
      const connection = await connect(flags, streams);
      try {
        const pod = await podOf(connection, target, streams);
        const names = flags.allContainers
          ? containersIn(pod)
          : [flags.container ?? container ?? defaultContainer(pod, streams)];
        for (const name of names) await print(connection, pod, name, flags, streams);
      } finally {
        connection.client.close();
      }
    });
};

function containersIn(pod: Live<V1Pod>): readonly string[] {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((one) => one.name);
}

/** All containers, each with what it is where it is no main one. */
function listed({ spec }: Live<V1Pod>): string {
  const named = (all: readonly { readonly name: string }[] | undefined, kind: string): readonly string[] =>
    (all ?? []).map((one) => one.name + kind);
  return [
    ...named(spec?.containers, ''),
    ...named(spec?.ephemeralContainers, ' (ephem)'),
    ...named(spec?.initContainers, ' (init)'),
  ].join(', ');
}

/** The container that kubectl takes without -c: the annotated one, else the first; it says so when there are several. */
export function defaultContainer(pod: Live<V1Pod>, streams: Streams | undefined): string {
  const all = containersIn(pod);
  const annotated = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (annotated && all.includes(annotated)) return annotated;
  const first = pod.spec?.containers[0]?.name ?? '';
  if (all.length > 1 && streams) complain(streams, `Defaulted container "${first}" out of: ${listed(pod)}`);
  return first;
}

async function print(
  connection: Connection,
  pod: Live<V1Pod>,
  container: string,
  flags: LogFlags,
  streams: Streams,
): Promise<void> {
  const query = new URLSearchParams({ container });
  if (flags.follow) query.set('follow', 'true');
  if (flags.previous) query.set('previous', 'true');
  if (flags.timestamps) query.set('timestamps', 'true');
  if (flags.tail !== undefined) query.set('tailLines', flags.tail);
  if (flags.since) query.set('sinceSeconds', String(Math.ceil(durationSeconds(flags.since))));
  const path = `${pathOf(pods, pod.metadata.namespace, pod.metadata.name, 'log')}?${query}`;
  const { body } = await connection.client.raw({ path });
  const prefix = flags.prefix ? `[pod/${pod.metadata.name}/${container}] ` : '';
  let fresh = true;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (!prefix) streams.stdout.write(chunk);
    else {
      const text = chunk.toString();
      streams.stdout.write((fresh ? prefix : '') + text.replace(/\n(?=.)/gs, `\n${prefix}`));
      fresh = text.endsWith('\n');
    }
  }
}
