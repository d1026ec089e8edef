import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { type SpdyStream, spdyConnection } from './spdy-connection.ts';

export interface PortForwarding {
  readonly connect: (port: number) => Promise<Duplex>;
  /** The text for the client's error stream. */
  readonly failure: (port: number, error: unknown) => string;
  readonly clock: Clock;
}

const pairMs = 30_000;

const join = async (
  pair: { readonly data: SpdyStream; readonly error: SpdyStream },
  port: number,
  how: PortForwarding,
): Promise<void> => {
  const { data, error } = pair;
  error.duplex.resume();
  try {
    const target = await how.connect(port);
    target.on('error', () => undefined);
    data.duplex.pipe(target);
    target.pipe(data.duplex);
    await new Promise<void>((resolve) => {
      target.once('close', () => resolve());
      data.duplex.once('close', () => {
        target.destroy();
        resolve();
      });
    });
  } catch (failed) {
    error.duplex.write(how.failure(port, failed));
  }
  error.duplex.end();
  data.duplex.end();
};

/** Serves forwarded connections: each is a pair of streams, error and data, with the same request id. Resolves at the end. */
export function forwardPorts(socket: Duplex, how: PortForwarding): Promise<void> {
  const waiting = new Map<string, Partial<Record<'data' | 'error', SpdyStream>>>();
  const connection = spdyConnection(socket, 'server', (stream) => {
    const type = stream.headers.get('streamtype');
    const port = Number(stream.headers.get('port'));
    // Clients before request ids made the data stream right after its error stream.
    const id = stream.headers.get('requestid') ?? `${type === 'data' ? stream.id - 2 : stream.id}`;
    if ((type !== 'data' && type !== 'error') || !Number.isInteger(port) || port < 1 || port > 65_535) {
      stream.duplex.destroy();
      return;
    }
    const pair = { ...waiting.get(id), [type]: stream };
    const { data, error } = pair;
    if (data && error) {
      waiting.delete(id);
      void join({ data, error }, port, how);
      return;
    }
    waiting.set(id, pair);
    how.clock.after(
      pairMs,
      () => {
        if (waiting.get(id) !== pair) return;
        waiting.delete(id);
        stream.duplex.destroy();
      },
      { background: true },
    );
  });
  return connection.closed;
}
