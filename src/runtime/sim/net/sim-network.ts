import type { Duplex } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { errnoOf, SysError } from '../errno.ts';
import type { Pacer } from '../kernel/cgroup.ts';
import { isIpv4, netOf } from './addresses.ts';
import { bridgeDuplex } from './duplex.ts';
import {
  type Endpoint,
  ephemeralPort,
  type HostPort,
  type NetNamespace,
  socketPair,
  type TcpSocket,
  type UdpSocket,
} from './net-namespace.ts';

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** Who asks: decides what "local" means for a Service. */
export interface Source {
  readonly ip: string;
  readonly node: string;
}

/** What the composition root makes known to the virtual network: Services, policies, the world outside. */
export interface SimNetworkHooks {
  /**
   * Where a connection to a Service address goes: an endpoint, `reject` (no endpoints: connection refused), `drop` (nothing
   * answers), or undefined when it is no Service. Node ports are asked for with the node's address.
   */
  resolveService?: (
    ip: string,
    port: number,
    protocol: Protocol,
    source: Source,
  ) => Endpoint | 'reject' | 'drop' | undefined;
  /** NetworkPolicy: whether the connection may be made, after the Service address has been translated. */
  allow?: (source: string, destination: string, port: number, protocol: Protocol) => boolean;
  /** Connections that no pod answers: into this process (API server, DNS), or wherever the user wants them to go. */
  external?: (ip: string, port: number, sourceIp: string) => Promise<Duplex> | Duplex | undefined;
  /** UDP that no pod answers; the reply, if any, comes back by `answer`. False: nobody is there. */
  externalDatagram?: (to: Endpoint, data: Uint8Array, sourceIp: string, answer: (data: Uint8Array) => void) => boolean;
}

/** One virtual pod network for all simulated nodes. */
export interface SimNetwork {
  readonly clock: Clock;
  /** May be filled in after the nodes have been created. */
  hooks: SimNetworkHooks;
  /** A namespace of a node (`node` is its name) with its addresses. */
  createNamespace(name: string, node: string, ips: readonly string[]): NetNamespace;
  removeNamespace(ns: NetNamespace): void;
  /** After `removeNamespace`: gives it its addresses back. */
  restoreNamespace(ns: NetNamespace): void;
  /** Who has an address. */
  owner(ip: string): NetNamespace | undefined;
  /** Cuts (or heals) the path between two addresses or nodes by name, in both directions; `*` is any. */
  partition(a: string, b: string, cut: boolean): void;
  readonly pacer: Pacer;
}

/** Options: `connectTimeoutMs` is how long a connection to an address where nothing answers hangs (Linux: 127 s). */
export function createSimNetwork(options: {
  readonly clock: Clock;
  readonly hooks?: SimNetworkHooks;
  readonly connectTimeoutMs?: number;
  /** Ranges in which an unused address is `No route to host` at once instead of a timeout: the pods' own. */
  readonly podCidrs?: readonly string[];
}): SimNetwork {
  const { clock } = options;
  const owners = new Map<string, NetNamespace>();
  const cuts = new Set<string>();
  const pods = (options.podCidrs ?? ['10.244.0.0/16']).map(netOf);
  const isCut = (from: NetNamespace, source: string, to: NetNamespace | undefined, ip: string): boolean => {
    if (cuts.size === 0 || from === to) return false;
    const near = to?.node === from.node;
    const here = near ? [source] : [source, from.node];
    const there = near || !to ? [ip] : [ip, to.node];
    if ([...here, ...there].some((end) => cuts.has(`${end} *`))) return true;
    return here.some((a) => there.some((b) => cuts.has(`${a} ${b}`) || cuts.has(`${b} ${a}`)));
  };
  const hang = (): Promise<never> =>
    new Promise((_resolve, reject) => {
      clock.after(options.connectTimeoutMs ?? 127_000, () => reject(new SysError('ETIMEDOUT')), { background: true });
    });

  const forwarding = (ns: NetNamespace, protocol: Protocol, at: Endpoint): HostPort | undefined => {
    const found = ns.hostPorts.get(`${protocol}:${at.port}`);
    return found && (found.hostIp === '' || found.hostIp === at.ip) ? found : undefined;
  };
  const sourceOf = (ns: NetNamespace, to: string): string =>
    isLoopback(to) ? '127.0.0.1' : (ns.ips[0] ?? '127.0.0.1');

  const arrive = (from: NetNamespace, source: string, target: NetNamespace, at: Endpoint): TcpSocket | undefined => {
    const forwarded = forwarding(target, 'TCP', at);
    const ns = forwarded?.target ?? target;
    const listener = ns.tcp.get(forwarded?.port ?? at.port);
    if (!listener || !ns.up) return undefined;
    const bound = listener.local.ip;
    if (
      !forwarded &&
      bound !== '0.0.0.0' &&
      bound !== '::' &&
      bound !== at.ip &&
      !(isLoopback(bound) && isLoopback(at.ip))
    )
      return undefined;
    const far = { ns, local: { ip: forwarded ? (ns.ips[0] ?? at.ip) : at.ip, port: listener.local.port } };
    const [near, other] = socketPair({ ns: from, local: { ip: source, port: ephemeralPort(from, from.tcp) } }, far);
    if (!listener.offer(other)) throw new SysError('ECONNREFUSED');
    return near;
  };

  const connect = async (from: NetNamespace, to: Endpoint): Promise<TcpSocket> => {
    if (!from.up) throw new SysError('ENETUNREACH');
    let at = to;
    if (isLoopback(to.ip) || from.ips.includes(to.ip)) {
      const near = arrive(from, sourceOf(from, to.ip), from, to);
      if (near) return near;
    } else if (from.ips.length === 0) throw new SysError('ENETUNREACH');
    const source = from.ips[0] ?? '127.0.0.1';
    const service = hooks().resolveService?.(to.ip, to.port, 'TCP', { ip: source, node: from.node });
    if (service === 'reject') throw new SysError('ECONNREFUSED');
    if (service === 'drop') return hang();
    if (service) at = service;
    else if (isLoopback(to.ip) && from !== owners.get(from.ips[0] ?? '')) throw new SysError('ECONNREFUSED');
    const owner = isLoopback(at.ip) ? from : owners.get(at.ip);
    if (isCut(from, source, owner, at.ip)) return hang();
    if (owner !== from && hooks().allow?.(source, at.ip, at.port, 'TCP') === false) return hang();
    if (owner) {
      const near = arrive(from, service && at.ip === source ? source : sourceOf(from, at.ip), owner, at);
      if (near) return near;
    }
    const outside = hooks().external?.(at.ip, at.port, source);
    if (outside) {
      const local = { ip: source, port: ephemeralPort(from, from.tcp) };
      return bridgeDuplex(await reached(outside), from, local, at);
    }
    if (owner) throw new SysError('ECONNREFUSED');
    if (isIpv4(at.ip) && pods.some((net) => net.contains(at.ip))) {
      await new Promise<void>((resolve) => {
        clock.after(Math.min(3080, options.connectTimeoutMs ?? 3080), resolve, { background: true });
      });
      throw new SysError('EHOSTUNREACH');
    }
    if (!isIpv4(at.ip)) throw new SysError('ENETUNREACH');
    return hang();
  };

  const sendDatagram = (from: NetNamespace, socket: UdpSocket, to: Endpoint, data: Uint8Array): void => {
    if (data.length > 65507) throw new SysError('EMSGSIZE');
    const source = sourceOf(from, to.ip);
    const sender: Endpoint = { ip: source, port: socket.local.port };
    const service = isLoopback(to.ip)
      ? undefined
      : hooks().resolveService?.(to.ip, to.port, 'UDP', { ip: source, node: from.node });
    if (service === 'drop' || service === 'reject') return;
    const at = service ?? to;
    const owner = isLoopback(at.ip) ? from : owners.get(at.ip);
    if (isCut(from, source, owner, at.ip)) return;
    if (owner !== from && hooks().allow?.(source, at.ip, at.port, 'UDP') === false) return;
    const forwarded = owner && forwarding(owner, 'UDP', at);
    const target = (forwarded?.target ?? owner)?.udp.get(forwarded?.port ?? at.port);
    const reply = (answer: Uint8Array): void => {
      from.udp.get(sender.port)?.deliver({ from: to, data: answer });
    };
    if (target && owner) {
      // Answers come from the address that was asked, as connection tracking makes them.
      queueMicrotask(() => target.deliver({ from: service ? aliased(sender, to) : sender, data }));
      return;
    }
    hooks().externalDatagram?.(at, data, source, reply);
  };

  /** Remembers for a while which address a client asked, so that the answer seems to come from there. */
  const translations = new Map<string, Endpoint>();
  const aliased = (sender: Endpoint, asked: Endpoint): Endpoint => {
    if (translations.size > 4096) translations.clear();
    translations.set(`${sender.ip}:${sender.port}`, asked);
    return sender;
  };

  const network: SimNetwork = {
    clock,
    hooks: options.hooks ?? {},
    pacer: { clock, steps: 0, spinning: 0 },
    createNamespace(name, node, ips) {
      const ns: NetNamespace = {
        name,
        node,
        ips,
        tcp: new Map(),
        udp: new Map(),
        connections: new Set(),
        nextPort: 32767,
        up: true,
        hostPorts: new Map(),
        connect: (to) => connect(ns, to),
        sendDatagram: (socket, to, data) => {
          const back = owners.get(to.ip)?.udp.get(to.port);
          const asked = translations.get(`${to.ip}:${to.port}`);
          if (back && asked) back.deliver({ from: asked, data });
          else sendDatagram(ns, socket, to, data);
        },
      };
      for (const ip of ips) owners.set(ip, ns);
      return ns;
    },
    removeNamespace(ns) {
      ns.up = false;
      for (const ip of ns.ips) if (owners.get(ip) === ns) owners.delete(ip);
    },
    restoreNamespace(ns) {
      ns.up = true;
      for (const ip of ns.ips) owners.set(ip, ns);
    },
    owner: (ip) => owners.get(ip),
    partition(a, b, cut) {
      const pair = a === '*' ? `${b} *` : `${a} ${b}`;
      if (cut) cuts.add(pair);
      else for (const key of [pair, `${b} ${a}`]) cuts.delete(key);
    },
  };
  const hooks = (): SimNetworkHooks => network.hooks;
  return network;
}

/** A connection outside of the simulation; its failure is told as the kernel would. */
async function reached(outside: Promise<Duplex> | Duplex): Promise<Duplex> {
  try {
    return await outside;
  } catch (error) {
    throw new SysError(errnoOf(error) ?? 'ETIMEDOUT');
  }
}

export const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';
