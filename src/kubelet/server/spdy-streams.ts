import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { V1Status } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import { type SpdyStream, spdySession } from '../../base/spdy/session.ts';
import type { StreamOptions } from '../../runtime/cri.ts';
import { type RemoteStreams, takeSizes } from './remote-streams.ts';

const offered = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'];
const creationMs = 30_000;

/** Refuses an upgrade with a plain answer. */
export function refuse(socket: Duplex, status: string, message: string, headers: readonly string[] = []): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n${headers.map((it) => `${it}\r\n`).join('')}Content-Length: ${Buffer.byteLength(message)}\r\nConnection: close\r\n\r\n${message}`,
  );
}

/** Answers a SPDY upgrade; undefined when it was refused. */
export function acceptSpdy(request: IncomingMessage, socket: Duplex, protocols: readonly string[]): string | undefined {
  const asked = String(request.headers['x-stream-protocol-version'] ?? '')
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '');
  if (asked.length === 0) {
    refuse(socket, '400 Bad Request', 'unable to upgrade: X-Stream-Protocol-Version header is required');
    return undefined;
  }
  const chosen = asked.find((it) => protocols.includes(it));
  if (chosen === undefined) {
    refuse(
      socket,
      '403 Forbidden',
      `unable to upgrade: unable to negotiate protocol: client supports [${asked.join(' ')}], server accepts [${protocols.join(' ')}]`,
      protocols.map((it) => `X-Accepted-Stream-Protocol-Versions: ${it}`),
    );
    return undefined;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`,
  );
  return chosen;
}

/** The streams of an exec or attach over SPDY; undefined when the client did not make them all in time. */
export async function spdyRemoteStreams(
  request: IncomingMessage,
  socket: Duplex,
  options: StreamOptions,
  clock: Clock,
): Promise<RemoteStreams | undefined> {
  const protocol = acceptSpdy(request, socket, offered);
  if (protocol === undefined) return undefined;
  const resizable = options.tty && protocol !== 'channel.k8s.io' && protocol !== 'v2.channel.k8s.io';
  const wanted = new Set([
    'error',
    ...(options.stdin ? ['stdin'] : []),
    ...(options.stdout ? ['stdout'] : []),
    ...(options.stderr && !options.tty ? ['stderr'] : []),
    ...(resizable ? ['resize'] : []),
  ]);
  const streams = new Map<string, SpdyStream>();
  let complete: (done: boolean) => void = () => undefined;
  const all = new Promise<boolean>((resolve) => {
    complete = resolve;
  });
  const connection = spdySession(socket, 'server', (stream) => {
    const type = stream.headers['streamtype'] ?? '';
    if (wanted.has(type)) streams.set(type, stream);
    if (streams.size === wanted.size) complete(true);
  });
  void connection.closed.then(() => complete(false));
  const timer = clock.after(creationMs, () => complete(false), { background: true });
  const done = await all;
  timer.cancel();
  if (!done) {
    connection.close();
    return undefined;
  }
  const error = streams.get('error');
  for (const type of ['error', 'stdout', 'stderr']) streams.get(type)?.resume();
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    onResize(listener) {
      let rest = '';
      streams.get('resize')?.on('data', (chunk: Buffer) => {
        rest = takeSizes(rest + chunk.toString('utf8'), listener);
      });
    },
    async finish(status: V1Status) {
      const text =
        protocol === 'v4.channel.k8s.io'
          ? JSON.stringify(status)
          : status.status === 'Success'
            ? ''
            : (status.message ?? '');
      const ends = [...streams.values()].map(
        (stream) =>
          new Promise<void>((resolve) => {
            stream.once('close', resolve);
            if (stream === error && text !== '') stream.write(text);
            stream.end(() => resolve());
          }),
      );
      await Promise.race([Promise.all(ends), connection.closed]);
      connection.close();
      await connection.closed;
    },
    closed: connection.closed,
  };
}
