import { SysError } from '../errno.ts';
import { alwaysReady, type OpenFile } from '../kernel/open-file.ts';
import { type ByteQueue, byteQueue } from '../kernel/pipe.ts';
import { type WaitQueue, waitQueue } from '../kernel/wait-queue.ts';

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** One end of a TCP connection. */
export interface TcpSocket extends OpenFile {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Sends the end of the stream; reading goes on. */
  shutdown(): void;
}

/** A listening TCP socket. */
export interface Listener extends OpenFile {
  readonly local: Endpoint;
  tryAccept(): TcpSocket | undefined;
}

export interface Datagram {
  readonly from: Endpoint;
  readonly data: Uint8Array;
}

/** A UDP socket. */
export interface UdpSocket extends OpenFile {
  readonly local: Endpoint;
  send(to: Endpoint, data: Uint8Array): void;
  tryReceive(): Datagram | undefined;
}

/** A port of the node that leads into a pod. */
export interface HostPort {
  readonly target: NetNamespace;
  readonly port: number;
  /** The only address of the node that it holds for; '' = all. */
  readonly hostIp: string;
}

/** A network namespace: its addresses and who listens. */
export interface NetNamespace {
  readonly name: string;
  /** The node that it is on. */
  readonly node: string;
  /** Without loopback; empty while it has none. */
  readonly ips: readonly string[];
  readonly tcp: Map<number, Listener & { offer(socket: TcpSocket): boolean }>;
  readonly udp: Map<number, UdpSocket & { deliver(datagram: Datagram): void }>;
  readonly connections: Set<TcpSocket>;
  nextPort: number;
  /** False once it has been taken down. */
  up: boolean;
  /** Ports of the node that lead into pods, by `TCP:80`. */
  readonly hostPorts: Map<string, HostPort>;
  readonly connect: (to: Endpoint) => Promise<TcpSocket>;
  readonly sendDatagram: (from: UdpSocket, to: Endpoint, data: Uint8Array) => void;
}

/** A free port for the near end of a connection. */
export function ephemeralPort(ns: NetNamespace, used: ReadonlyMap<number, unknown>): number {
  for (let tries = 0; tries < 28232; tries++) {
    ns.nextPort = ns.nextPort >= 60999 ? 32768 : ns.nextPort + 1;
    if (!used.has(ns.nextPort)) return ns.nextPort;
  }
  throw new SysError('EADDRNOTAVAIL');
}

const refuse = (): never => {
  throw new SysError('ENOTCONN');
};

const window = 131072;

/** A connected pair of sockets. */
export function socketPair(
  near: { readonly ns: NetNamespace | undefined; readonly local: Endpoint },
  far: { readonly ns: NetNamespace | undefined; readonly local: Endpoint },
): readonly [TcpSocket, TcpSocket] {
  const there = byteQueue(window);
  const back = byteQueue(window);
  const make = (side: typeof near, other: typeof near, incoming: ByteQueue, outgoing: ByteQueue): TcpSocket => {
    const socket: TcpSocket = {
      kind: 'socket',
      refs: 0,
      readable: true,
      writable: true,
      path: 'socket:[1]',
      offset: 0,
      local: side.local,
      remote: other.local,
      tryRead: incoming.tryRead,
      tryWrite: outgoing.tryWrite,
      onReady: (kind, wake) => (kind === 'read' ? incoming : outgoing).onReady(kind, wake),
      shutdown: () => {
        if (!outgoing.ended) outgoing.end();
      },
      released() {
        if (!outgoing.ended) outgoing.end();
        incoming.abandon();
        side.ns?.connections.delete(socket);
      },
    };
    side.ns?.connections.add(socket);
    return socket;
  };
  return [make(near, far, back, there), make(far, near, there, back)];
}

/** Listens on a TCP port (0 picks one); EADDRINUSE. Backlog of 128. */
export function listenTcp(ns: NetNamespace, ip: string, port: number): Listener {
  const at = port === 0 ? ephemeralPort(ns, ns.tcp) : port;
  if (ns.tcp.has(at)) throw new SysError('EADDRINUSE');
  const waiting: TcpSocket[] = [];
  const ready: WaitQueue = waitQueue();
  const listener = {
    kind: 'socket' as const,
    refs: 0,
    readable: false,
    writable: false,
    path: 'socket:[1]',
    offset: 0,
    local: { ip, port: at },
    tryRead: refuse,
    tryWrite: refuse,
    onReady: (_kind: 'read' | 'write', wake: () => void) => ready.add(wake),
    offer(socket: TcpSocket): boolean {
      if (waiting.length >= 128) return false;
      socket.refs++;
      waiting.push(socket);
      ready.wake();
      return true;
    },
    tryAccept(): TcpSocket | undefined {
      const socket = waiting.shift();
      if (socket) socket.refs--;
      return socket;
    },
    released() {
      if (ns.tcp.get(at) === listener) ns.tcp.delete(at);
      for (const socket of waiting) socket.released();
    },
  };
  ns.tcp.set(at, listener);
  return listener;
}

/** A UDP socket bound to a port (0 picks one); at most 256 datagrams wait, more are dropped. */
export function bindUdp(ns: NetNamespace, ip: string, port: number): UdpSocket {
  const at = port === 0 ? ephemeralPort(ns, ns.udp) : port;
  if (ns.udp.has(at)) throw new SysError('EADDRINUSE');
  const waiting: Datagram[] = [];
  const ready = waitQueue();
  const socket = {
    kind: 'socket' as const,
    refs: 0,
    readable: true,
    writable: true,
    path: 'socket:[1]',
    offset: 0,
    local: { ip, port: at },
    tryRead: (): Uint8Array | undefined => waiting.shift()?.data,
    tryWrite: refuse,
    onReady: (kind: 'read' | 'write', wake: () => void) =>
      kind === 'read' ? ready.add(wake) : alwaysReady(kind, wake),
    send: (to: Endpoint, data: Uint8Array): void => ns.sendDatagram(socket, to, data),
    tryReceive: () => waiting.shift(),
    deliver(datagram: Datagram) {
      if (waiting.length >= 256) return;
      waiting.push(datagram);
      ready.wake();
    },
    released() {
      if (ns.udp.get(at) === socket) ns.udp.delete(at);
    },
  };
  ns.udp.set(at, socket);
  return socket;
}
