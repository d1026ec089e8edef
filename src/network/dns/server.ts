import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { buildChain, type Handler } from './chain.ts';
import { type Directive, parseCorefile } from './corefile.ts';
import { counters } from './metrics.ts';
import { canonicalName, type DnsAnswer, failure, familyName, isBelow, type Rcode } from './records.ts';
import { type Exchange, networkExchange } from './upstream.ts';
import { rcodes, readQuery, writeAnswer, writeFormatError } from './wire.ts';
import type { ZoneData } from './zone-data.ts';

export interface DnsServerOptions {
  readonly corefile: string;
  readonly data: ZoneData;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  /** Addresses to listen at; `127.0.0.1` by default. */
  readonly listen?: readonly string[];
  /** Instead of the Corefile's ports, for machines where 53 is taken; 0 takes a free one. */
  readonly port?: number;
  readonly readFile: (path: string) => Promise<string>;
  readonly exchange?: Exchange;
}

export interface DnsServer {
  /** `address:port` for each listener of queries. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** Answers in process, without a socket. */
  ask(name: string, type: string): Promise<DnsAnswer>;
  /** Answers a message without a socket, as one that came to port 53; undefined when it is no query. */
  answer(message: Buffer, transport: 'udp' | 'tcp', client: string): Promise<Buffer | undefined>;
  metrics(): string;
}

/** Throws `CorefileError` where a Corefile cannot be served, before anything listens. */
export async function checkCorefile(
  options: Pick<DnsServerOptions, 'corefile' | 'data' | 'clock' | 'random' | 'log' | 'readFile'>,
): Promise<void> {
  const exchange = networkExchange(options.clock, options.random);
  for (const block of parseCorefile(options.corefile)) {
    await buildChain(block, { ...options, exchange, count: () => undefined });
  }
}

/** Connections open at a time, and how long one may be idle (milliseconds). */
const maxConnections = 512;
const idle = 10_000;
/** Queries answered at a time for one listener over UDP; more are dropped, as the kernel would. */
const maxInFlight = 2000;

interface Block {
  readonly zones: readonly string[];
  readonly handler: Handler;
  /** An answer may be given again within its second. */
  readonly mayRepeat: boolean;
}

/** Serves a Corefile over UDP and TCP until the lifetime ends. Throws `CorefileError`, or the socket's error. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { clock, random, log, lifetime, data, readFile } = options;
  const { count, text } = counters();
  const exchange = options.exchange ?? networkExchange(clock, random);
  const ports = new Map<number, Block[]>();
  const extras: Directive[] = [];
  for (const block of parseCorefile(options.corefile)) {
    const handler = await buildChain(block, { clock, random, log, data, exchange, readFile, count });
    const list = ports.get(block.port) ?? [];
    const has = (name: string): boolean => block.plugins.some((it) => it.name === name);
    list.push({ zones: block.zones, handler, mayRepeat: has('cache') && !has('log') });
    ports.set(block.port, list);
    extras.push(...block.plugins.filter((it) => ['health', 'ready', 'prometheus'].includes(it.name)));
  }
  const answerFor = async (
    blocks: readonly Block[],
    name: string,
    type: string,
    client: string,
  ): Promise<DnsAnswer> => {
    const asked = canonicalName(name);
    let best: Handler | undefined;
    let length = -1;
    for (const { zones, handler } of blocks) {
      for (const zone of zones) {
        if (zone.length > length && isBelow(asked, zone)) {
          best = handler;
          length = zone.length;
        }
      }
    }
    if (!best) return failure('REFUSED');
    try {
      return await best({ name, type, client });
    } catch (error) {
      log.warn('a query failed', { name, type, error });
      return failure('SERVFAIL');
    }
  };
  const told = (proto: 'udp' | 'tcp', type: string, rcode: Rcode): void => {
    count('coredns_dns_requests_total', { proto, type });
    count('coredns_dns_responses_total', { rcode });
  };
  const handle = async (
    blocks: readonly Block[],
    message: Buffer,
    transport: 'udp' | 'tcp',
    client: string,
  ): Promise<Buffer | undefined> => {
    const query = readQuery(message);
    if (!query) return undefined;
    if ('malformed' in query) return writeFormatError(query.id);
    if (query.opcode !== 0) return writeAnswer(query, failure('NOTIMP'), transport);
    if (query.question.class !== 'IN') return writeAnswer(query, failure('REFUSED'), transport);
    const answer = await answerFor(blocks, query.question.name, query.question.type, client);
    told(transport, query.question.type, answer.rcode);
    try {
      return writeAnswer(query, answer, transport);
    } catch (error) {
      log.warn('an answer could not be written', { name: query.question.name, error });
      return writeAnswer(query, failure('SERVFAIL'), transport);
    }
  };

  const udpAnswerer = (blocks: readonly Block[]): Answerer => {
    const answerer = (message: Buffer, client: string) => handle(blocks, message, 'udp', client);
    if (!blocks.every((it) => it.mayRepeat)) return answerer;
    const recent = recentAnswers(clock, (type, rcode) => told('udp', type, rcode));
    const asked = async (message: Buffer, client: string): Promise<Buffer | undefined> => {
      const reply = await answerer(message, client);
      if (reply) recent.put(message, reply);
      return reply;
    };
    return Object.assign(asked, { again: recent.get });
  };
  const addresses: { host: string; port: number }[] = [];
  for (const [configured, blocks] of ports) {
    for (const host of options.listen ?? ['127.0.0.1']) {
      const wanted = options.port ?? configured;
      const tcp = await listenTcp(
        host,
        wanted,
        (message, client) => handle(blocks, message, 'tcp', client),
        lifetime,
        clock,
      );
      const address = tcp.address();
      const port = typeof address === 'object' && address ? address.port : wanted;
      await listenUdp(host, port, udpAnswerer(blocks), lifetime, log);
      addresses.push({ host, port });
    }
  }
  for (const directive of extras)
    await serveExtra(directive, {
      text,
      lifetime,
      log,
      enabled: options.port === undefined,
      host: options.listen?.[0] ?? '127.0.0.1',
    });
  return {
    addresses,
    ask: (name, type) => answerFor([...ports.values()].flat(), name, type, '127.0.0.1'),
    answer: (message, transport, client) => handle([...ports.values()].flat(), message, transport, client),
    metrics: text,
  };
}

interface Answerer {
  (message: Buffer, client: string): Promise<Buffer | undefined>;
  /** The whole answer where it was given to the same question a moment ago. */
  readonly again?: (message: Buffer) => Buffer | undefined;
}

/** Answers given within the current second, as bytes. */
const maxRecent = 8192;

/**
 * Repeats answers to questions that are the same but for their id, for the rest of the second: in a cluster most are, and reading, looking up
 * and writing cost more than all else. Only where a `cache` answers for longer anyway, nothing is logged for each query, and no order of
 * addresses has to change from one answer to the next.
 */
function recentAnswers(
  clock: Clock,
  tell: (type: string, rcode: Rcode) => void,
): {
  get(message: Buffer): Buffer | undefined;
  put(message: Buffer, reply: Buffer): void;
} {
  const known = new Map<string, { readonly reply: Buffer; readonly type: string; readonly rcode: Rcode }>();
  let second = -1;
  const turn = (): void => {
    const now = Math.floor(clock.monotonic() / 1000);
    if (now === second) return;
    known.clear();
    second = now;
  };
  return {
    get(message) {
      turn();
      const found = known.get(message.toString('latin1', 2));
      if (!found) return undefined;
      tell(found.type, found.rcode);
      const reply = Buffer.from(found.reply);
      reply[0] = message[0] ?? 0;
      reply[1] = message[1] ?? 0;
      return reply;
    },
    put(message, reply) {
      turn();
      // One answer record at most: more of them take turns.
      if (known.size < maxRecent && message.length > 12 && reply.length > 12 && reply.readUInt16BE(6) < 2) {
        const query = readQuery(message);
        if (!query || 'malformed' in query) return;
        const rcode = rcodes[(reply[3] ?? 0) & 0xf] ?? 'SERVFAIL';
        known.set(message.toString('latin1', 2), { reply, type: query.question.type, rcode });
      }
    },
  };
}

async function listenUdp(
  host: string,
  port: number,
  answer: Answerer,
  lifetime: Lifetime,
  log: Logger,
): Promise<UdpSocket> {
  const socket = createSocket(familyName(host));
  let inFlight = 0;
  socket.on('message', (message, from) => {
    const known = answer.again?.(message);
    if (known) {
      socket.send(known, from.port, from.address);
      return;
    }
    if (inFlight >= maxInFlight) return;
    inFlight++;
    answer(message, from.address)
      .then((reply) => reply && socket.send(reply, from.port, from.address))
      .catch((error: unknown) => log.debug('an answer could not be sent', { error }))
      .finally(() => {
        inFlight--;
      });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, resolve);
  });
  socket.on('error', (error) => log.warn('the DNS socket broke', { error }));
  lifetime.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return socket;
}

async function listenTcp(
  host: string,
  port: number,
  answer: Answerer,
  lifetime: Lifetime,
  clock: Clock,
): Promise<TcpServer> {
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => {
    if (open.size >= maxConnections) {
      socket.destroy();
      return;
    }
    open.add(socket);
    let received = Buffer.alloc(0);
    let timer = clock.after(idle, () => socket.destroy(), { background: true });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      timer.cancel();
      open.delete(socket);
    });
    socket.on('data', (chunk) => {
      timer.cancel();
      timer = clock.after(idle, () => socket.destroy(), { background: true });
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
        const length = received.readUInt16BE(0);
        const message = received.subarray(2, length + 2);
        received = received.subarray(length + 2);
        void answer(message, socket.remoteAddress ?? '').then((reply) => {
          if (!reply || socket.destroyed) return;
          const prefix = Buffer.alloc(2);
          prefix.writeUInt16BE(reply.length);
          socket.write(Buffer.concat([prefix, reply]));
        });
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  lifetime.defer(
    () =>
      new Promise<void>((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return server;
}

/** health (:8080/health), ready (:8181/ready) and prometheus (:9153/metrics). Left out where the ports were overridden. */
async function serveExtra(
  { name, args }: Directive,
  {
    text,
    lifetime,
    log,
    enabled,
    host: home,
  }: { text: () => string; lifetime: Lifetime; log: Logger; enabled: boolean; host: string },
): Promise<void> {
  if (!enabled) return;
  const defaults: Readonly<Record<string, string>> = { health: ':8080', ready: ':8181', prometheus: ':9153' };
  const [host, port] = splitAddress(args[0] ?? defaults[name] ?? ':0', home);
  const server: HttpServer = createHttpServer((request, response) => {
    const path = request.url ?? '';
    if (name === 'prometheus' && path === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text());
    } else if (path === `/${name}`) response.writeHead(200).end('OK');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.once('error', (error) => {
      log.warn('an address of the DNS server cannot be had', { plugin: name, address: `${host}:${port}`, error });
      resolve();
    });
    server.listen(port, host, resolve);
  });
  lifetime.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
}

function splitAddress(text: string, home: string): readonly [string, number] {
  const at = text.lastIndexOf(':');
  return [text.slice(0, at) || home, Number(text.slice(at + 1))];
}
