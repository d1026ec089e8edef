import type { Duplex } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { SysError } from '../errno.ts';
import type { Pacer } from '../kernel/cgroup.ts';
import { isIpv4, netOf } from './addresses.ts';
import { answerQuery, type DnsReply } from './dns-message.ts';
import { bridgeDuplex } from './duplex.ts';
import {
  type Endpoint,
  ephemeralPort,
  type NetNamespace,
  socketPair,
  type TcpSocket,
  type UdpSocket,
} from './net-namespace.ts';

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** What the composition root makes known to the virtual network: Services, names, policies, the world outside. */
export interface SimNetworkHooks {
  /**
   * Where a connection to a Service address goes: an endpoint, `reject` (no endpoints: connection refused), `drop` (nothing
   * answers), or undefined when it is no Service. Node ports are asked for with the node's address.
   */
  resolveService?: (
    ip: string,
    port: number,
    protocol: Protocol,
    sourceIp: string,
  ) => Endpoint | 'reject' | 'drop' | undefined;
  /** Answers DNS queries that arrive at an address where no pod listens on port 53. Undefined: no server there. */
  resolveName?: (
    name: string,
    type: string,
    context: { readonly sourceIp: string; readonly serverIp: string },
  ) => DnsReply | undefined | Promise<DnsReply | undefined>;
  /** NetworkPolicy: whether the connection may be made, after the Service address has been translated. */
  allow?: (source: string, destination: string, port: number, protocol: Protocol) => boolean;
  /** Connections that no pod answers: into this process (the API server), or wherever the user wants them to go. */
  external?: (ip: string, port: number, sourceIp: string) => Promise<Duplex> | Duplex | undefined;
  /** UDP that no pod answers; the reply, if any, comes back by `answer`. */
  externalDatagram?: (to: Endpoint, data: Uint8Array, answer: (data: Uint8Array) => void) => boolean;
}

/** One virtual pod network for all simulated nodes. */
export interface SimNetwork {
  readonly clock: Clock;
  /** May be filled in after the nodes have been created. */
  hooks: SimNetworkHooks;
  /** A namespace with its addresses; `ips` of a node's namespace are the node's. */
  createNamespace(name: string, ips: readonly string[], kind: 'pod' | 'node'): NetNamespace;
  removeNamespace(ns: NetNamespace): void;
  /** Who has an address. */
  owner(ip: string): NetNamespace | undefined;
  /** Cuts (or heals) the path between two addresses, in both directions; `*` is any. */
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
  const isCut = (a: string, b: string): boolean =>
    cuts.size > 0 && [`${a} ${b}`, `${b} ${a}`, `${a} *`, `${b} *`].some((pair) => cuts.has(pair));
  const hang = (): Promise<never> =>
    new Promise((_resolve, reject) => {
      clock.after(options.connectTimeoutMs ?? 127_000, () => reject(new SysError('ETIMEDOUT')), { background: true });
    });

  const sourceOf = (ns: NetNamespace, to: string): string =>
    isLoopback(to) ? '127.0.0.1' : (ns.ips[0] ?? '127.0.0.1');

  const arrive = (from: NetNamespace, source: string, target: NetNamespace, at: Endpoint): TcpSocket | undefined => {
    const forwarded = target.hostPorts.get(`TCP:${at.port}`);
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
    const service = hooks().resolveService?.(to.ip, to.port, 'TCP', source);
    if (service === 'reject') throw new SysError('ECONNREFUSED');
    if (service === 'drop') return hang();
    if (service) at = service;
    else if (isLoopback(to.ip) && from !== owners.get(from.ips[0] ?? '')) throw new SysError('ECONNREFUSED');
    if (isCut(source, at.ip)) return hang();
    const owner = isLoopback(at.ip) ? from : owners.get(at.ip);
    if (owner !== from && hooks().allow?.(source, at.ip, at.port, 'TCP') === false) return hang();
    if (owner) {
      const near = arrive(from, service && at.ip === source ? source : sourceOf(from, at.ip), owner, at);
      if (near) return near;
    }
    const outside = hooks().external?.(at.ip, at.port, source);
    if (outside) return bridgeDuplex(await outside, from, { ip: source, port: ephemeralPort(from, from.tcp) }, at);
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
    const service = isLoopback(to.ip) ? undefined : hooks().resolveService?.(to.ip, to.port, 'UDP', source);
    if (service === 'drop' || service === 'reject') return;
    const at = service ?? to;
    const owner = isLoopback(at.ip) ? from : owners.get(at.ip);
    if (owner !== from && (isCut(source, at.ip) || hooks().allow?.(source, at.ip, at.port, 'UDP') === false)) return;
    const forwarded = owner?.hostPorts.get(`UDP:${at.port}`);
    const target = (forwarded?.target ?? owner)?.udp.get(forwarded?.port ?? at.port);
    const reply = (answer: Uint8Array): void => {
      from.udp.get(sender.port)?.deliver({ from: to, data: answer });
    };
    if (target && owner) {
      // Answers come from the address that was asked, as connection tracking makes them.
      queueMicrotask(() => target.deliver({ from: service ? aliased(sender, to) : sender, data }));
      return;
    }
    if (hooks().externalDatagram?.(at, data, reply)) return;
    const resolveName = hooks().resolveName;
    if (at.port !== 53 || !resolveName) return;
    const context = { sourceIp: source, serverIp: to.ip };
    void answerQuery(data, (name, type) => resolveName(name, type, context)).then((answer) => {
      if (answer) reply(answer);
    });
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
    createNamespace(name, ips, kind) {
      const ns: NetNamespace = {
        name,
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
      if (kind === 'node' || ips.length > 0) for (const ip of ips) owners.set(ip, ns);
      return ns;
    },
    removeNamespace(ns) {
      ns.up = false;
      for (const ip of ns.ips) if (owners.get(ip) === ns) owners.delete(ip);
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

export const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';
