import type { Http2SecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { ClusterOptions } from './options.ts';
import { UsageError } from './options.ts';

/** Listens where the options say and gives the port; a port in use is one clear line. */
export function listen(
  server: Http2SecureServer,
  options: Pick<ClusterOptions, 'listenAddress' | 'listenPort'>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${options.listenAddress}:${options.listenPort}`;
      if (error.code === 'EADDRINUSE')
        reject(new UsageError(`${where} is in use; choose another with --listen ADDRESS:PORT`));
      else if (error.code === 'EADDRNOTAVAIL')
        reject(new UsageError(`${options.listenAddress} is no address of this machine`));
      else if (error.code === 'EACCES') reject(new UsageError(`listening on ${where} is not permitted`));
      else reject(error);
    });
    server.listen({ host: options.listenAddress, port: options.listenPort, backlog: 4096 }, () =>
      resolve((server.address() as AddressInfo).port),
    );
  });
}

/** Stops listening and ends every connection: those that idle at once, streams when their watch has ended. */
export function stopListening(server: Http2SecureServer, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroySoon();
  });
}

/** Keeps the set of a server's open connections. */
export function trackSockets(server: Http2SecureServer): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}
