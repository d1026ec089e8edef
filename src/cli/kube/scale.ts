import type { V1Scale } from '../../api/generated/types.ts';
import type { CommandBuilder } from '../main.ts';
import { say } from '../output.ts';
import { shownName } from './apply.ts';
import { targetsOf } from './arguments.ts';
import { type ConnectFlags, connect, withConnection } from './connect.ts';
import { KubectlError } from './errors.ts';
import { discover } from './mapper.ts';

interface ScaleFlags extends ConnectFlags {
  readonly replicas: string;
  readonly currentReplicas?: string;
}

/** `coracle scale`: as kubectl scale, through the scale subresource. */
export const scaleCommand: CommandBuilder = (program, streams) => {
  withConnection(program.command('scale'))
    .description('set how many replicas there are to be (as kubectl scale)')
    .argument('<what...>', 'TYPE NAME…, TYPE/NAME…')
    .requiredOption('--replicas <n>', 'how many')
    .option('--current-replicas <n>', 'only when there are so many')
    .action(async (what: readonly string[], flags: ScaleFlags) => {
      const replicas = Number(flags.replicas);
      if (!/^\d+$/.test(flags.replicas))
        throw new KubectlError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
      const connection = await connect(flags, streams);
      const { client, namespace } = connection;
      try {
        for (const { resource, name } of targetsOf(await discover(client), what)) {
          if (!name) throw new KubectlError('resource(s) were provided, but no name was specified');
          const scope = resource.namespaced ? { namespace } : {};
          if (flags.currentReplicas !== undefined) {
            const now = (await client.get(resource, name, { ...scope, subresource: 'scale' })) as V1Scale;
            const there = now.spec?.replicas ?? 0;
            if (there !== Number(flags.currentReplicas))
              throw new KubectlError(`Expected replicas to be ${flags.currentReplicas}, was ${there}`);
          } else await client.get(resource, name, scope);
          await client.patch(
            resource,
            name,
            { spec: { replicas } },
            {
              type: 'application/merge-patch+json',
              subresource: 'scale',
              fieldManager: 'kubectl',
              ...scope,
            },
          );
          say(streams, `${shownName(resource, name)} scaled`);
        }
      } finally {
        client.close();
      }
    });
};
