import type { Process } from '../../kernel/process.ts';
import { connect, type Lookup, lookupHost } from '../../net/sockets.ts';
import { encodeHead, type Headers, type WireReader, wireReader } from './wire.ts';

export interface HttpUrl {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Path with query. */
  readonly target: string;
  readonly user: string | undefined;
}

/** Reads an address; `http://` may be left out. Undefined for another scheme or none of that shape. */
export function parseUrl(text: string): HttpUrl | undefined {
  const match =
    /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/)?(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?([/?][^#]*)?(?:#.*)?$/.exec(
      text,
    );
  if (!match) return undefined;
  const scheme = (match[1] ?? 'http').toLowerCase();
  if ((scheme !== 'http' && scheme !== 'https') || !match[3]) return undefined;
  const port = match[4] ? Number(match[4]) : scheme === 'https' ? 443 : 80;
  const target = match[5] ?? '/';
  return {
    scheme,
    host: match[3].replace(/^\[|\]$/g, ''),
    port,
    target: target.startsWith('?') ? `/${target}` : target,
    user: match[2],
  };
}

/** `host` or `host:port`, as the Host field has it. */
export const hostField = (url: HttpUrl): string => {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  return url.port === (url.scheme === 'https' ? 443 : 80) ? host : `${host}:${url.port}`;
};

export interface HttpReply {
  readonly first: string;
  readonly status: number;
  readonly headers: Headers;
  readonly reader: WireReader;
  /** The body, piece by piece. */
  body(): AsyncGenerator<Uint8Array, void, void>;
}

/** A connection to talk over: a socket, or TLS on top of one. */
export interface Transport {
  read(): Promise<Uint8Array | null>;
  write(data: Uint8Array | string): Promise<void>;
  close(): void;
}

/** A process's socket as it is. */
export const plainTransport = (p: Process, fd: number): Transport => ({
  read: () => p.read(fd),
  write: (data) => p.write(fd, data),
  close: () => p.close(fd),
});

/** Sends a request over a connection and reads the reply's head. Undefined when the server said nothing. */
export async function exchange(
  transport: Transport,
  request: {
    readonly method: string;
    readonly target: string;
    readonly headers: Headers;
    readonly body?: Uint8Array;
    readonly version?: string;
  },
): Promise<HttpReply | undefined> {
  const head = encodeHead(`${request.method} ${request.target} ${request.version ?? 'HTTP/1.1'}`, request.headers);
  await transport.write(request.body ? Buffer.concat([Buffer.from(head), request.body]) : head);
  const reader = wireReader(transport.read);
  for (;;) {
    const reply = await reader.head();
    if (!reply) return undefined;
    const status = Number(/^HTTP\/\d\.\d (\d{3})/.exec(reply.first)?.[1] ?? 0);
    if (status === 100) continue;
    const bodiless = request.method === 'HEAD' || status === 204 || status === 304;
    return {
      ...reply,
      status,
      reader,
      body: () => (bodiless ? nothing() : reader.body(reply.headers, true)),
    };
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {
  // No body.
}

/** Opens a connection to a host by name. Answers the lookup's result when it did not find an address. */
export async function dial(
  p: Process,
  host: string,
  port: number,
  timeoutMs = 0,
): Promise<{ readonly fd: number; readonly ip: string } | Exclude<Lookup, { kind: 'found' }>> {
  const found = await lookupHost(p, host);
  if (found.kind !== 'found') return found;
  let failure: unknown;
  for (const ip of found.addresses) {
    try {
      return { fd: (await connect(p, ip, port, timeoutMs)).fd, ip };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** One whole exchange: for proxies and small clients. */
export async function fetchOnce(
  p: Process,
  url: HttpUrl,
  request: {
    readonly method?: string;
    readonly headers?: Headers;
    readonly body?: Uint8Array;
    readonly timeoutMs?: number;
  } = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Buffer } | 'no-host' | 'empty'> {
  const connection = await dial(p, url.host, url.port, request.timeoutMs ?? 0);
  if ('kind' in connection) return 'no-host';
  try {
    const body = request.body;
    const reply = await exchange(plainTransport(p, connection.fd), {
      method: request.method ?? 'GET',
      target: url.target,
      headers: [
        ['Host', hostField(url)],
        ...(request.headers ?? []),
        ...(body ? [['Content-Length', String(body.length)] as const] : []),
        ['Connection', 'close'],
      ],
      ...(body ? { body } : {}),
    });
    if (!reply) return 'empty';
    const parts: Uint8Array[] = [];
    for await (const part of reply.body()) parts.push(part);
    return { status: reply.status, headers: reply.headers, body: Buffer.concat(parts) };
  } finally {
    p.close(connection.fd);
  }
}
