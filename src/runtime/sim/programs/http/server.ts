import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import type { Endpoint, Listener, TcpSocket } from '../../net/net-namespace.ts';
import { accept, type Held } from '../../net/sockets.ts';
import { plainTransport, type Transport } from './client.ts';
import { HandshakeError, secureServerTransport } from './secure.ts';
import { encodeHead, type Headers, header, httpDate, reasons, WireError, wireReader } from './wire.ts';

export interface HttpRequest {
  readonly method: string;
  /** As sent. */
  readonly target: string;
  /** Decoded path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly version: string;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface HttpResponse {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Headers;
  readonly body?: string | Uint8Array;
  /** Written after the head; the connection ends with it. */
  readonly stream?: (write: (data: string | Uint8Array) => Promise<void>) => Promise<void>;
  /** Ends the connection after this response, or without any when `abort`. */
  readonly close?: boolean;
  readonly abort?: boolean;
}

export type Handler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

export interface ServerOptions {
  /** Fields that stand before and after the date: `Server`. */
  readonly before?: Headers;
  readonly keepAlive?: boolean;
  /** Told of every answered request. */
  readonly log?: (request: HttpRequest, status: number, bytes: number) => void | Promise<void>;
  readonly bodyLimit?: number;
  /** The answer to what is no HTTP. */
  readonly malformed?: (status: 400 | 413 | 431) => HttpResponse;
  /** Speaks TLS with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Whether to take no further request on open connections (graceful end). */
  readonly draining?: () => boolean;
}

/** Accepts connections for ever and answers their requests, any number at a time. */
export async function serveHttp(
  p: Process,
  listener: Held<Listener>,
  handler: Handler,
  options: ServerOptions = {},
): Promise<never> {
  p.handle('PIPE', 'ignore');
  for (;;) {
    const connection = await accept(p, listener);
    void serveConnection(p, connection, handler, options);
  }
}

/** Answers the requests of one connection until it ends. Never rejects. */
export async function serveConnection(
  p: Process,
  connection: Held<TcpSocket>,
  handler: Handler,
  options: ServerOptions = {},
): Promise<void> {
  const { fd, socket } = connection;
  let transport = plainTransport(p, fd);
  try {
    if (options.tls) transport = await secureServerTransport(p, fd, options.tls);
    const reader = wireReader(transport.read);
    for (;;) {
      const head = await reader.head();
      if (!head) break;
      const request = await readRequest(transport, reader, head, socket, options.bodyLimit ?? 1 << 24);
      const response = await handler(request);
      if (response.abort) break;
      const more = await respond(p, transport, request, response, options);
      if (!more || options.draining?.()) break;
    }
  } catch (error) {
    if (error instanceof WireError && error.kind !== 'truncated') await refuse(p, transport, error, socket, options);
    else if (error instanceof HandshakeError)
      await p
        .complain(
          `${logTime(p)} http: TLS handshake error from ${socket.remote.ip}:${socket.remote.port}: ${error.message}\n`,
        )
        .catch(() => undefined);
    else if (!(error instanceof SysError) && !(error instanceof WireError))
      await p.complain(`${p.comm}: ${error instanceof Error ? error.message : String(error)}\n`).catch(() => undefined);
  }
  if (options.tls) transport.close();
  if (p.fds[fd] === socket) p.close(fd);
}

/** The stamp of Go's log package. */
const logTime = (p: Process): string =>
  new Date(p.workload.clock.now()).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/');

async function refuse(
  p: Process,
  transport: Transport,
  error: WireError,
  socket: TcpSocket,
  options: ServerOptions,
): Promise<void> {
  const status = error.kind === 'too-large' ? 431 : 400;
  const request: HttpRequest = {
    method: '-',
    target: '',
    path: '',
    query: new URLSearchParams(),
    version: 'HTTP/1.1',
    headers: [],
    body: Buffer.alloc(0),
    local: socket.local,
    remote: socket.remote,
  };
  const response = options.malformed?.(status) ?? {
    status,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: `${status} ${reasons[status]}`,
  };
  // The peer may be gone already; there is nobody left to tell.
  await respond(p, transport, request, { ...response, close: true }, options).catch(() => undefined);
}

async function readRequest(
  transport: Transport,
  reader: ReturnType<typeof wireReader>,
  { first, headers }: { first: string; headers: Headers },
  socket: TcpSocket,
  limit: number,
): Promise<HttpRequest> {
  const match = /^([A-Z]+) (\S+)(?: (HTTP\/1\.[01]))?$/.exec(first);
  if (!match) throw new WireError('malformed');
  const [, method = '', target = '', version = 'HTTP/0.9'] = match;
  if (/^100-continue$/i.test(header(headers, 'expect') ?? '')) await transport.write('HTTP/1.1 100 Continue\r\n\r\n');
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of reader.body(headers, false)) {
    size += part.length;
    if (size > limit) throw new WireError('too-large');
    parts.push(part);
  }
  const local = target.replace(/^[a-z]+:\/\/[^/]*/i, '') || '/';
  const mark = local.indexOf('?');
  return {
    method,
    target,
    path: decodePath(mark < 0 ? local : local.slice(0, mark)),
    query: new URLSearchParams(mark < 0 ? '' : local.slice(mark + 1)),
    version,
    headers,
    body: Buffer.concat(parts),
    local: socket.local,
    remote: socket.remote,
  };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A stray percent sign: taken as it stands.
    return path;
  }
}

/** Writes a response; whether the connection may be used again. */
async function respond(
  p: Process,
  transport: Transport,
  request: HttpRequest,
  response: HttpResponse,
  options: ServerOptions,
): Promise<boolean> {
  const body = typeof response.body === 'string' ? Buffer.from(response.body) : (response.body ?? new Uint8Array(0));
  const asked = (header(request.headers, 'connection') ?? '').toLowerCase();
  const persistent =
    options.keepAlive !== false &&
    !response.close &&
    !response.stream &&
    !asked.includes('close') &&
    (request.version === 'HTTP/1.1' || asked.includes('keep-alive'));
  const own = response.headers ?? [];
  const has = (name: string): boolean => header(own, name) !== undefined;
  const bodiless = response.status === 204 || response.status === 304 || response.status < 200;
  const headers: (readonly [string, string])[] = [
    ...(options.before ?? []),
    ['Date', httpDate(p.workload.clock.now())],
    ...own,
    ...(has('content-length') || bodiless || response.stream ? [] : [['Content-Length', String(body.length)] as const]),
    ...(has('connection') ? [] : [['Connection', persistent ? 'keep-alive' : 'close'] as const]),
  ];
  const first = `HTTP/1.1 ${response.status} ${response.reason ?? reasons[response.status] ?? ''}`;
  const head = request.version === 'HTTP/0.9' ? '' : encodeHead(first, headers);
  const sends = request.method !== 'HEAD' && !bodiless;
  await transport.write(
    sends && body.length < 65_536 ? Buffer.concat([Buffer.from(head, 'latin1'), body]) : Buffer.from(head, 'latin1'),
  );
  if (sends && body.length >= 65_536) await transport.write(body);
  let bytes = sends ? body.length : 0;
  if (response.stream && sends)
    await response.stream(async (data) => {
      bytes += data.length;
      await transport.write(data);
    });
  await options.log?.(request, response.status, bytes);
  return persistent;
}
