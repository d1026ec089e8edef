import type { Duplex } from 'node:stream';
import { constants, createDeflate } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { duplexPair } from '../../base/duplex-pair.ts';
import { type SpdyFrame, spdyDecoder, spdyEncoder } from './spdy-codec.ts';
import { type SpdyStream, spdyConnection } from './spdy-connection.ts';
import { spdyDictionary } from './spdy-dictionary.ts';

/** All that comes, without closing the other half as an iterator would. */
const text = (stream: Duplex): Promise<string> =>
  new Promise((resolve) => {
    let out = '';
    stream.on('data', (chunk) => {
      out += String(chunk);
    });
    stream.once('end', () => resolve(out));
  });

describe('spdy codec', () => {
  it('reads what it writes, in whatever pieces it comes', async () => {
    const encoder = spdyEncoder();
    const bytes = Buffer.concat([
      encoder.synStream(1, new Map([['streamtype', 'error']])),
      encoder.synStream(
        3,
        new Map([
          ['streamtype', 'stdin'],
          ['port', '80'],
        ]),
      ),
      encoder.synReply(1),
      encoder.data(3, Buffer.from('hello')),
      encoder.data(3, Buffer.alloc(0), true),
      encoder.ping(7),
      encoder.rstStream(1, 5),
      encoder.goAway(),
    ]);
    for (const size of [1, 3, 1000]) {
      const decoder = spdyDecoder();
      const frames: SpdyFrame[] = [];
      for (let at = 0; at < bytes.length; at += size)
        frames.push(...(await decoder.feed(bytes.subarray(at, at + size))));
      expect(frames.map((it) => it.type)).toEqual([
        'syn-stream',
        'syn-stream',
        'syn-reply',
        'data',
        'data',
        'ping',
        'rst-stream',
        'goaway',
      ]);
      expect(frames[1]).toMatchObject({
        id: 3,
        headers: new Map([
          ['streamtype', 'stdin'],
          ['port', '80'],
        ]),
      });
      expect(frames[4]).toMatchObject({ id: 3, fin: true });
      decoder.close();
    }
  });

  it('reads headers compressed as Go compresses them', async () => {
    const deflate = createDeflate({ dictionary: spdyDictionary, flush: constants.Z_SYNC_FLUSH });
    const compress = (block: Buffer): Promise<Buffer> =>
      new Promise((resolve) => {
        const out: Buffer[] = [];
        const onData = (data: Buffer): void => void out.push(data);
        deflate.on('data', onData);
        deflate.write(block);
        deflate.flush(constants.Z_SYNC_FLUSH, () => {
          deflate.off('data', onData);
          resolve(Buffer.concat(out));
        });
      });
    const decoder = spdyDecoder();
    for (const [id, type] of [
      [1, 'error'],
      [3, 'stdout'],
      [5, 'stdout'],
    ] as const) {
      const name = Buffer.from('Streamtype');
      const value = Buffer.from(type);
      const block = Buffer.alloc(12 + name.length + value.length);
      block.writeUInt32BE(1, 0);
      block.writeUInt32BE(name.length, 4);
      name.copy(block, 8);
      block.writeUInt32BE(value.length, 8 + name.length);
      value.copy(block, 12 + name.length);
      const packed = await compress(block);
      const head = Buffer.alloc(18);
      head.writeUInt32BE(0x80030001, 0);
      head.writeUInt32BE(packed.length + 10, 4);
      head.writeUInt32BE(id, 8);
      const frames = await decoder.feed(Buffer.concat([head, packed]));
      expect(frames).toEqual([{ type: 'syn-stream', id, fin: false, headers: new Map([['streamtype', type]]) }]);
    }
    decoder.close();
    deflate.destroy();
  });
});

describe('spdy connection', () => {
  it('carries streams both ways, with half-closed ends', async () => {
    const [left, right] = duplexPair();
    const got: SpdyStream[] = [];
    const server = spdyConnection(right, 'server', (stream) => {
      got.push(stream);
      void text(stream.duplex).then((said) => stream.duplex.end(`you said ${said}`));
    });
    const client = spdyConnection(left, 'client', () => undefined);
    const one = client.open({ StreamType: 'stdin' });
    const two = client.open({ streamType: 'other' });
    one.duplex.end('one');
    two.duplex.end('x'.repeat(300_000));
    expect(await text(one.duplex)).toBe('you said one');
    expect((await text(two.duplex)).length).toBe(300_009);
    expect(got.map((it) => it.headers.get('streamtype'))).toEqual(['stdin', 'other']);
    await client.close();
    await server.closed;
  });
});
