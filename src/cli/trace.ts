import { resolve } from 'node:path';
import { events } from '../api/generated/resources.ts';
import { askSpans } from '../cluster/control-socket.ts';
import { defaultDataDir } from '../cluster/options.ts';
import { reconstructTrace } from '../trace/reconstruct.ts';
import { renderTrace, traceOf } from '../trace/render.ts';
import { type ConnectFlags, connect, withConnection } from './kube/connect.ts';
import { podOf } from './kube/pod-of.ts';
import type { CommandBuilder } from './main.ts';
import { say } from './output.ts';

interface TraceFlags extends ConnectFlags {
  readonly dataDir: string;
  readonly output: string;
}

/**
 * `coracle trace pod/NAME`: the ten steps of a pod's life with their durations; measured spans on a coracle cluster, otherwise rebuilt
 * from what the API shows.
 */
export const traceCommand: CommandBuilder = (program, streams) => {
  withConnection(program.command('trace'))
    .description('show the ten steps of a pod, with durations')
    .argument('<pod>', 'pod/NAME')
    .option('--data-dir <dir>', 'of the cluster whose records are wanted', defaultDataDir(streams.env))
    .option('-o, --output <format>', 'text or json', 'text')
    .action(async (target: string, flags: TraceFlags) => {
      const { client, namespace } = await connect(flags, streams);
      try {
        const pod = await podOf({ client, namespace }, target);
        const { name, uid } = pod.metadata;
        const measured = await askSpans(resolve(flags.dataDir), {
          resource: 'pods',
          namespace: pod.metadata.namespace ?? namespace,
          name,
          uid,
        });
        let spans = measured ?? [];
        if (spans.length === 0) {
          const { items } = await client.list(events, { namespace, fieldSelector: `involvedObject.uid=${uid}` });
          spans = reconstructTrace(pod, items);
        }
        if (flags.output === 'json') say(streams, JSON.stringify(traceOf(pod, spans), null, 2));
        else streams.stdout.write(renderTrace(pod, spans));
      } finally {
        client.close();
      }
    });
};
