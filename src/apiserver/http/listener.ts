import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { HttpFront } from './front.ts';

export interface ListenerOptions {
  /** PEM. */
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  /** PEM of the authority whose client certificates are believed. */
  readonly clientCa: string | Buffer;
  readonly front: HttpFront;
}

/**
 * A TLS server for the front: HTTP/2 and HTTP/1.1 by ALPN, client certificates asked for but not demanded. Call `listen` on it, and
 * `closeListener` to stop it.
 */
export function createSecureListener(options: ListenerOptions): Http2SecureServer {
  const { front } = options;
  const server = createSecureServer({
    key: options.key,
    cert: options.cert,
    ca: options.clientCa,
    allowHTTP1: true,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: 10_000,
    maxSessionMemory: 64,
    // As upstream: 100 streams a connection, headers of 64 KB.
    settings: { maxConcurrentStreams: 250, maxHeaderListSize: 65_536 },
    peerMaxConcurrentStreams: 250,
  });
  server.on('request', (request, response) => front.request(request, response));
  server.on('upgrade', (request, socket, head) => front.upgrade(request as never, socket as never, head as never));
  server.on('sessionError', (_error, session) => session.destroy());
  server.on('session', (session) => session.on('error', () => session.destroy()));
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => socket.setNoDelay(true));
  return server;
}
