import { constants, createInflate, type Inflate } from 'node:zlib';
import { spdyDictionary } from './spdy-dictionary.ts';

/** A frame of SPDY/3.1, as far as Kubernetes uses it. */
export type SpdyFrame =
  | {
      readonly type: 'syn-stream';
      readonly id: number;
      readonly fin: boolean;
      readonly headers: ReadonlyMap<string, string>;
    }
  | { readonly type: 'syn-reply'; readonly id: number; readonly fin: boolean }
  | { readonly type: 'data'; readonly id: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly type: 'rst-stream'; readonly id: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway' }
  | { readonly type: 'other' };

const maxFrame = 16 * 1024 * 1024;
const control = 0x80030000;

const readHeaders = (block: Buffer): ReadonlyMap<string, string> => {
  const headers = new Map<string, string>();
  let at = 4;
  const text = (): string => {
    const length = block.readUInt32BE(at);
    at += 4 + length;
    return block.toString('utf8', at - length, at);
  };
  for (let left = block.readUInt32BE(0); left > 0; left--) {
    const name = text();
    headers.set(name.toLowerCase(), text());
  }
  return headers;
};

/** Reads frames from chunks of bytes. Feed chunks one after another, awaiting each. */
export interface SpdyDecoder {
  /** Rejects when the bytes are no SPDY. */
  feed(chunk: Buffer): Promise<readonly SpdyFrame[]>;
  close(): void;
}

export function spdyDecoder(): SpdyDecoder {
  let rest: Buffer = Buffer.alloc(0);
  let inflate: Inflate | undefined;
  const expand = (block: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      inflate ??= createInflate({ dictionary: spdyDictionary, finishFlush: constants.Z_SYNC_FLUSH });
      const stream = inflate;
      const out: Buffer[] = [];
      const onData = (data: Buffer): void => void out.push(data);
      stream.on('data', onData);
      stream.once('error', reject);
      stream.write(block, () =>
        setImmediate(() => {
          stream.off('data', onData);
          stream.off('error', reject);
          resolve(Buffer.concat(out));
        }),
      );
    });
  const decode = async (head: number, flags: number, body: Buffer): Promise<SpdyFrame> => {
    if (head < 0x80000000) return { type: 'data', id: head, fin: (flags & 1) !== 0, data: body };
    const version = (head >>> 16) & 0x7fff;
    if (version !== 3) throw new Error(`unsupported SPDY version ${version}`);
    const fin = (flags & 1) !== 0;
    switch (head & 0xffff) {
      case 1: {
        const id = body.readUInt32BE(0) & 0x7fffffff;
        return { type: 'syn-stream', id, fin, headers: readHeaders(await expand(body.subarray(10))) };
      }
      case 2: {
        // Its headers say nothing, but they are part of the one compressed stream.
        await expand(body.subarray(4));
        return { type: 'syn-reply', id: body.readUInt32BE(0) & 0x7fffffff, fin };
      }
      case 3:
        return { type: 'rst-stream', id: body.readUInt32BE(0) & 0x7fffffff, status: body.readUInt32BE(4) };
      case 6:
        return { type: 'ping', id: body.readUInt32BE(0) };
      case 7:
        return { type: 'goaway' };
      case 8:
        await expand(body.subarray(4));
        return { type: 'other' };
      default:
        return { type: 'other' };
    }
  };
  return {
    async feed(chunk) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const frames: SpdyFrame[] = [];
      while (rest.length >= 8) {
        const word = rest.readUInt32BE(4);
        const length = word & 0xffffff;
        if (length > maxFrame) throw new Error(`SPDY frame of ${length} bytes`);
        if (rest.length < 8 + length) break;
        const body = rest.subarray(8, 8 + length);
        const head = rest.readUInt32BE(0);
        rest = rest.subarray(8 + length);
        frames.push(await decode(head, word >>> 24, body));
      }
      return frames;
    },
    close() {
      inflate?.destroy();
    },
  };
}

const frame = (head: number, flags: number, ...parts: readonly Buffer[]): Buffer => {
  const length = parts.reduce((sum, it) => sum + it.length, 0);
  const start = Buffer.alloc(8);
  start.writeUInt32BE(head >>> 0, 0);
  start.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return Buffer.concat([start, ...parts]);
};

const number = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0);
  return out;
};

/** Writes frames. One for each direction of a connection, since headers share one compressed stream. */
export interface SpdyEncoder {
  synStream(id: number, headers: ReadonlyMap<string, string>, fin?: boolean): Buffer;
  synReply(id: number): Buffer;
  data(id: number, data: Buffer, fin?: boolean): Buffer;
  rstStream(id: number, status: number): Buffer;
  ping(id: number): Buffer;
  goAway(): Buffer;
}

export function spdyEncoder(): SpdyEncoder {
  let first = true;
  // Stored deflate blocks: a valid compressed stream that needs no compressor, and so no waiting.
  const compress = (block: Buffer): Buffer => {
    const parts: Buffer[] = [];
    if (first) parts.push(Buffer.from([0x78, 0x20, 0xe3, 0xc6, 0xa7, 0xc2]));
    first = false;
    for (let at = 0; at === 0 || at < block.length; at += 0xffff) {
      const piece = block.subarray(at, at + 0xffff);
      const head = Buffer.alloc(5);
      head.writeUInt16LE(piece.length, 1);
      head.writeUInt16LE(~piece.length & 0xffff, 3);
      parts.push(head, piece);
    }
    // An empty block: only at one does Go's reader hand over what it has (compress/flate dataBlock).
    parts.push(Buffer.from([0, 0, 0, 0xff, 0xff]));
    return Buffer.concat(parts);
  };
  const headerBlock = (headers: ReadonlyMap<string, string>): Buffer => {
    const parts = [number(headers.size)];
    for (const [name, value] of headers)
      for (const text of [name, value]) {
        const bytes = Buffer.from(text);
        parts.push(number(bytes.length), bytes);
      }
    return compress(Buffer.concat(parts));
  };
  return {
    synStream: (id, headers, fin = false) =>
      frame(control + 1, fin ? 1 : 0, number(id), number(0), Buffer.alloc(2), headerBlock(headers)),
    synReply: (id) => frame(control + 2, 0, number(id), headerBlock(new Map())),
    data: (id, data, fin = false) => frame(id & 0x7fffffff, fin ? 1 : 0, data),
    rstStream: (id, status) => frame(control + 3, 0, number(id), number(status)),
    ping: (id) => frame(control + 6, 0, number(id)),
    goAway: () => frame(control + 7, 0, number(0), number(0)),
  };
}
