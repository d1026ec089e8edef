import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { parse } from 'yaml';

/** Keys of a kubeconfig, and where its server is. */
export interface Access {
  readonly host: string;
  readonly port: number;
  readonly ca: Buffer;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
}

export function accessOf(kubeconfig: string): Access & { readonly cert: Buffer; readonly key: Buffer } {
  const file = parse(readFileSync(kubeconfig, 'utf8'));
  const data = (text: string): Buffer => Buffer.from(text, 'base64');
  const { server, 'certificate-authority-data': ca } = file.clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key } = file.users[0].user;
  const url = new URL(server);
  return { host: url.hostname, port: Number(url.port), ca: data(ca), cert: data(cert), key: data(key) };
}

/** The same server without a certificate of one's own. */
export const anonymously = ({ host, port, ca }: Access): Access => ({ host, port, ca });

export interface Reply {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The answer as JSON, `{}` where it is none. */
  readonly json: {
    readonly kind?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly code?: number;
    readonly metadata?: { readonly name: string; readonly resourceVersion: string };
  };
}

/** One request on a connection of its own. */
export function ask(
  access: Access,
  method: string,
  path: string,
  options: { readonly body?: string | Buffer; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  const headers = {
    'Content-Type': 'application/json',
    ...(options.body !== undefined && { 'Content-Length': String(Buffer.byteLength(options.body)) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...access, method, path, agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        let json = {};
        if (text.startsWith('{')) json = JSON.parse(text);
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

/** A TLS connection on which anything can be written. */
export function openTls(access: Access): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...access, ALPNProtocols: ['http/1.1'] }, () => resolve(socket));
    socket.on('error', reject);
  });
}

/** What the server says on a connection until it closes it, at most for `ms`. */
export function untilClosed(
  socket: TLSSocket,
  ms: number,
): Promise<{ readonly text: string; readonly closed: boolean }> {
  return new Promise((resolve) => {
    let text = '';
    const timer = setTimeout(() => resolve({ text, closed: false }), ms);
    const end = (): void => {
      clearTimeout(timer);
      resolve({ text, closed: true });
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', end);
    socket.on('close', end);
  });
}
