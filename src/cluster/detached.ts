import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep, systemClock } from '../base/clock.ts';
import { askCluster, type ControlStatus } from './control-socket.ts';
import { type ClusterOptions, type EtcdAccess, UsageError } from './options.ts';

function etcdArguments(etcd: EtcdAccess | undefined): readonly string[] {
  if (!etcd) return [];
  const flag = (name: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [name, value];
  return [
    ...['--etcd-endpoints', etcd.endpoints.join(',')],
    ...flag('--etcd-cafile', etcd.caFile),
    ...flag('--etcd-certfile', etcd.certFile),
    ...flag('--etcd-keyfile', etcd.keyFile),
    ...flag('--etcd-prefix', etcd.prefix),
    ...flag('--etcd-user', etcd.user),
    ...flag('--etcd-password-file', etcd.passwordFile),
  ];
}

const listenText = (at: ClusterOptions['ingressHttp']): string =>
  at ? `${at.address.includes(':') ? `[${at.address}]` : at.address}:${at.port}` : 'none';

/** The arguments of `coracle up` that give these options again. */
export function upArguments(options: ClusterOptions): readonly string[] {
  const host = options.listenAddress.includes(':') ? `[${options.listenAddress}]` : options.listenAddress;
  return [
    'up',
    ...['--data-dir', options.dataDir],
    ...['--listen', `${host}:${options.listenPort}`],
    ...['--store', options.store],
    ...etcdArguments(options.etcd),
    ...(options.keepHistory === undefined ? [] : ['--keep-history', `${Math.round(options.keepHistory / 1000)}s`]),
    ...(options.nodeNames ? ['--node-names', options.nodeNames.join(',')] : []),
    ...['--runtime', options.runtime],
    ...['--egress', options.simulated.egress],
    ...['--node-cpus', String(options.simulated.cpus)],
    ...['--node-memory', `${Math.max(1, Math.round(options.simulated.memoryBytes / 2 ** 20))}Mi`],
    ...(options.nodes === 0 ? ['--no-node'] : ['--nodes', String(options.nodes)]),
    ...['--ingress-http', listenText(options.ingressHttp)],
    ...['--ingress-https', listenText(options.ingressHttps)],
    ...['--load-balancer-pool', options.loadBalancerPool || 'none'],
    ...(options.nodeMonitorGraceMs === undefined
      ? []
      : ['--node-monitor-grace-period', `${options.nodeMonitorGraceMs / 1000}s`]),
    ...(options.kubeconfig ? ['--kubeconfig', options.kubeconfig] : []),
  ];
}

/** Starts `coracle up` in the background, its output in `<dataDir>/coracle.log`, and waits until it is ready. */
export async function startDetached(options: ClusterOptions): Promise<ControlStatus> {
  if (await askCluster(options.dataDir, 'status')) {
    throw new UsageError(`a cluster is already running on ${options.dataDir}; see coracle status`);
  }
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const logFile = join(options.dataDir, 'coracle.log');
  const log = openSync(logFile, 'w', 0o600);
  const program = fileURLToPath(new URL('../../../bin/coracle.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...upArguments(options)], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended: number | null | undefined;
  child.once('exit', (code) => {
    ended = code;
  });
  for (;;) {
    const status = await askCluster(options.dataDir, 'status');
    if (status?.ready) {
      child.unref();
      return status;
    }
    if (ended !== undefined) {
      const said = readFileSync(logFile, 'utf8').trim();
      throw new UsageError(
        said.replace(/^coracle: /, '') || `the cluster ended with exit code ${ended}; see ${logFile}`,
      );
    }
    await sleep(systemClock, 25);
  }
}
