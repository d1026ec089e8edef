import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { nodes } from '../../api/generated/resources.ts';
import type { InformerSet } from '../../client/informer.ts';
import { inCidr } from '../../network/addresses.ts';
import { builtinImages } from '../../runtime/sim/images/catalogue.ts';
import { toDuplex } from '../../runtime/sim/net/duplex.ts';
import { createSimNetwork, type SimNetwork } from '../../runtime/sim/net/sim-network.ts';
import { builtinPrograms } from '../../runtime/sim/programs/table.ts';
import { createSimRegistry, type SimRegistry } from '../../runtime/sim/sim-registry.ts';
import { innerAddress } from '../advertise.ts';
import type { ClusterContext, ControlPlane } from '../control-plane.ts';
import { outsideNameServer, startOutsideDns, startSimClusterDns } from './sim-dns.ts';
import { clusterHooks } from './sim-hooks.ts';

/** What all simulated nodes of a cluster share. */
export interface SimWorld {
  readonly network: SimNetwork;
  readonly registry: SimRegistry;
  /** Addresses of the nodes. */
  readonly nodeIps: Set<string>;
  /** From the API server into the cluster; undefined for an address outside of it. */
  dial(host: string, port: number): Promise<Duplex> | undefined;
}

const zoneLabel = 'topology.kubernetes.io/zone';

function dialHost(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Makes the virtual network with Services, policies and DNS of this cluster, and the registry that its nodes pull from. */
export async function startSimWorld(
  context: ClusterContext,
  plane: ControlPlane,
  informers: InformerSet,
): Promise<SimWorld> {
  const { options, clock, random, lifetime } = context;
  const open = options.simulated.egress === 'open';
  const registry = createSimRegistry(builtinImages(), { builtin: builtinPrograms });
  const network = createSimNetwork({ clock, podCidrs: [options.clusterCidr] });
  const control = network.createNamespace('control-plane', '', [innerAddress]);
  const nodeIps = new Set([innerAddress]);
  const allNodes = informers.informer(nodes);
  const hooks = clusterHooks({
    informers,
    clock,
    random,
    nodeIps: () => nodeIps,
    node: (name) => ({ name, zone: allNodes.get(name)?.metadata.labels?.[zoneLabel] ?? '' }),
    signal: lifetime.signal,
  });
  const dnsOptions = {
    context,
    informers,
    hostResolvConf: open ? () => readFile('/etc/resolv.conf', 'utf8') : undefined,
  };
  const servers = new Map([
    [innerAddress, await startSimClusterDns(dnsOptions, plane, innerAddress)],
    [outsideNameServer, await startOutsideDns(dnsOptions)],
  ]);
  await hooks.whenSynced();
  const ownHost = /^(0\.0\.0\.0|::)$/.test(options.listenAddress) ? '127.0.0.1' : options.listenAddress;
  network.hooks = {
    ...hooks,
    external(ip, port, source) {
      if (ip === plane.advertised && port === plane.port) return dialHost(ownHost, plane.port);
      const dns = servers.get(ip);
      if (dns) return port === 53 ? dns.connection(source) : undefined;
      return open ? dialHost(ip, port) : undefined;
    },
    externalDatagram(to, data, source, answer) {
      const dns = to.port === 53 ? servers.get(to.ip) : undefined;
      dns?.datagram(data, source, answer);
      return dns !== undefined;
    },
  };
  const inside = (ip: string): boolean =>
    isIP(ip) !== 0 &&
    (network.owner(ip) !== undefined || inCidr(ip, options.clusterCidr) || inCidr(ip, options.serviceCidr));
  return {
    network,
    registry,
    nodeIps,
    dial: (host, port) => (inside(host) ? control.connect({ ip: host, port }).then(toDuplex) : undefined),
  };
}
