import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** How simulated nodes are. */
export interface SimulatedOptions {
  /** `open`: what leads out of the cluster goes to this machine's network and name servers. */
  readonly egress: 'closed' | 'open';
  /** Of each node. */
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** An etcd cluster and its certificates' files, named as kube-apiserver names them. */
export interface EtcdAccess {
  readonly endpoints: readonly string[];
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Default /registry. */
  readonly prefix?: string;
  readonly user?: string;
  readonly passwordFile?: string;
}

/** How a cluster is to be run; every field settled. */
export interface ClusterOptions {
  /** Holds the store, certificates, kubeconfig, logs and node state. */
  readonly dataDir: string;
  readonly listenAddress: string;
  /** 0 = any free port. */
  readonly listenPort: number;
  /** Also written here (merged into what the file has), besides `<dataDir>/kubeconfig`. */
  readonly kubeconfig?: string;
  readonly store: 'lmdb' | 'memory' | 'etcd';
  /** Where etcd is, for `store: 'etcd'`. */
  readonly etcd?: EtcdAccess;
  readonly runtime: 'auto' | 'containerd' | 'sim';
  readonly simulated: SimulatedOptions;
  /** How many nodes; only simulated ones can be several. 0 = control plane alone. */
  readonly nodes: number;
  /** The names of simulated nodes; default `node-1`, `node-2`, …. */
  readonly nodeNames?: readonly string[];
  /** How long old revisions are kept for reading the past, milliseconds. Default 5 minutes, as kube-apiserver. */
  readonly keepHistory?: number;
  readonly serviceCidr: string;
  readonly clusterCidr: string;
  readonly clusterDomain: string;
  /** IPv4 range for Services of type LoadBalancer; '' leaves them to a controller of the user's. */
  readonly loadBalancerPool: string;
  /** Where Ingresses are served, once there is one; absent: not. */
  readonly ingressHttp?: { readonly address: string; readonly port: number };
  readonly ingressHttps?: { readonly address: string; readonly port: number };
  /** How long a node may be silent before it counts as lost, milliseconds; default 50 seconds. */
  readonly nodeMonitorGraceMs?: number;
}

export const kubernetesVersion = 'v1.36.0';

/** The user's own place for a cluster: `$CORACLE_DATA_DIR`, or `~/.coracle`. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  return env['CORACLE_DATA_DIR'] ? resolve(env['CORACLE_DATA_DIR']) : join(homedir(), '.coracle');
}

/** A mistake in how coracle was called or what it found: one line for the user, exit 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Splits `127.0.0.1:6443`, `[::1]:6443`, `:6443`. */
export function parseListen(text: string): { readonly address: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw new UsageError(`--listen wants ADDRESS:PORT, such as 127.0.0.1:6443, not "${text}"`);
  return { address: match[1] ?? (match[2] || '127.0.0.1'), port };
}

/** Splits and checks `http://a:2379,http://b:2379`. */
export function parseEndpoints(text: string): readonly string[] {
  const endpoints = text.split(',').map((one) => one.trim());
  for (const endpoint of endpoints) {
    if (!/^https?:\/\/[^/]+$/.test(endpoint) || !URL.canParse(endpoint))
      throw new UsageError(`--etcd-endpoints wants http(s)://HOST:PORT,…, not "${endpoint}"`);
  }
  return endpoints;
}

/** A range for pods with a /24 for each of so many nodes; larger ones hold the smaller, so that a cluster can grow. */
export function podRange(nodes: number): string {
  if (nodes <= 256) return '10.244.0.0/16';
  return nodes <= 4096 ? '10.240.0.0/12' : '10.192.0.0/10';
}

export const defaultOptions: Omit<ClusterOptions, 'dataDir'> = {
  listenAddress: '127.0.0.1',
  listenPort: 6443,
  store: 'lmdb',
  runtime: 'auto',
  simulated: { egress: 'closed', cpus: 8, memoryBytes: 16 * 2 ** 30 },
  nodes: 1,
  serviceCidr: '10.96.0.0/12',
  clusterCidr: podRange(1),
  clusterDomain: 'cluster.local',
  // TEST-NET-2 (RFC 5737): nobody has these, and nodes and pods of this cluster reach them.
  loadBalancerPool: '198.51.100.0/24',
  ingressHttp: { address: '127.0.0.1', port: 80 },
  ingressHttps: { address: '127.0.0.1', port: 443 },
};
