import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { type SpdyStream, spdySession } from '../../base/spdy/session.ts';

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
  error.resume();
  try {
    const target = await how.connect(port);
    target.on('error', () => undefined);
    data.pipe(target);
    target.pipe(data);
    await new Promise<void>((resolve) => {
      target.once('close', () => resolve());
      data.once('close', () => {
        target.destroy();
        resolve();
      });
    });
  } catch (failed) {
    error.write(how.failure(port, failed));
  }
  error.end();
  data.end();
};

/** Serves forwarded connections: each is a pair of streams, error and data, with the same request id. Resolves at the end. */
export function forwardPorts(socket: Duplex, how: PortForwarding): Promise<void> {
  const waiting = new Map<string, Partial<Record<'data' | 'error', SpdyStream>>>();
  const connection = spdySession(socket, 'server', (stream) => {
    const type = stream.headers['streamtype'];
    const port = Number(stream.headers['port']);
    // Clients before request ids made the data stream right after its error stream.
    const id = stream.headers['requestid'] ?? `${type === 'data' ? stream.id - 2 : stream.id}`;
    if ((type !== 'data' && type !== 'error') || !Number.isInteger(port) || port < 1 || port > 65_535) {
      stream.destroy();
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
        stream.destroy();
      },
      { background: true },
    );
  });
  return connection.closed;
}
