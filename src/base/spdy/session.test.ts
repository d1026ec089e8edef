import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { constants, createDeflate } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { spdyDictionary } from './dictionary.ts';
import { encodeHeaders, headerCodec } from './headers.ts';
import { type SpdyStream, spdySession } from './session.ts';

/** Two ends of a connection in memory; chunks may be cut anywhere. */
function pair(cut: number): readonly [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        for (let at = 0; at < chunk.length; at += cut) other().push(Buffer.from(chunk.subarray(at, at + cut)));
        setImmediate(done);
      },
      final(done) {
        other().push(null);
        done();
      },
    });
  const a: Duplex = make(() => b);
  const b: Duplex = make(() => a);
  return [a, b];
}

describe.each([1, 7, 65_536])('a SPDY session over chunks of %i bytes', (cut) => {
  it('carries streams with their headers both ways and ends each side by itself', async () => {
    const [left, right] = pair(cut);
    const accepted: SpdyStream[] = [];
    spdySession(right, 'server', (stream) => {
      accepted.push(stream);
      if (stream.headers['streamtype'] === 'stdin') void text(stream).then((got) => accepted[0]?.end(`got ${got}`));
    });
    const client = spdySession(left, 'client', () => undefined);
    const stdout = await client.open({ streamType: 'stdout' });
    const stdin = await client.open({ streamType: 'stdin' });
    stdin.end('hello');
    expect(await text(stdout)).toBe('got hello');
    expect(accepted.map((stream) => stream.headers['streamtype'])).toEqual(['stdout', 'stdin']);
  });

  it('keeps data that arrived before the connection ended', async () => {
    const [left, right] = pair(cut);
    const server = spdySession(right, 'server', (stream) => {
      stream.write('last words');
      server.close();
    });
    const client = spdySession(left, 'client', () => undefined);
    const stream = await client.open({ streamtype: 'error' });
    expect(await text(stream)).toBe('last words');
    await client.closed;
  });
});

it('moves megabytes without loss', async () => {
  const [left, right] = pair(16_384);
  spdySession(right, 'server', (stream) => void stream.pipe(stream));
  const client = spdySession(left, 'client', () => undefined);
  const stream = await client.open({ streamtype: 'data' });
  const sent = Buffer.alloc(3_000_000, 'abcdefg');
  stream.end(sent);
  const got: Buffer[] = [];
  for await (const chunk of stream) got.push(chunk as Buffer);
  expect(Buffer.concat(got).equals(sent)).toBe(true);
});

it('gives up on bytes that are no SPDY', async () => {
  const [left, right] = pair(100);
  const server = spdySession(right, 'server', () => undefined);
  left.write(Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff, 1, 2, 3]));
  await server.closed;
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
  const codec = headerCodec();
  for (const type of ['error', 'stdout', 'stdout'])
    expect(await codec.decompress(await compress(encodeHeaders({ Streamtype: type })))).toEqual({ streamtype: type });
  codec.close();
  deflate.destroy();
});
