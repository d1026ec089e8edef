import { resolve } from 'node:path';
import { askCluster } from '../cluster/control-socket.ts';
import { defaultDataDir } from '../cluster/options.ts';
import type { CommandBuilder } from './main.ts';
import { say } from './output.ts';

/** `coracle status`: exit 0 when a cluster runs on the data directory, 1 when none does. */
export const statusCommand: CommandBuilder = (program, streams, exit) => {
  program
    .command('status')
    .description('say whether a cluster is running')
    .option('--data-dir <dir>', 'the data directory', defaultDataDir(streams.env))
    .option('-o, --output <format>', 'text or json', 'text')
    .action(async (options: { dataDir: string; output: string }) => {
      const dataDir = resolve(options.dataDir);
      const status = await askCluster(dataDir, 'status');
      if (options.output === 'json')
        say(streams, JSON.stringify({ running: status !== undefined, dataDir, ...status }, null, 2));
      else if (!status) say(streams, `no cluster is running on ${dataDir}`);
      else {
        say(
          streams,
          `running: ${status.url}, ${status.nodes} node${status.nodes === 1 ? '' : 's'}, runtime ${status.runtime}`,
        );
        say(streams, `pid ${status.pid}, since ${status.startedAt}, data in ${dataDir}`);
      }
      exit(status ? 0 : 1);
    });
};
