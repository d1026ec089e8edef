import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { spdyDictionary } from './dictionary.ts';

export type Headers = Readonly<Record<string, string>>;

/** A header block before compression: count, then length and text of each name and value, all 32-bit big-endian. */
export function encodeHeaders(headers: Headers): Buffer {
  const parts: Buffer[] = [];
  const number = (value: number): void => {
    const out = Buffer.alloc(4);
    out.writeUInt32BE(value);
    parts.push(out);
  };
  const entries = Object.entries(headers);
  number(entries.length);
  for (const pair of entries) {
    for (const text of [pair[0].toLowerCase(), pair[1]]) {
      const bytes = Buffer.from(text);
      number(bytes.length);
      parts.push(bytes);
    }
  }
  return Buffer.concat(parts);
}

export function decodeHeaders(block: Buffer): Headers {
  const headers: Record<string, string> = {};
  let at = 4;
  const text = (): string => {
    const length = block.readUInt32BE(at);
    at += 4 + length;
    return block.toString('utf8', at - length, at);
  };
  for (let left = block.readUInt32BE(0); left > 0; left--) {
    const name = text();
    headers[name.toLowerCase()] = text();
  }
  return headers;
}

/**
 * One direction's zlib stream: all header blocks of a session share it, so they must be worked in order. `run` resolves in the order of
 * the calls.
 */
function zlibInTurn(
  stream: Deflate | Inflate,
  afterWrite: (done: () => void) => void,
): (input: Buffer) => Promise<Buffer> {
  let out: Buffer[] = [];
  let failed: Error | undefined;
  stream.on('data', (chunk: Buffer) => out.push(chunk));
  stream.on('error', (error) => {
    failed = error;
  });
  let turn: Promise<unknown> = Promise.resolve();
  return (input) => {
    const mine = turn.then(() =>
      new Promise<Buffer>((resolve, reject) => {
        const finish = (): void => {
          const result = Buffer.concat(out);
          out = [];
          if (failed) reject(failed);
          else resolve(result);
        };
        stream.once('error', reject);
        stream.write(input, () => afterWrite(finish));
      }).finally(() => stream.removeAllListeners('error').on('error', () => undefined)),
    );
    turn = mine.catch(() => undefined);
    return mine;
  };
}

export interface HeaderCodec {
  compress(headers: Headers): Promise<Buffer>;
  decompress(block: Buffer): Promise<Headers>;
  close(): void;
}

/** The header compression of one session. */
export function headerCodec(): HeaderCodec {
  const deflate = createDeflate({ dictionary: spdyDictionary });
  const inflate = createInflate({ dictionary: spdyDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  const compress = zlibInTurn(deflate, (done) => deflate.flush(constants.Z_SYNC_FLUSH, done));
  const decompress = zlibInTurn(inflate, (done) => inflate.flush(constants.Z_SYNC_FLUSH, done));
  return {
    compress: (headers) => compress(encodeHeaders(headers)),
    decompress: async (block) => decodeHeaders(await decompress(block)),
    close() {
      deflate.close();
      inflate.close();
    },
  };
}
