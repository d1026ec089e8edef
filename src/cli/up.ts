import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../base/clock.ts';
import { lineLogger } from '../base/log.ts';
import { holdDataDir } from '../cluster/control-socket.ts';
import { startDetached } from '../cluster/detached.ts';
import {
  type ClusterOptions,
  defaultDataDir,
  defaultOptions,
  parseListen,
  podRange,
  UsageError,
} from '../cluster/options.ts';
import type { SimRequest } from '../cluster/sim/sim-controls.ts';
import type { Cluster } from '../cluster/start-cluster.ts';
import type { StoreRequest } from '../cluster/store-admin.ts';
import { addEtcdFlags, type EtcdFlags, etcdAccess } from './etcd-flags.ts';
import type { CommandBuilder } from './main.ts';
import { complain, type Streams, say } from './output.ts';
import { stopSignal } from './stop-signal.ts';

interface UpFlags extends EtcdFlags {
  readonly dataDir: string;
  readonly kubeconfig?: string;
  readonly listen: string;
  readonly store: ClusterOptions['store'];
  readonly runtime: ClusterOptions['runtime'];
  readonly nodes: number;
  readonly node: boolean;
  readonly nodeCpus: number;
  /** Bytes. */
  readonly nodeMemory: number;
  readonly egress: ClusterOptions['simulated']['egress'];
  readonly loadBalancerPool: string;
  readonly ingressHttp: string;
  readonly ingressHttps: string;
  readonly nodeMonitorGracePeriod?: number;
  readonly nodeNames?: readonly string[];
  readonly forkFrom?: string;
  readonly join?: string;
  readonly token?: string;
  readonly keepHistory?: number;
  readonly detach?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (value: string): T => {
    const found = allowed.find((one) => one === value);
    if (!found) throw new InvalidArgumentError(`Choose one of ${allowed.join(', ')}.`);
    return found;
  };

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const historyLength = (value: string): number => {
  const match = /^(\d{1,6})([smhd])$/.exec(value);
  const ms = Number(match?.[1]) * (units[match?.[2] ?? ''] ?? Number.NaN);
  if (!(ms >= 10_000)) throw new InvalidArgumentError('Such as 30m or 24h, and 10s at least.');
  return ms;
};

const count = (value: string): number => {
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError('A number from 0 to 9999.');
  return Number(value);
};

const cpus = (value: string): number => {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new InvalidArgumentError('A number from 1 to 9999.');
  return Number(value);
};

const memory = (value: string): number => {
  const [, amount, unit] = /^([1-9]\d{0,5})(Mi|Gi|Ti)$/.exec(value) ?? [];
  if (!amount) throw new InvalidArgumentError('A size such as 16Gi or 512Mi.');
  return Number(amount) * 2 ** (unit === 'Mi' ? 20 : unit === 'Gi' ? 30 : 40);
};

const pool = (value: string): string => {
  if (value === 'none') return '';
  if (!/^\d{1,3}(\.\d{1,3}){3}\/(1[6-9]|2\d|3[0-2])$/.test(value))
    throw new InvalidArgumentError('An IPv4 range of at most 16 bits, such as 192.168.1.240/28, or none.');
  return value;
};
const duration = (value: string): number => {
  const seconds = Number(/^(\d{1,5})s$/.exec(value)?.[1]);
  if (!(seconds >= 20)) throw new InvalidArgumentError('Seconds such as 50s, no fewer than 20.');
  return seconds * 1000;
};

/** `coracle up`: runs a cluster until it is told to stop. Exit 0 on a clean stop. */
export const upCommand: CommandBuilder = (program: Command, streams, exit) => {
  const command = program
    .command('up')
    .description('run a cluster until Ctrl-C, SIGTERM or `coracle down`')
    .option('--data-dir <dir>', 'where its state lives', defaultDataDir(streams.env))
    .option('--kubeconfig <file>', 'also add a context to this kubeconfig, made where it is missing')
    .option('--listen <addr:port>', 'where the API server listens (port 0: any)', '127.0.0.1:6443')
    .option('--store <kind>', 'lmdb, memory or etcd', oneOf('lmdb', 'memory', 'etcd'), 'lmdb')
    .option('--runtime <kind>', 'auto, containerd or sim', oneOf('auto', 'containerd', 'sim'), 'auto')
    .option('--nodes <n>', 'how many nodes (more than one: simulated)', count, 1)
    .option('--no-node', 'control plane only')
    .option('--node-cpus <n>', 'processors of each simulated node', cpus, defaultOptions.simulated.cpus)
    .option(
      '--node-memory <size>',
      'memory of each simulated node (16Gi)',
      memory,
      defaultOptions.simulated.memoryBytes,
    )
    .option('--egress <kind>', 'closed, or open: simulated pods reach the outside', oneOf('closed', 'open'), 'closed')
    .option(
      '--load-balancer-pool <cidr>',
      'addresses for Services of type LoadBalancer, or none',
      pool,
      defaultOptions.loadBalancerPool,
    )
    .option('--ingress-http <addr:port>', 'where Ingresses are served, or none', '127.0.0.1:80')
    .option('--ingress-https <addr:port>', 'the same with TLS, or none', '127.0.0.1:443')
    .option('--node-monitor-grace-period <duration>', 'how long a node may be silent, such as 50s', duration)
    .option('--node-names <names>', 'names of simulated nodes, instead of their number', (text: string) =>
      text.split(','),
    )
    .option('--fork-from <path[@rev]>', 'begin with the state of another data directory or a snapshot, simulated')
    .option('--join <url,…>', 'add a control plane, without a node, to the cluster of these API servers')
    .option(
      '--token <token>',
      'of coracle token control-plane, for the first --join',
      streams.env['CORACLE_JOIN_TOKEN'],
    )
    .option(
      '--keep-history <duration>',
      'how far back the past can be read, such as 30m or 24h (default 5m)',
      historyLength,
    )
    .option('-d, --detach', 'go on in the background once ready')
    .option('-q, --quiet', 'print the ready line only')
    .option('--verbose', 'log what every component does');
  addEtcdFlags(command).action(async (flags: UpFlags) => exit(await up(flags, streams)));
};

function settle(flags: UpFlags): ClusterOptions {
  const { address, port } = parseListen(flags.listen);
  const etcd = etcdAccess(flags);
  if ((flags.store === 'etcd') !== (etcd !== undefined))
    throw new UsageError('--store etcd and --etcd-endpoints belong together');
  const { ingressHttp: _http, ingressHttps: _https, ...defaults } = defaultOptions;
  return {
    ...defaults,
    dataDir: resolve(flags.dataDir),
    listenAddress: address,
    listenPort: port,
    ...(flags.kubeconfig && { kubeconfig: resolve(flags.kubeconfig) }),
    store: flags.store,
    ...(etcd && { etcd }),
    runtime: flags.runtime,
    nodes: flags.node ? (flags.nodeNames?.length ?? flags.nodes) : 0,
    ...(flags.nodeNames && { nodeNames: flags.nodeNames }),
    ...(flags.keepHistory !== undefined && { keepHistory: flags.keepHistory }),
    clusterCidr: podRange(flags.nodes),
    simulated: { egress: flags.egress, cpus: flags.nodeCpus, memoryBytes: flags.nodeMemory },
    loadBalancerPool: flags.loadBalancerPool,
    ...(flags.ingressHttp !== 'none' && { ingressHttp: parseListen(flags.ingressHttp) }),
    ...(flags.ingressHttps !== 'none' && { ingressHttps: parseListen(flags.ingressHttps) }),
    ...(flags.nodeMonitorGracePeriod !== undefined && { nodeMonitorGraceMs: flags.nodeMonitorGracePeriod }),
  };
}

/** The options of a control plane that joins others: their etcd and their ranges. */
async function joined(flags: UpFlags): Promise<ClusterOptions> {
  if (flags.join === undefined) return settle(flags);
  const urls = flags.join.split(',').map((url) => url.trim());
  for (const url of urls)
    if (!/^https:\/\/[^/]+$/.test(url)) throw new UsageError(`--join wants https://HOST:PORT, not "${url}"`);
  const { takeControlPlane } = await import('../cluster/join/control-plane-bundle.ts');
  const { etcd, settings } = await takeControlPlane(resolve(flags.dataDir), urls, flags.token);
  return { ...settle({ ...flags, store: 'lmdb' }), ...settings, nodes: 0, store: 'etcd', etcd };
}

/** The options of a cluster that begins with another's state: simulated, with the same nodes. */
async function forked(options: ClusterOptions, flags: UpFlags): Promise<ClusterOptions> {
  if (flags.forkFrom === undefined) return options;
  if (options.store !== 'lmdb') throw new UsageError('--fork-from fills an embedded store: leave --store away');
  if (options.runtime === 'containerd') throw new UsageError('a forked cluster is simulated: leave --runtime away');
  const { forkState, parseForkSource } = await import('../cluster/fork.ts');
  const nodeNames = await forkState(options.dataDir, parseForkSource(flags.forkFrom), systemClock);
  if (options.nodes === 0 || nodeNames.length === 0) return { ...options, runtime: 'sim' };
  return { ...options, runtime: 'sim', nodes: nodeNames.length, nodeNames, clusterCidr: podRange(nodeNames.length) };
}

async function up(flags: UpFlags, streams: Streams): Promise<number> {
  const options = await forked(await joined(flags), flags);
  const began = systemClock.monotonic();
  if (flags.detach) {
    const status = await startDetached(options);
    welcome(options, status, systemClock.monotonic() - began, flags, streams);
    return 0;
  }
  const log = lineLogger(flags.verbose ? 'debug' : 'warn', (line) => complain(streams, line));
  const stop = stopSignal();
  const startedAt = new Date(systemClock.now()).toISOString();
  let cluster: Cluster | undefined;
  const held = await holdDataDir(options.dataDir, {
    status: () => ({
      pid: process.pid,
      url: cluster?.url ?? '',
      runtime: cluster?.runtime ?? options.runtime,
      nodes: options.nodes,
      startedAt,
      ready: cluster !== undefined,
    }),
    spans: (query) => cluster?.spans(query) ?? [],
    sim: async (request) => {
      if (!cluster) return { refusal: 'the cluster is not ready yet' };
      if (!cluster.sim) return { refusal: 'the nodes of this cluster are not simulated' };
      await cluster.sim.apply(request as SimRequest);
      return {};
    },
    store: async (request) =>
      cluster?.administer(request as StoreRequest) ?? { refusal: 'the cluster is not ready yet' },
    stop: stop.now,
  });
  if (!held) throw new UsageError(`a cluster is already running on ${options.dataDir}; see coracle status`);
  try {
    const { startCluster } = await import('../cluster/start-cluster.ts');
    cluster = await startCluster(options, log);
    welcome(options, cluster, systemClock.monotonic() - began, flags, streams);
    await stop.asked;
    return 0;
  } finally {
    await cluster?.stop();
    await held.release();
  }
}

const home = (path: string): string => (path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path);

function welcome(
  options: ClusterOptions,
  cluster: { readonly url: string; readonly runtime: string; readonly reason?: string },
  ms: number,
  flags: UpFlags,
  streams: Streams,
): void {
  const count = cluster.runtime === 'none' ? 0 : cluster.runtime === 'sim' ? options.nodes : 1;
  const nodes = count === 0 ? 'no node' : count === 1 ? '1 node' : `${count} nodes`;
  say(streams, `coracle is ready in ${(ms / 1000).toFixed(2)} s: ${cluster.url}, ${nodes}, runtime ${cluster.runtime}`);
  if (flags.quiet) return;
  if (cluster.reason) say(streams, `  ${cluster.reason}`);
  say(streams, '');
  say(streams, 'In another terminal:');
  say(streams, `  export KUBECONFIG=${home(options.kubeconfig ?? `${options.dataDir}/kubeconfig`)}`);
  say(streams, '  kubectl run web --image=nginx --port=80');
  say(streams, '  kubectl get pods --watch');
}
