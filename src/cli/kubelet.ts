import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { systemClock } from '../base/clock.ts';
import { lineLogger } from '../base/log.ts';
import { holdDataDir } from '../cluster/control-socket.ts';
import type { JoinedNode } from '../cluster/join/joined-node.ts';
import { defaultDataDir, UsageError } from '../cluster/options.ts';
import type { CommandBuilder } from './main.ts';
import { complain, say } from './output.ts';
import { stopSignal } from './stop-signal.ts';

interface KubeletFlags {
  readonly dataDir: string;
  readonly join?: string;
  readonly token?: string;
  readonly discoveryTokenCaCertHash: readonly string[];
  readonly discoveryTokenUnsafeSkipCaVerification?: boolean;
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly port: number;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly verbose?: boolean;
}

const hash = (value: string, before: readonly string[]): readonly string[] => {
  if (!/^sha256:[0-9a-f]{64}$/i.test(value)) throw new InvalidArgumentError('sha256: and 64 hexadecimal digits.');
  return [...before, value.toLowerCase()];
};
const address = (value: string): string => {
  const bare = value.replace(/^https:\/\//, '');
  if (!/^(\[[0-9a-fA-F:]+\]|[^:\s/]+):\d{1,5}$/.test(bare)) throw new InvalidArgumentError('HOST:PORT of the server.');
  return bare;
};
const portNumber = (value: string): number => {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('A port, 1 to 65535.');
  return port;
};
const labels = (value: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    value.split(',').map((pair) => {
      const [key = '', text = ''] = pair.split('=');
      if (key === '') throw new InvalidArgumentError('KEY=VALUE, with commas between.');
      return [key, text];
    }),
  );

/** `coracle kubelet`: runs this machine as a node of a cluster on another machine. Exit 0 on a clean stop; its pods run on. */
export const kubeletCommand: CommandBuilder = (program, streams, exit) => {
  program
    .command('kubelet')
    .description('run this machine as a node of a cluster elsewhere (coracle token create prints how)')
    .option('--join <host:port>', 'the API server; needed the first time', address)
    .option('--token <token>', 'the bootstrap token; needed the first time')
    .option('--discovery-token-ca-cert-hash <sha256:hex>', 'pins the authority of the cluster', hash, [])
    .option('--discovery-token-unsafe-skip-ca-verification', 'join without that pin')
    .option('--data-dir <dir>', 'where its state lives', defaultDataDir(streams.env))
    .option('--node-name <name>', 'default: the host name')
    .option('--node-ip <address>', 'default: the first address of this machine')
    .option('--node-labels <key=value,…>', 'labels of the node', labels, {})
    .option('--port <port>', 'where the kubelet serves', portNumber, 10_250)
    .option('--verbose', 'log what every component does')
    .action(async (flags: KubeletFlags) => {
      const log = lineLogger(flags.verbose ? 'debug' : 'warn', (line) => complain(streams, line));
      const stop = stopSignal();
      const began = systemClock.monotonic();
      const startedAt = new Date(systemClock.now()).toISOString();
      const dataDir = resolve(flags.dataDir);
      let node: JoinedNode | undefined;
      const held = await holdDataDir(dataDir, {
        status: () => ({
          pid: process.pid,
          url: node?.server ?? '',
          runtime: 'containerd',
          nodes: 1,
          startedAt,
          ready: node !== undefined,
        }),
        spans: () => [],
        stop: stop.now,
      });
      if (!held) throw new UsageError(`a cluster or node is already running on ${dataDir}; see coracle status`);
      try {
        const { startJoinedNode } = await import('../cluster/join/joined-node.ts');
        node = await startJoinedNode(
          {
            dataDir,
            ...(flags.join !== undefined && { address: flags.join }),
            ...(flags.token !== undefined && { token: flags.token }),
            hashes: flags.discoveryTokenCaCertHash,
            unsafeSkipHash: flags.discoveryTokenUnsafeSkipCaVerification === true,
            ...(flags.nodeName !== undefined && { nodeName: flags.nodeName }),
            ...(flags.nodeIp !== undefined && { nodeIp: flags.nodeIp }),
            port: flags.port,
            labels: flags.nodeLabels,
          },
          log,
        );
        const seconds = ((systemClock.monotonic() - began) / 1000).toFixed(2);
        say(streams, `node ${node.nodeName} is ready in ${seconds} s, of the cluster at ${node.server}`);
        await stop.asked;
        exit(0);
      } finally {
        await node?.stop();
        await held.release();
      }
    });
};
