import { isIP } from 'node:net';
import { SysError } from '../errno.ts';
import type { Process } from '../kernel/process.ts';
import { type DnsReply, decodeReply, encodeQuery } from './dns-message.ts';
import { bindUdp, type Listener, listenTcp, type TcpSocket, type UdpSocket } from './net-namespace.ts';
import { readText } from './read-text.ts';

/** A socket in a process's descriptor table; closed with the process. */
export interface Held<T> {
  readonly fd: number;
  readonly socket: T;
}

/** Listens on a port of the pod. EACCES below 1024 without root or NET_BIND_SERVICE's default sysctl. */
export function listen(p: Process, port: number, ip = '0.0.0.0'): Held<Listener> {
  const socket = listenTcp(p.workload.net, ip, port);
  return { fd: p.install(socket), socket };
}

export function bind(p: Process, port = 0, ip = '0.0.0.0'): Held<UdpSocket> {
  const socket = bindUdp(p.workload.net, ip, port);
  return { fd: p.install(socket), socket };
}

export async function accept(p: Process, listener: Held<Listener>): Promise<Held<TcpSocket>> {
  for (;;) {
    const socket = listener.socket.tryAccept();
    if (socket) return { fd: p.install(socket), socket };
    await p.block((wake) => listener.socket.onReady('read', wake));
  }
}

/** Connects to an address; ETIMEDOUT after `timeoutMs` when given. */
export async function connect(p: Process, ip: string, port: number, timeoutMs = 0): Promise<Held<TcpSocket>> {
  const attempt = p.outside(p.workload.net.connect({ ip, port }));
  const socket = timeoutMs > 0 ? await within(p, attempt, timeoutMs) : await attempt;
  return { fd: p.install(socket), socket };
}

/** The promise's value, or ETIMEDOUT. */
export function within<T>(p: Process, promise: Promise<T>, timeoutMs: number): Promise<T> {
  const { clock } = p.workload;
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => reject(new SysError('ETIMEDOUT')), { background: true });
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** A datagram, or undefined after `timeoutMs`. */
export async function receive(
  p: Process,
  socket: UdpSocket,
  timeoutMs: number,
): Promise<ReturnType<UdpSocket['tryReceive']>> {
  const until = p.workload.clock.monotonic() + timeoutMs;
  for (;;) {
    const datagram = socket.tryReceive();
    if (datagram) return datagram;
    const left = until - p.workload.clock.monotonic();
    if (left <= 0) return undefined;
    await p.block((wake) => {
      const undo = socket.onReady('read', wake);
      const timer =
        left === Number.POSITIVE_INFINITY ? undefined : p.workload.clock.after(left, wake, { background: true });
      return () => {
        undo();
        timer?.cancel();
      };
    });
  }
}

/** /etc/resolv.conf as the C library reads it. */
export interface ResolverConfig {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly timeoutMs: number;
  readonly attempts: number;
}

export async function resolverConfig(p: Process): Promise<ResolverConfig> {
  const text = (await readText(p, '/etc/resolv.conf')) ?? '';
  const lines = text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  );
  const options = lines.filter(([word]) => word === 'options').flatMap((words) => words.slice(1));
  const option = (name: string, fallback: number): number =>
    Number(options.find((text) => text.startsWith(`${name}:`))?.slice(name.length + 1) ?? fallback);
  return {
    servers: lines
      .filter(([word]) => word === 'nameserver')
      .flatMap(([, server]) => server ?? [])
      .slice(0, 3),
    search: lines.findLast(([word]) => word === 'search' || word === 'domain')?.slice(1) ?? [],
    ndots: option('ndots', 1),
    timeoutMs: option('timeout', 5) * 1000,
    attempts: option('attempts', 2),
  };
}

/** Asks one server for one full name. Undefined when nobody answers. */
export async function query(
  p: Process,
  server: string,
  name: string,
  type: string,
  timeoutMs: number,
): Promise<DnsReply | undefined> {
  const held = bind(p);
  try {
    const id = Math.floor(p.workload.random.next() * 65536);
    held.socket.send({ ip: server, port: 53 }, encodeQuery(id, name, type));
    const datagram = await receive(p, held.socket, timeoutMs);
    return datagram && decodeReply(id, datagram.data);
  } finally {
    p.close(held.fd);
  }
}

export type Lookup =
  | { readonly kind: 'found'; readonly name: string; readonly addresses: readonly string[] }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreachable' };

/** A name's addresses as getaddrinfo(3) finds them: literals, /etc/hosts, then DNS with search domains and ndots. */
export async function lookupHost(p: Process, name: string): Promise<Lookup> {
  const bare = name.replace(/^\[|\]$/g, '');
  if (isIP(bare)) return { kind: 'found', name: bare, addresses: [bare] };
  const hosts = (await readText(p, '/etc/hosts')) ?? '';
  const matches = hosts
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter((words) => words.slice(1).includes(bare));
  const first = matches.map(([ip]) => ip ?? '').filter((ip) => isIP(ip) === 4);
  if (first.length > 0) return { kind: 'found', name: bare, addresses: first };
  const config = await resolverConfig(p);
  if (config.servers.length === 0) return { kind: 'unreachable' };
  let silent = false;
  for (const candidate of candidates(bare, config)) {
    const reply = await ask(p, config, candidate);
    if (!reply) {
      silent = true;
      break;
    }
    const addresses = reply.answers.filter((answer) => answer.type === 'A').map((answer) => String(answer.data));
    if (addresses.length > 0) return { kind: 'found', name: candidate, addresses };
    if (reply.rcode === 'SERVFAIL' || reply.rcode === 'REFUSED') silent = true;
  }
  return { kind: silent ? 'unreachable' : 'absent' };
}

/** The names to try, in order (resolv.conf(5)). */
export function candidates(name: string, config: Pick<ResolverConfig, 'search' | 'ndots'>): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const searched = config.search.map((domain) => `${name}.${domain.replace(/\.$/, '')}`);
  return name.split('.').length - 1 >= config.ndots ? [name, ...searched] : [...searched, name];
}

async function ask(p: Process, config: ResolverConfig, name: string): Promise<DnsReply | undefined> {
  for (let attempt = 0; attempt < config.attempts; attempt++) {
    for (const server of config.servers) {
      const reply = await query(p, server, name, 'A', config.timeoutMs);
      if (reply) return reply;
    }
  }
  return undefined;
}
