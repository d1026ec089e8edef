import type { Clock } from '../../../base/clock.ts';
import { CriError, type PodSandboxConfig, type PodSandboxStatus } from '../../cri.ts';
import { createPidNamespace } from '../kernel/workload.ts';
import { type AddressPool, addressPool, netOf } from '../net/addresses.ts';
import type { NetNamespace } from '../net/net-namespace.ts';
import type { SimNetwork } from '../net/sim-network.ts';
import { createFileSystem, createInode } from '../vfs/inode.ts';
import type { Sandbox } from './container.ts';

/** /dev/shm, bytes; containerd's default. */
const shmSize = 64 << 20;

/** The pod network of one node: hands out the addresses of its range. */
export interface PodNetwork {
  /** Sets the range; the first one counts. */
  configure(podCidr: string): void;
  readonly ready: boolean;
  open(id: string, config: PodSandboxConfig): { readonly net: NetNamespace; readonly ips: readonly string[] };
  close(sandbox: Sandbox): void;
}

export function podNetwork(network: SimNetwork, host: NetNamespace): PodNetwork {
  let pools: { readonly cidr: string; readonly pool: AddressPool } | undefined;
  const failed = (id: string, why: string): CriError =>
    new CriError('Unknown', `failed to setup network for sandbox "${id}": plugin type="bridge" failed (add): ${why}`);
  return {
    configure(podCidr) {
      if (pools?.cidr !== podCidr) pools = { cidr: podCidr, pool: addressPool(podCidr) };
    },
    get ready() {
      return pools !== undefined;
    },
    open(id, config) {
      if (config.linux.securityContext.namespaceOptions.network === 'NODE') return { net: host, ips: [] };
      if (!pools) throw failed(id, 'no network configuration yet');
      const taken = config.portMappings.filter((it) => it.hostPort > 0);
      for (const { protocol, hostPort } of taken)
        if (host.hostPorts.has(`${protocol}:${hostPort}`))
          throw failed(id, `cannot open hostport ${hostPort} for pod ${config.metadata.name}: address already in use`);
      const ip = pools.pool.take();
      if (ip === undefined) {
        const { at, size } = rangeOf(pools.cidr);
        throw failed(
          id,
          `failed to allocate for range 0: no IP addresses available in range set: ${at(1)}-${at(size - 2)}`,
        );
      }
      const net = network.createNamespace(config.metadata.name, host.node, [ip]);
      for (const { protocol, hostPort, containerPort, hostIp } of taken)
        host.hostPorts.set(`${protocol}:${hostPort}`, {
          target: net,
          port: containerPort,
          hostIp: hostIp === '0.0.0.0' ? '' : hostIp,
        });
      return { net, ips: [ip] };
    },
    close(sandbox) {
      if (sandbox.hostNetwork) return;
      for (const [port, { target }] of host.hostPorts) if (target === sandbox.net) host.hostPorts.delete(port);
      network.removeNamespace(sandbox.net);
      for (const ip of sandbox.ips) pools?.pool.give(ip);
    },
  };
}

function rangeOf(cidr: string): { readonly at: (index: number) => string; readonly size: number } {
  const net = netOf(cidr);
  return { at: (index) => net.at(index) ?? '', size: net.size };
}

/** A new sandbox, ready. */
export function createSandbox(
  clock: Clock,
  pods: PodNetwork,
  id: string,
  config: PodSandboxConfig,
  runtimeHandler: string,
): Sandbox {
  const { net, ips } = pods.open(id, config);
  const shmFs = createFileSystem('tmpfs', () => clock.now(), shmSize);
  const shm = createInode(shmFs, 'directory', 0o1777);
  return {
    id,
    config,
    runtimeHandler,
    createdAt: clock.now(),
    ready: true,
    net,
    hostNetwork: config.linux.securityContext.namespaceOptions.network === 'NODE',
    ips,
    pids: createPidNamespace(true),
    shm,
    containers: new Set(),
  };
}

export function sandboxStatus(sandbox: Sandbox): PodSandboxStatus {
  const { id, config, ready, createdAt, ips, runtimeHandler } = sandbox;
  return {
    id,
    metadata: config.metadata,
    state: ready ? 'READY' : 'NOTREADY',
    createdAt,
    ips: ready ? ips : [],
    namespaceOptions: config.linux.securityContext.namespaceOptions,
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler,
  };
}
