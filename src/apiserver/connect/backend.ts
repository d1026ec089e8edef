import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** An open connection to whatever answers. */
export interface Backend {
  readonly socket: Duplex;
  /** For the Host header. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers that belong to one connection only (RFC 9110, 7.6.1), and those that only the API server should see. */
const ownHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'authorization',
  'http2-settings',
]);
const isPrivate = (name: string): boolean =>
  ownHeaders.has(name) || name.startsWith(':') || name.startsWith('impersonate-');

/** The client's headers as the backend may see them. */
export function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !isPrivate(name)) kept[name] = value;
  }
  return kept;
}

/** Headers of an answer that may go back to the client, whatever protocol it speaks. */
export function returnedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && (name === 'host' || !ownHeaders.has(name))) kept[name] = value;
  }
  return kept;
}

export interface BackendRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** The client's request, whose body is sent on; absent: no body. */
  readonly body?: IncomingMessage;
  readonly signal?: AbortSignal;
}

/** Sends one HTTP/1.1 request over the connection and resolves with the head of the answer; its body streams. */
export function askBackend(backend: Backend, asked: BackendRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      method: asked.method,
      path: asked.path,
      headers: { ...asked.headers, ...backend.headers, host: backend.host },
      // Without an agent, or Node would open a connection of its own.
      createConnection: () => backend.socket as never,
      setHost: false,
      ...(asked.signal && { signal: asked.signal }),
    });
    outgoing.once('response', resolve);
    outgoing.once('error', (error) => {
      backend.socket.destroy();
      reject(error);
    });
    if (asked.body) asked.body.pipe(outgoing);
    else outgoing.end();
  });
}

/** The head of the client's upgrade request, in its own words, for another address. */
export function upgradeHead(request: IncomingMessage, path: string, backend: Backend): string {
  const lines = [`${request.method ?? 'GET'} ${path} HTTP/1.1`, `Host: ${backend.host}`];
  const raw = request.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    if (name === 'host' || name === 'authorization' || name.startsWith('impersonate-')) continue;
    lines.push(`${raw[i] ?? ''}: ${raw[i + 1] ?? ''}`);
  }
  for (const [name, value] of Object.entries(backend.headers)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Joins two connections byte for byte, both ways, until both sides have ended. The end of one side is passed on as such. */
export function splice(client: Duplex, backend: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const closed = (): void => {
      open--;
      if (open === 0) resolve();
    };
    const fail = (): void => {
      client.destroy();
      backend.destroy();
    };
    client.on('error', fail);
    backend.on('error', fail);
    client.once('close', () => {
      if (!backend.writableEnded) backend.end();
      backend.destroy();
      closed();
    });
    backend.once('close', () => {
      // What the backend said last must reach the client before its connection goes.
      if (!client.writableEnded) client.end();
      closed();
    });
    client.pipe(backend);
    backend.pipe(client);
  });
}
