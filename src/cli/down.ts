import { resolve } from 'node:path';
import { sleep, systemClock } from '../base/clock.ts';
import { askCluster } from '../cluster/control-socket.ts';
import { defaultDataDir } from '../cluster/options.ts';
import type { CommandBuilder } from './main.ts';
import { say } from './output.ts';

/** `coracle down`: stops the cluster of a data directory and waits until it has stopped. */
export const downCommand: CommandBuilder = (program, streams) => {
  program
    .command('down')
    .description('stop the running cluster; its state stays')
    .option('--data-dir <dir>', 'the data directory', defaultDataDir(streams.env))
    .option('--purge', 'also remove all it made: pods, mounts, bridges, rules and its data')
    .action(async (options: { dataDir: string; purge?: boolean }) => {
      const dataDir = resolve(options.dataDir);
      const status = await askCluster(dataDir, 'stop');
      if (status) {
        while (await askCluster(dataDir, 'status')) await sleep(systemClock, 50);
        say(streams, `stopped the cluster on ${dataDir} (pid ${status.pid})`);
      } else say(streams, `no cluster is running on ${dataDir}`);
      if (!options.purge) return;
      const { purge } = await import('../cluster/purge.ts');
      await purge(dataDir);
      say(streams, `removed everything of it`);
    });
};
