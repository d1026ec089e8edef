import type { Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface SecureKubelet {
  readonly port: number;
  /** From now on requests are answered by this server; before, connections wait. */
  serve(server: Server): void;
  close(): Promise<void>;
}

/**
 * Listens for the kubelet's HTTPS API. Client certificates are asked for and checked against the authority, but nobody has to have one:
 * bearer tokens do as well. Where the port is taken (another kubelet runs here), any free one is used. Rejects when it cannot listen.
 */
export async function listenSecurely(options: {
  readonly key: string;
  readonly certificate: string;
  readonly clientAuthority: string;
  readonly address: string;
  readonly port: number;
}): Promise<SecureKubelet> {
  const listener = createServer({
    key: options.key,
    cert: options.certificate,
    ca: options.clientAuthority,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  });
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listenAt = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ host: options.address, port }, () => {
        listener.off('error', reject);
        resolve();
      });
    });
  await listenAt(options.port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return listenAt(0);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    serve(server) {
      listener.on('request', (request, response) => server.emit('request', request, response));
      listener.on('upgrade', (request, socket, head) => server.emit('upgrade', request, socket, head));
    },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
