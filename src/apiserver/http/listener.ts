import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { HttpFront } from './front.ts';

export interface ListenerOptions {
  /** PEM. */
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  /** PEM of the authority whose client certificates are believed. */
  readonly clientCa: string | Buffer;
  readonly front: HttpFront;
}

const maxHeaderBytes = 1 << 20;

/** What is no HTTP gets one line and the door. */
function refuse(error: Error, socket: Duplex): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  socket.end(
    `HTTP/1.1 ${refusals['code' in error ? String(error.code) : ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`,
  );
}

const refusals: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

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
    // As Go's servers: a megabyte of headers, which long selectors need.
    settings: { maxConcurrentStreams: 250, maxHeaderListSize: maxHeaderBytes },
    peerMaxConcurrentStreams: 250,
  });
  // What HTTP/1.1 connections go by; not among the options of such a server.
  Object.assign(server, { maxHeaderSize: maxHeaderBytes });
  server.on('request', (request, response) => front.request(request, response));
  server.on('upgrade', (request, socket, head) => front.upgrade(request as never, socket as never, head as never));
  server.on('sessionError', (_error, session) => session.destroy());
  server.on('session', (session) => session.on('error', () => session.destroy()));
  server.on('clientError', refuse);
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => socket.setNoDelay(true));
  return server;
}
