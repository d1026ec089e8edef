import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { defaultDataDir, UsageError } from '../cluster/options.ts';
import { containerdSocket } from '../cluster/real-node.ts';
import type { CommandBuilder } from './main.ts';
import { say } from './output.ts';

/** `coracle image load`: puts an image archive (docker save or OCI layout) into this machine's node. */
export const imageCommand: CommandBuilder = (program, streams) => {
  const image = program.command('image').description('images of this node');
  image
    .command('load')
    .description('load an image archive (docker save, OCI layout) into the node')
    .argument('<file>')
    .option('--data-dir <dir>', 'the data directory', defaultDataDir(streams.env))
    .action(async (file: string, options: { dataDir: string }) => {
      if (!existsSync(file)) throw new UsageError(`the file "${file}" does not exist`);
      const socket = containerdSocket(resolve(options.dataDir));
      if (!existsSync(socket)) throw new UsageError(`no containerd node has run on ${options.dataDir}`);
      const args = ['--address', socket, '-n', 'k8s.io', 'images', 'import', '--all-platforms', resolve(file)];
      try {
        const { stdout } = await promisify(execFile)('ctr', args);
        for (const line of stdout.trim().split('\n')) say(streams, line.replace(/^unpacking (\S+).*$/, 'loaded $1'));
      } catch (error) {
        throw new UsageError(
          `cannot load ${join(file)}: ${error instanceof Error ? error.message.trim() : String(error)}`,
        );
      }
    });
};
