import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Lifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import { type Random, randomInt } from '../../base/random.ts';
import type { RouteTable, Target } from './routes.ts';

export interface IngressServerOptions {
  readonly routes: () => RouteTable;
  /** Addresses that answer for a Service's port at the moment. */
  readonly endpoints: (target: Target) => readonly { readonly ip: string; readonly port: number }[];
  /** Opens a connection into the pod network. */
  readonly dial: (host: string, port: number) => Promise<Duplex>;
  /** The certificate for a host; one of no meaning where there is none. */
  readonly certificate: (host: string) => SecureContext;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}

export interface Listening {
  readonly port: number;
}

/** Headers of one connection only (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const dialTries = 3;

const bareHost = (header: string | undefined): string => (header ?? '').replace(/:\d+$/, '');

function forwarded(request: IncomingMessage, secure: boolean): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !hopByHop.has(name)) headers[name] = value;
  }
  const client = request.socket.remoteAddress ?? '';
  const before = request.headers['x-forwarded-for'];
  headers['x-forwarded-for'] = before ? `${before}, ${client}` : client;
  headers['x-forwarded-proto'] = secure ? 'https' : 'http';
  headers['x-forwarded-host'] = request.headers.host ?? '';
  headers['x-real-ip'] = client;
  return headers;
}

/**
 * Serves Ingress rules: looks up host and path, sends the request to an endpoint of the Service, streams the answer back; upgrades (WebSocket)
 * are joined byte for byte. 404 where no rule says anything, 503 where a Service has no endpoints, 502 where none can be reached.
 */
export function ingressServer(options: IngressServerOptions): {
  http(host: string, port: number): Promise<Listening>;
  https(host: string, port: number): Promise<Listening>;
} {
  const { routes, endpoints, dial, random, log, lifetime } = options;

  /** A connection to one of the endpoints; others are tried when one cannot be reached. */
  const reach = async (target: Target): Promise<Duplex | undefined> => {
    const list = [...endpoints(target)];
    if (list.length === 0) return undefined;
    let last: unknown;
    for (let i = 0; i < dialTries && list.length > 0; i++) {
      const [chosen] = list.splice(randomInt(random, list.length), 1);
      if (!chosen) break;
      try {
        return await dial(chosen.ip, chosen.port);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };
  const answer = (response: ServerResponse, code: number, text: string): void => {
    response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${text}\n`);
  };
  const serve = async (request: IncomingMessage, response: ServerResponse, secure: boolean): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    const host = bareHost(request.headers.host);
    const target = routes().match(host, path);
    if (!target)
      return answer(response, 404, `no Ingress has a rule for host ${JSON.stringify(host)} and path ${path}`);
    const socket = await reach(target);
    const name = `${target.namespace}/${target.service}:${target.port}`;
    if (!socket) return answer(response, 503, `Service ${name} has no ready endpoints`);
    const outgoing = httpRequest({
      method: request.method,
      path: request.url,
      headers: forwarded(request, secure),
      setHost: false,
      createConnection: () => socket as never,
    });
    outgoing.on('response', (incoming) => {
      const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([key]) => !hopByHop.has(key)));
      response.writeHead(incoming.statusCode ?? 502, headers as Record<string, string | string[]>);
      incoming.pipe(response);
      incoming.on('error', () => response.destroy());
    });
    outgoing.on('error', (error) => {
      socket.destroy();
      if (response.headersSent) response.destroy();
      else answer(response, 502, `Service ${name}: ${error.message}`);
    });
    response.on('close', () => socket.destroy());
    request.pipe(outgoing);
  };
  const upgrade = async (request: IncomingMessage, client: Duplex, head: Buffer, secure: boolean): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    const target = routes().match(bareHost(request.headers.host), path);
    const socket = target && (await reach(target));
    if (!socket) {
      client.end(`HTTP/1.1 ${target ? '503 Service Unavailable' : '404 Not Found'}\r\nConnection: close\r\n\r\n`);
      return;
    }
    const headers = {
      ...forwarded(request, secure),
      connection: 'Upgrade',
      upgrade: request.headers.upgrade ?? '',
    };
    const lines = Object.entries(headers).flatMap(([key, value]) => [value].flat().map((one) => `${key}: ${one}`));
    socket.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    if (head.length > 0) socket.write(head);
    for (const [one, other] of [
      [client, socket],
      [socket, client],
    ] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  };
  const listen = (secure: boolean, host: string, port: number): Promise<Listening> => {
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      serve(request, response, secure).catch((error: unknown) => {
        log.debug('a backend could not be reached', { error });
        if (!response.headersSent) answer(response, 502, error instanceof Error ? error.message : String(error));
      });
    };
    const server = secure
      ? createTlsServer(
          { SNICallback: (name, done) => done(null, options.certificate(name)), ALPNProtocols: ['http/1.1'] },
          onRequest,
        )
      : createServer(onRequest);
    // Whoever sends no name gets the certificate of no meaning.
    if (secure && 'setSecureContext' in server)
      server.on('tlsClientError', (error) => log.debug('TLS failed', { error }));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      upgrade(request, socket, head, secure).catch((error: unknown) => {
        log.debug('an upgrade could not be passed on', { error });
        socket.destroy();
      });
    });
    lifetime.defer(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        const address = server.address();
        resolve({ port: typeof address === 'object' && address ? address.port : port });
      });
    });
  };
  return { http: (host, port) => listen(false, host, port), https: (host, port) => listen(true, host, port) };
}
