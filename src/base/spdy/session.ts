import { Duplex } from 'node:stream';
import {
  dataHead,
  type Frame,
  frameParser,
  goawayFrame,
  pingFrame,
  rstStreamFrame,
  synReplyFrame,
  synStreamFrame,
} from './frames.ts';
import { type HeaderCodec, type Headers, headerCodec } from './headers.ts';

/** One stream of a session: ending the writable side sends FIN; the peer's FIN ends the readable side. */
export interface SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  /** Refuses or aborts the stream. */
  reset(): void;
}

export interface SpdySession {
  /** Opens a stream of our own. */
  open(headers: Headers): Promise<SpdyStream>;
  /** Ends the connection after what was written. */
  close(): void;
  /** Settles when the connection has ended. */
  readonly closed: Promise<void>;
}

/** At most this many streams at a time; kubectl port-forward opens two a connection. */
const streamLimit = 1000;
const maxData = 2 ** 24 - 1;
const protocolError = 1;
const refused = 3;
const cancelled = 5;

/**
 * A SPDY/3.1 session over an upgraded connection. Without flow control, as Kubernetes' own peers: back-pressure is the
 * connection's. `onStream` must attach its handlers before it awaits anything.
 */
export function spdySession(
  socket: Duplex,
  role: 'client' | 'server',
  onStream: (stream: SpdyStream) => void,
): SpdySession {
  const codec: HeaderCodec = headerCodec();
  const streams = new Map<number, SpdyStream>();
  let next = role === 'client' ? 1 : 2;
  let settleClosed: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    settleClosed = resolve;
  });
  /** Frames are worked one after the other, because header blocks inflate asynchronously. */
  let turn: Promise<void> = Promise.resolve();

  /** A stream that is over asks for nothing more: the others must not wait for it. */
  const resume = (): void => {
    if (socket.isPaused()) socket.resume();
  };

  const makeStream = (id: number, headers: Headers): SpdyStream => {
    let finSent = false;
    let finSeen = false;
    const settle = (): void => {
      if (finSent && finSeen) streams.delete(id);
    };
    const stream = Object.assign(
      new Duplex({
        allowHalfOpen: true,
        read: resume,
        write(chunk: Buffer, _encoding, done) {
          let wrote = true;
          for (let at = 0; at < chunk.length; at += maxData) {
            const part = chunk.subarray(at, at + maxData);
            socket.write(dataHead(id, false, part.length));
            wrote = socket.write(part);
          }
          if (wrote) done();
          else socket.once('drain', () => done());
        },
        final(done) {
          finSent = true;
          if (!socket.destroyed) socket.write(dataHead(id, true, 0));
          settle();
          done();
        },
        destroy(error, done) {
          if (!(finSent && finSeen) && !socket.destroyed) socket.write(rstStreamFrame(id, cancelled));
          streams.delete(id);
          resume();
          done(error);
        },
      }),
      { id, headers, reset: () => stream.destroy() },
    ) as unknown as SpdyStream;
    stream.on('end', () => {
      finSeen = true;
      settle();
    });
    // A peer that resets a stream is no error of ours; whoever reads it sees it closed.
    stream.on('error', () => undefined);
    streams.set(id, stream);
    return stream;
  };

  const ended = new WeakSet<SpdyStream>();
  /** The peer will send no more on this stream. */
  const endReadable = (stream: SpdyStream | undefined): void => {
    if (!stream || ended.has(stream) || stream.destroyed) return;
    ended.add(stream);
    stream.push(null);
    resume();
  };

  /** Over in both directions; what has arrived can still be read (peers reset streams as soon as they have sent all). */
  const finish = (stream: SpdyStream): void => {
    streams.delete(stream.id);
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => stream.destroy());
    endReadable(stream);
  };

  const accept = async (frame: Extract<Frame, { type: 'syn-stream' }>): Promise<void> => {
    const headers = await codec.decompress(frame.headerBlock);
    if (streams.size >= streamLimit) {
      socket.write(rstStreamFrame(frame.stream, refused));
      return;
    }
    const stream = makeStream(frame.stream, headers);
    const reply = await codec.compress({});
    socket.write(synReplyFrame(frame.stream, reply));
    onStream(stream);
    if (frame.fin) endReadable(stream);
  };

  const work = async (frame: Frame): Promise<void> => {
    switch (frame.type) {
      case 'data': {
        const stream = streams.get(frame.stream);
        if (!stream || stream.destroyed || ended.has(stream)) break;
        if (frame.data.length > 0 && !stream.push(frame.data)) socket.pause();
        if (frame.fin) endReadable(stream);
        break;
      }
      case 'syn-stream':
        await accept(frame);
        break;
      case 'syn-reply':
      case 'headers':
        // Inflated even when nobody wants it: the next block builds on this one.
        await codec.decompress(frame.headerBlock);
        if (frame.fin) endReadable(streams.get(frame.stream));
        break;
      case 'rst-stream': {
        const stream = streams.get(frame.stream);
        if (stream) finish(stream);
        break;
      }
      case 'ping':
        // Odd identifiers are the client's, even ones the server's: only those of the peer are answered.
        if (frame.id % 2 === (role === 'server' ? 1 : 0)) socket.write(pingFrame(frame.id));
        break;
      case 'goaway':
      case 'ignored':
        break;
    }
  };

  const parse = frameParser((frame) => {
    turn = turn.then(() => work(frame)).catch((error: Error) => void socket.destroy(error));
  });
  socket.on('data', (chunk: Buffer) => {
    try {
      parse(chunk);
    } catch (error) {
      socket.write(rstStreamFrame(0, protocolError));
      socket.destroy(error instanceof Error ? error : undefined);
    }
  });
  const end = (): void => {
    void turn.then(() => {
      for (const stream of [...streams.values()]) {
        finish(stream);
      }
      codec.close();
      settleClosed();
    });
  };
  socket.once('close', end);
  socket.once('end', () => socket.end());
  socket.on('error', () => socket.destroy());

  return {
    async open(headers) {
      const id = next;
      next += 2;
      const stream = makeStream(id, headers);
      socket.write(synStreamFrame(id, await codec.compress(headers)));
      return stream;
    },
    close() {
      if (!socket.destroyed) socket.end(goawayFrame(0));
    },
    closed,
  };
}
