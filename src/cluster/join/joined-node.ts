import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, createServer, type SecureContextOptions } from 'node:tls';
import { parse } from 'yaml';
import { configmaps } from '../../api/generated/resources.ts';
import { hasReason } from '../../api/status.ts';
import { systemClock } from '../../base/clock.ts';
import { startLifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import { httpsClient } from '../../client/https-client.ts';
import { createInformers } from '../../client/informers.ts';
import { createRecorder } from '../../client/recorder.ts';
import { startKubelet } from '../../kubelet/kubelet.ts';
import type { KeyedCertificate } from '../../pki/certificate.ts';
import { alternativeNames } from '../../pki/cluster-pki.ts';
import { containerdPaths } from '../../runtime/cri/containerd-config.ts';
import { containerdNode } from '../../runtime/cri/containerd-node.ts';
import { detectContainerd } from '../../runtime/cri/detect-containerd.ts';
import type { NodeRuntime } from '../../runtime/node-runtime.ts';
import { createTraceRecorder } from '../../trace/recorder.ts';
import { innerAddress } from '../advertise.ts';
import { serveClusterDns } from '../cluster-dns.ts';
import { startNodeNetwork } from '../node-network.ts';
import { UsageError } from '../options.ts';
import { holdInnerAddress, releaseInnerAddress } from '../real-network.ts';
import { nodeCgroup } from '../real-node.ts';
import { keepCertificate, requestCertificate, storeCertificate, storedCertificate } from './certificates.ts';
import { discoverCluster, parseToken } from './discovery.ts';
import { kubeletAuth } from './kubelet-auth.ts';
import { rememberCluster, rememberedCluster } from './remembered.ts';
import { rotatingClient } from './rotating-client.ts';

/** How a machine joins a cluster; every field settled. */
export interface JoinOptions {
  readonly dataDir: string;
  /** `host:port` of the API server; needed the first time. */
  readonly address?: string;
  readonly token?: string;
  readonly hashes: readonly string[];
  readonly unsafeSkipHash: boolean;
  /** Default: the machine's host name. */
  readonly nodeName?: string;
  /** Default: the first address of the machine. */
  readonly nodeIp?: string;
  /** Where the kubelet's server listens; default 10250. */
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface JoinedNode {
  readonly nodeName: string;
  readonly server: string;
  stop(): Promise<void>;
}

/** The first documents of the cluster's configuration of nodes, with kubeadm's defaults where one is missing. */
async function nodeConfiguration(client: Client): Promise<{
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly clusterCidrs: readonly string[];
}> {
  const read = async (name: string, key: string): Promise<Readonly<Record<string, unknown>>> => {
    try {
      const map = await client.get(configmaps, name, { namespace: 'kube-system' });
      return (parse(map.data?.[key] ?? '') ?? {}) as Record<string, unknown>;
    } catch (error) {
      if (hasReason(error, 'NotFound')) return {};
      throw error;
    }
  };
  const kubelet = await read('kubelet-config', 'kubelet');
  const proxy = await read('kube-proxy', 'config.conf');
  const dns = kubelet['clusterDNS'];
  return {
    clusterDns: Array.isArray(dns) ? dns.map(String) : [],
    clusterDomain: String(kubelet['clusterDomain'] ?? 'cluster.local'),
    clusterCidrs: String(proxy['clusterCIDR'] ?? '10.244.0.0/16').split(','),
  };
}

/** Runs this machine as a node of a cluster elsewhere: joins it the first time, and is its kubelet, proxy, DNS and policies until stopped. */
export async function startJoinedNode(options: JoinOptions, log: Logger): Promise<JoinedNode> {
  const clock = systemClock;
  const random = systemRandom();
  const lifetime = startLifetime((error) => log.error('while stopping', { error }));
  const { signal } = lifetime;
  try {
    const detection = await detectContainerd(process.env);
    if (!detection.usable) throw new UsageError(`this machine cannot be a node: ${detection.why}`);
    // Found before anything is started, so that a wrong token leaves nothing behind.
    const cluster = (await rememberedCluster(options.dataDir)) ?? (await discovered(options));
    const dir = join(options.dataDir, 'node');
    const pki = join(options.dataDir, 'pki');
    await mkdir(pki, { recursive: true, mode: 0o700 });
    await mkdir(dir, { recursive: true, mode: 0o711 });

    const real = await containerdNode({ dir: join(dir, 'containerd'), parts: detection.parts, clock, signal });
    lifetime.defer(() => real.close());
    const machine = await real.machine();
    const nodeName = (options.nodeName ?? machine.hostname).toLowerCase();
    const nodeIp = options.nodeIp ?? machine.address;
    if (isIP(nodeIp) === 0) throw new UsageError(`--node-ip ${nodeIp} is no IP address`);
    const runtime: NodeRuntime = {
      ...real,
      machine: async () => ({ ...(await real.machine()), hostname: nodeName, address: nodeIp }),
    };

    const base = { server: cluster.server, ca: cluster.authority, userAgent: 'kubelet' };
    const stored = await storedCertificate(pki, 'kubelet-client', nodeName, clock.now());
    const first = stored ?? (await bootstrap(base, options, nodeName, signal));
    if (!stored) await storeCertificate(pki, 'kubelet-client', first);
    await rememberCluster(options.dataDir, cluster);
    const configOf = (pair: KeyedCertificate) => ({
      ...base,
      clientCertificate: pair.certificate,
      clientKey: pair.key,
    });
    const { client, use, close } = rotatingClient(configOf(first));
    lifetime.defer(close);
    keepCertificate({
      current: first,
      renew: () => requestCertificate({ client, nodeName, purpose: 'client', clock, signal }),
      async renewed(pair) {
        await storeCertificate(pki, 'kubelet-client', pair);
        use(configOf(pair));
      },
      clock,
      random,
      log,
      lifetime,
    });

    const configuration = await nodeConfiguration(client);
    const informers = createInformers({ client, clock, log, signal });
    const kubelet = await startKubelet({
      nodeName,
      runtime,
      client,
      informers,
      events: createRecorder({ client, component: 'kubelet', host: nodeName, clock, random, log, signal }),
      clock,
      random,
      log,
      spans: createTraceRecorder({ clock }),
      clusterDns: configuration.clusterDns,
      clusterDomain: configuration.clusterDomain,
      rootDir: join(dir, 'kubelet'),
      podLogsDir: join(dir, 'logs'),
      cgroupRoot: nodeCgroup(options.dataDir),
      labels: options.labels,
      port: options.port,
      auth: kubeletAuth(client, nodeName, clock),
      lifetime,
    });

    // The server listens once it can show who it is.
    const serving =
      (await storedCertificate(pki, 'kubelet', nodeName, clock.now())) ??
      (await requestServing(client, nodeName, nodeIp, signal));
    await storeCertificate(pki, 'kubelet', serving);
    const tls = (pair: KeyedCertificate): SecureContextOptions => ({
      key: pair.key,
      cert: pair.certificate,
      ca: cluster.authority,
    });
    const front = createServer(
      { ...tls(serving), requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
      (socket) => void kubelet.server.emit('connection', socket),
    );
    front.on('tlsClientError', (error) => log.debug('a connection to the kubelet failed', { error }));
    await new Promise<void>((resolve, reject) => {
      front.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'EADDRINUSE'
            ? new UsageError(`${nodeIp}:${options.port} is in use; choose another with --port`)
            : error,
        ),
      );
      front.listen({ host: nodeIp, port: options.port }, resolve);
    });
    lifetime.defer(() => void front.close());
    keepCertificate({
      current: serving,
      renew: () => requestServing(client, nodeName, nodeIp, signal),
      async renewed(pair) {
        await storeCertificate(pki, 'kubelet', pair);
        createSecureContext(tls(pair));
        front.setSecureContext(tls(pair));
      },
      clock,
      random,
      log,
      lifetime,
    });

    await holdInnerAddress();
    lifetime.defer(releaseInnerAddress);
    await startNodeNetwork({
      nodeName,
      informers,
      clusterCidrs: configuration.clusterCidrs,
      cniDirectory: containerdPaths(join(dir, 'containerd')).cni,
      dataDir: dir,
      clock,
      log,
      lifetime,
    });
    // Every node answers its own pods' questions, at the address that the kube-dns Service leads to on each.
    await serveClusterDns({
      informers,
      listen: [innerAddress],
      clusterDomain: configuration.clusterDomain,
      clock,
      random,
      log: log.with({ component: 'dns' }),
      lifetime,
    });
    return { nodeName, server: cluster.server, stop: () => lifetime.end() };
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

async function discovered(options: JoinOptions): Promise<{ readonly server: string; readonly authority: string }> {
  const { address, token, hashes, unsafeSkipHash } = options;
  if (address === undefined || token === undefined) {
    throw new UsageError(
      'this machine has joined no cluster yet: coracle kubelet --join HOST:PORT --token TOKEN --discovery-token-ca-cert-hash sha256:… (coracle token create prints it)',
    );
  }
  if (hashes.length === 0 && !unsafeSkipHash) {
    throw new UsageError(
      'need --discovery-token-ca-cert-hash to verify the cluster, or --discovery-token-unsafe-skip-ca-verification to do without',
    );
  }
  return discoverCluster({ address, token: parseToken(token), hashes });
}

async function bootstrap(
  base: { readonly server: string; readonly ca: string },
  { token }: JoinOptions,
  nodeName: string,
  signal: AbortSignal,
): Promise<KeyedCertificate> {
  if (token === undefined) {
    throw new UsageError(`the certificate of node ${nodeName} has ended; join again with --join and a fresh --token`);
  }
  const client = httpsClient({ ...base, userAgent: 'kubelet', token: async () => token });
  try {
    return await requestCertificate({ client, nodeName, purpose: 'client', clock: systemClock, signal });
  } catch (error) {
    if (hasReason(error, 'Unauthorized'))
      throw new UsageError('the server does not know this token, or it has expired');
    throw error;
  } finally {
    client.close();
  }
}

const requestServing = (client: Client, nodeName: string, nodeIp: string, signal: AbortSignal) =>
  requestCertificate({
    client,
    nodeName,
    purpose: 'server',
    names: alternativeNames([nodeName, nodeIp]),
    clock: systemClock,
    signal,
  });
