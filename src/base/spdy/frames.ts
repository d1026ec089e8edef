/** SPDY/3.1 frames as Kubernetes' streaming endpoints use them (SPDY Protocol draft 3.1, section 2). */
export type Frame =
  | { readonly type: 'data'; readonly stream: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly type: 'syn-stream'; readonly stream: number; readonly fin: boolean; readonly headerBlock: Buffer }
  | { readonly type: 'syn-reply'; readonly stream: number; readonly fin: boolean; readonly headerBlock: Buffer }
  | { readonly type: 'headers'; readonly stream: number; readonly fin: boolean; readonly headerBlock: Buffer }
  | { readonly type: 'rst-stream'; readonly stream: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway' }
  /** SETTINGS, WINDOW_UPDATE and what else changes nothing here: Kubernetes' peers do no flow control. */
  | { readonly type: 'ignored' };

const FIN = 1;
const kinds = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goaway: 7, headers: 8 } as const;

function control(kind: number, flags: number, ...body: readonly Buffer[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(kind, 2);
  head.writeUInt32BE(flags * 2 ** 24 + length, 4);
  return Buffer.concat([head, ...body]);
}

const word = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};

export const synStreamFrame = (stream: number, headerBlock: Buffer): Buffer =>
  control(kinds.synStream, 0, word(stream), word(0), Buffer.alloc(2), headerBlock);
export const synReplyFrame = (stream: number, headerBlock: Buffer): Buffer =>
  control(kinds.synReply, 0, word(stream), headerBlock);
export const rstStreamFrame = (stream: number, status: number): Buffer =>
  control(kinds.rstStream, 0, word(stream), word(status));
export const pingFrame = (id: number): Buffer => control(kinds.ping, 0, word(id));
export const goawayFrame = (lastStream: number): Buffer => control(kinds.goaway, 0, word(lastStream), word(0));

/** The head of a data frame; the data follows it on the wire. */
export function dataHead(stream: number, fin: boolean, length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(stream, 0);
  head.writeUInt32BE((fin ? FIN : 0) * 2 ** 24 + length, 4);
  return head;
}

function parse(first: number, flags: number, body: Buffer): Frame {
  const fin = (flags & FIN) !== 0;
  if (first < 0x80000000) return { type: 'data', stream: first, fin, data: body };
  const kind = first & 0xffff;
  const stream = body.length >= 4 ? body.readUInt32BE(0) & 0x7fffffff : 0;
  switch (kind) {
    case kinds.synStream:
      return { type: 'syn-stream', stream, fin, headerBlock: body.subarray(10) };
    case kinds.synReply:
      return { type: 'syn-reply', stream, fin, headerBlock: body.subarray(4) };
    case kinds.headers:
      return { type: 'headers', stream, fin, headerBlock: body.subarray(4) };
    case kinds.rstStream:
      return { type: 'rst-stream', stream, status: body.length >= 8 ? body.readUInt32BE(4) : 0 };
    case kinds.ping:
      return { type: 'ping', id: body.length >= 4 ? body.readUInt32BE(0) : 0 };
    case kinds.goaway:
      return { type: 'goaway' };
    default:
      return { type: 'ignored' };
  }
}

/** Cuts a byte stream into frames. Throws when a control frame claims more than `limit` bytes. */
export function frameParser(onFrame: (frame: Frame) => void, limit = 1 << 20): (chunk: Buffer) => void {
  let waiting: Buffer[] = [];
  let size = 0;
  let wanted = 8;
  return (chunk) => {
    waiting.push(chunk);
    size += chunk.length;
    if (size < wanted) return;
    let bytes = waiting.length === 1 ? chunk : Buffer.concat(waiting);
    while (bytes.length >= 8) {
      const first = bytes.readUInt32BE(0);
      const flagsAndLength = bytes.readUInt32BE(4);
      const length = flagsAndLength & 0xffffff;
      if (length > limit && first >= 0x80000000) throw new Error(`SPDY control frame of ${length} bytes`);
      if (bytes.length < 8 + length) break;
      const body = bytes.subarray(8, 8 + length);
      bytes = bytes.subarray(8 + length);
      onFrame(parse(first, flagsAndLength >>> 24, body));
    }
    waiting = bytes.length > 0 ? [bytes] : [];
    size = bytes.length;
    wanted = bytes.length >= 8 ? 8 + (bytes.readUInt32BE(4) & 0xffffff) : 8;
  };
}
