import { Duplex } from 'node:stream';
import { spdyDecoder, spdyEncoder } from './spdy-codec.ts';

/** One stream of a SPDY connection. Ending it sends FIN; reading it ends at the peer's FIN. */
export interface SpdyStream {
  readonly id: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly duplex: Duplex;
}

export interface SpdyConnection {
  /** Opens a stream from this side. */
  open(headers: Readonly<Record<string, string>>, fin?: boolean): SpdyStream;
  /** Sends what is waiting, says good-bye and ends the socket. */
  close(): Promise<void>;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
}

const readBuffer = 1024 * 1024;
const maxStreams = 1000;
/** Data frames stay below this, so that streams take turns. */
const pieceSize = 32 * 1024;

/**
 * SPDY/3.1 as Kubernetes speaks it, over any duplex. Each new stream is answered at once and handed to `onStream` before anything
 * else happens. Window updates are neither sent nor heeded, as by kubectl; a reader that does not read holds the connection up.
 */
export function spdyConnection(
  socket: Duplex,
  side: 'server' | 'client',
  onStream: (stream: SpdyStream) => void,
): SpdyConnection {
  const decoder = spdyDecoder();
  const encoder = spdyEncoder();
  const streams = new Map<
    number,
    { stream: SpdyStream; room: (() => void) | undefined; endedBySelf: boolean; endedByPeer: boolean }
  >();
  let nextId = side === 'client' ? 1 : 2;
  let ended = false;
  let finish: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    finish = resolve;
  });

  const send = (bytes: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      if (ended || socket.destroyed) return reject(new Error('the connection is closed'));
      socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  const quietly = (bytes: Buffer): void => void send(bytes).catch(() => undefined);

  const settle = (id: number): void => {
    const it = streams.get(id);
    if (it?.endedBySelf && it.endedByPeer) streams.delete(id);
  };

  const make = (id: number, headers: ReadonlyMap<string, string>, peerEnded: boolean): SpdyStream => {
    const duplex = new Duplex({
      allowHalfOpen: true,
      readableHighWaterMark: readBuffer,
      writableHighWaterMark: 256 * 1024,
      read() {
        const it = streams.get(id);
        const room = it?.room;
        if (it) it.room = undefined;
        room?.();
      },
      write(chunk: Buffer, _encoding, done) {
        const pieces: Promise<void>[] = [];
        for (let at = 0; at < chunk.length; at += pieceSize)
          pieces.push(send(encoder.data(id, chunk.subarray(at, at + pieceSize))));
        Promise.all(pieces).then(
          () => done(),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      },
      final(done) {
        const it = streams.get(id);
        if (it) it.endedBySelf = true;
        send(encoder.data(id, Buffer.alloc(0), true)).then(
          () => {
            settle(id);
            done();
          },
          () => done(),
        );
      },
      destroy(error, done) {
        const it = streams.get(id);
        if (it && !(it.endedBySelf && it.endedByPeer)) {
          if (!ended) quietly(encoder.rstStream(id, 5));
          streams.delete(id);
          it.room?.();
        }
        done(error);
      },
    });
    // A broken stream is its user's to notice; without a listener it would end the process.
    duplex.on('error', () => undefined);
    const stream = { id, headers, duplex };
    streams.set(id, { stream, room: undefined, endedBySelf: false, endedByPeer: peerEnded });
    if (peerEnded) duplex.push(null);
    return stream;
  };

  const receive = async (): Promise<void> => {
    for await (const chunk of socket) {
      for (const frame of await decoder.feed(chunk as Buffer)) {
        switch (frame.type) {
          case 'syn-stream': {
            if (streams.size >= maxStreams) {
              quietly(encoder.rstStream(frame.id, 3));
              break;
            }
            const stream = make(frame.id, frame.headers, frame.fin);
            quietly(encoder.synReply(frame.id));
            onStream(stream);
            break;
          }
          case 'data': {
            const it = streams.get(frame.id);
            if (!it) break;
            if (frame.data.length > 0 && !it.stream.duplex.push(frame.data) && !it.stream.duplex.destroyed && !ended)
              await new Promise<void>((resolve) => {
                it.room = resolve;
              });
            if (frame.fin && !it.endedByPeer) {
              it.endedByPeer = true;
              it.stream.duplex.push(null);
              settle(frame.id);
            }
            break;
          }
          case 'syn-reply': {
            const it = streams.get(frame.id);
            if (it && frame.fin && !it.endedByPeer) {
              it.endedByPeer = true;
              it.stream.duplex.push(null);
            }
            break;
          }
          case 'rst-stream':
            streams.get(frame.id)?.stream.duplex.destroy();
            streams.delete(frame.id);
            break;
          case 'ping':
            if ((frame.id % 2 === 1) === (side === 'server')) quietly(encoder.ping(frame.id));
            break;
          case 'goaway':
          case 'other':
            break;
        }
      }
    }
  };

  const drop = (): void => {
    ended = true;
    decoder.close();
    for (const { stream, room, endedByPeer } of streams.values()) {
      room?.();
      // What a peer has sent in full may still be read.
      if (!endedByPeer) stream.duplex.destroy();
    }
    streams.clear();
    finish();
  };
  socket.on('error', () => undefined);
  socket.once('close', () => {
    // What has been read but not yet taken apart still counts: the reader below ends by itself.
    ended = true;
    for (const it of streams.values()) it.room?.();
  });
  void receive().then(
    () => {
      socket.destroy();
      drop();
    },
    () => {
      socket.destroy();
      drop();
    },
  );

  return {
    closed,
    open(headers, fin = false) {
      const id = nextId;
      nextId += 2;
      const map = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
      quietly(encoder.synStream(id, map, fin));
      return make(id, map, false);
    },
    async close() {
      if (ended) return;
      await send(encoder.goAway()).catch(() => undefined);
      ended = true;
      socket.end();
      await closed;
    },
  };
}
