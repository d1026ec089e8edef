import type { TLSSocket } from 'node:tls';
import { connect as connectTls, createSecureContext, TLSSocket as SecureSocket } from 'node:tls';
import type { Process } from '../../kernel/process.ts';
import { toDuplex } from '../../net/duplex.ts';
import type { TcpSocket } from '../../net/net-namespace.ts';
import type { Transport } from './client.ts';

/** TLS could not be set up: OpenSSL's or Node's reason. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Speaks TLS as a client over a connected socket; real TLS, as the far end may be the API server of this very cluster. */
export async function secureTransport(
  p: Process,
  fd: number,
  options: {
    readonly host: string;
    readonly verify: boolean;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  },
): Promise<Transport> {
  const duplex = toDuplex(p.file(fd) as TcpSocket);
  p.whenEnded(() => duplex.destroy());
  const socket = connectTls({
    socket: duplex,
    ...(/^[\d.]+$|:/.test(options.host) ? {} : { servername: options.host }),
    rejectUnauthorized: options.verify,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined ? {} : { cert: options.cert, key: options.key ?? options.cert }),
  });
  await p.outside(
    new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', (error: Error & { code?: string }) =>
        reject(new HandshakeError(error.code ?? 'ERROR', error.message)),
      );
    }),
  );
  return streamTransport(p, socket);
}

/** Reads and writes a Node stream in the manner of a process's socket. */
export function streamTransport(p: Process, socket: TLSSocket): Transport {
  const parts: (Uint8Array | null)[] = [];
  let wake: (() => void) | undefined;
  const push = (part: Uint8Array | null): void => {
    parts.push(part);
    wake?.();
  };
  socket.on('data', (data: Buffer) => {
    push(data);
    if (parts.length > 64) socket.pause();
  });
  socket.on('end', () => push(null));
  socket.on('error', () => push(null));
  socket.on('close', () => push(null));
  return {
    async read() {
      for (;;) {
        const part = parts.shift();
        if (part !== undefined) {
          if (parts.length < 32) socket.resume();
          if (part === null) parts.unshift(null);
          return part;
        }
        await p.block((done) => {
          wake = done;
          return () => {
            wake = undefined;
          };
        });
      }
    },
    write: (data) =>
      p.outside(
        new Promise<void>((resolve, reject) => socket.write(data, (error) => (error ? reject(error) : resolve()))),
      ),
    close: () => socket.destroy(),
  };
}

/** The server's side of TLS on an accepted connection. */
export async function secureServerTransport(
  p: Process,
  fd: number,
  { cert, key }: { readonly cert: string; readonly key: string },
): Promise<Transport> {
  const duplex = toDuplex(p.file(fd) as TcpSocket);
  p.whenEnded(() => duplex.destroy());
  const socket = new SecureSocket(duplex, { isServer: true, secureContext: createSecureContext({ cert, key }) });
  await p.outside(
    new Promise<void>((resolve, reject) => {
      socket.once('secure', resolve);
      socket.once('error', (error: Error & { code?: string }) =>
        reject(new HandshakeError(error.code ?? 'ERROR', error.message)),
      );
      socket.once('close', () => reject(new HandshakeError('EOF', 'EOF')));
    }),
  );
  return streamTransport(p, socket);
}
