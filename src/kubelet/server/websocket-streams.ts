import type { IncomingMessage } from 'node:http';
import { type Duplex, Duplex as DuplexStream, PassThrough, Writable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { V1Status } from '../../api/generated/types.ts';
import type { StreamOptions } from '../../runtime/cri.ts';
import { type RemoteStreams, takeSizes } from './remote-streams.ts';
import { refuse } from './spdy-streams.ts';

const execProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
];
const portProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'];
/** kubectl's port-forward over WebSocket: SPDY bytes in binary frames. No token by the letter of the RFC, so `ws` must not see it. */
export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';
const maxPayload = 16 * 1024 * 1024;

const asked = (request: IncomingMessage): string[] =>
  String(request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '');

/** Answers a WebSocket upgrade with the first protocol of the client that is served; undefined when refused. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  served: readonly string[],
): Promise<{ readonly socket: WebSocket; readonly protocol: string } | undefined> {
  const offers = asked(request);
  const protocol = offers.length === 0 ? '' : offers.find((it) => served.includes(it));
  if (protocol === undefined) {
    refuse(
      socket,
      '403 Forbidden',
      `unable to upgrade websocket connection: none of the protocols ${offers.join(', ')} is served`,
    );
    return Promise.resolve(undefined);
  }
  const server = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false });
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (headers) => {
    if (protocol !== '') headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  return new Promise((resolve) => {
    socket.once('close', () => resolve(undefined));
    server.handleUpgrade(request, socket, head, (accepted) => resolve({ socket: accepted, protocol }));
  });
}

/** Numbered channels over a WebSocket, binary or base64. */
interface Channels {
  send(channel: number, data: Buffer): Promise<void>;
  onData(listener: (channel: number, data: Buffer) => void): void;
}

function channels(socket: WebSocket, base64: boolean): Channels {
  return {
    send: (channel, data) =>
      new Promise((resolve, reject) => {
        const message = base64
          ? String.fromCharCode(48 + channel) + data.toString('base64')
          : Buffer.concat([Buffer.from([channel]), data]);
        socket.send(message, { binary: !base64 }, (error) => (error ? reject(error) : resolve()));
      }),
    onData(listener) {
      socket.on('message', (message: Buffer) => {
        const first = message[0];
        if (first === undefined) return;
        if (base64) listener(first - 48, Buffer.from(message.toString('latin1', 1), 'base64'));
        else listener(first, message.subarray(1));
      });
    },
  };
}

const sink = (channel: number, to: Channels): Writable =>
  new Writable({
    highWaterMark: 256 * 1024,
    write(chunk: Buffer, _encoding, done) {
      to.send(channel, chunk).then(
        () => done(),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });

/** Everything written is on its way. */
const flushed = (stream: Writable | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (!stream || stream.destroyed) return resolve();
    stream.once('error', () => resolve());
    stream.end(() => resolve());
  });

const closedOf = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });

/** The streams of an exec or attach over WebSocket; undefined when refused. */
export async function websocketRemoteStreams(
  request: IncomingMessage,
  raw: Duplex,
  head: Buffer,
  options: StreamOptions,
): Promise<RemoteStreams | undefined> {
  const accepted = await acceptWebSocket(request, raw, head, execProtocols);
  if (!accepted) return undefined;
  const { socket, protocol } = accepted;
  const io = channels(socket, protocol.includes('base64'));
  const stdin = options.stdin ? new PassThrough({ highWaterMark: 256 * 1024 }) : undefined;
  let sizes = '';
  let onSize: ((width: number, height: number) => void) | undefined;
  io.onData((channel, data) => {
    if (channel === 0 && stdin && !stdin.writableEnded) {
      // A process that does not read holds its client up, nothing grows.
      if (!stdin.write(data)) {
        socket.pause();
        stdin.once('drain', () => socket.resume());
      }
    } else if (channel === 4) {
      const early: [number, number][] = [];
      sizes = takeSizes(sizes + data.toString('utf8'), (width, height) =>
        onSize ? onSize(width, height) : void early.push([width, height]),
      );
      if (early.length > 0) pending = early.at(-1);
    } else if (channel === 255 && protocol.startsWith('v5.') && data[0] === 0) stdin?.end();
  });
  let pending: [number, number] | undefined;
  const closed = closedOf(socket);
  void closed.then(() => stdin?.end());
  const first = options.stdout ? 1 : options.stderr ? 2 : 3;
  await io.send(first, Buffer.alloc(0)).catch(() => undefined);
  const stdout = options.stdout ? sink(1, io) : undefined;
  const stderr = options.stderr && !options.tty ? sink(2, io) : undefined;
  return {
    stdin,
    stdout,
    stderr,
    onResize(listener) {
      onSize = listener;
      if (pending) listener(...pending);
    },
    async finish(status: V1Status) {
      const modern = protocol.startsWith('v4.') || protocol.startsWith('v5.');
      const text = modern ? JSON.stringify(status) : status.status === 'Success' ? '' : (status.message ?? '');
      await Promise.race([Promise.all([flushed(stdout), flushed(stderr)]), closed]);
      if (text !== '') await io.send(3, Buffer.from(text)).catch(() => undefined);
      socket.close(1000);
      await closed;
    },
    closed,
  };
}

/** Ports forwarded over plain WebSocket channels: two for each port, data and error. */
export async function websocketPorts(
  request: IncomingMessage,
  raw: Duplex,
  head: Buffer,
  ports: readonly number[],
  connect: (port: number) => Promise<Duplex>,
  failure: (port: number, error: unknown) => string,
): Promise<void> {
  const accepted = await acceptWebSocket(request, raw, head, portProtocols);
  if (!accepted) return;
  const { socket, protocol } = accepted;
  const io = channels(socket, protocol.includes('base64'));
  const closed = closedOf(socket);
  const inputs = ports.map(() => new PassThrough({ highWaterMark: 256 * 1024 }));
  io.onData((channel, data) => {
    const input = channel % 2 === 0 ? inputs[channel / 2] : undefined;
    if (!input || input.writableEnded || input.write(data)) return;
    socket.pause();
    input.once('drain', () => socket.resume());
  });
  await Promise.all(
    ports.map(async (port, index) => {
      const number = Buffer.alloc(2);
      number.writeUInt16LE(port);
      try {
        await io.send(index * 2, number);
        await io.send(index * 2 + 1, number);
        const target = await connect(port);
        target.on('error', () => undefined);
        void closed.then(() => target.destroy());
        inputs[index]?.pipe(target);
        const output = sink(index * 2, io);
        output.on('error', () => undefined);
        target.pipe(output, { end: false });
        await new Promise<void>((resolve) => target.once('close', () => resolve()));
        await Promise.race([flushed(output), closed]);
      } catch (error) {
        await io.send(index * 2 + 1, Buffer.from(failure(port, error))).catch(() => undefined);
      }
    }),
  );
  socket.close(1000);
}

/** The bytes of a WebSocket as one stream. */
export function websocketDuplex(socket: WebSocket): Duplex {
  const duplex = new DuplexStream({
    read: () => socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      socket.send(chunk, { binary: true }, (error) => done(error ?? null));
    },
    final(done) {
      socket.close(1000);
      done();
    },
    destroy(error, done) {
      socket.terminate();
      done(error);
    },
  });
  socket.on('message', (message: Buffer) => {
    if (!duplex.push(message)) socket.pause();
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    duplex.push(null);
    duplex.destroy();
  });
  return duplex;
}
