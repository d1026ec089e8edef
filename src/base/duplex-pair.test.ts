import { createServer, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { duplexPair } from './duplex-pair.ts';

describe('duplexPair', () => {
  it('carries bytes both ways, each side ending by itself', async () => {
    const [a, b] = duplexPair();
    const all = (side: Duplex): Promise<string> =>
      new Promise((resolve) => {
        let got = '';
        side.on('data', (chunk: Buffer) => {
          got += chunk.toString();
        });
        side.once('end', () => resolve(got));
      });
    a.end('ping');
    expect(await all(b)).toBe('ping');
    b.end('pong');
    expect(await all(a)).toBe('pong');
  });

  it('holds a fast writer back', async () => {
    const [a, b] = duplexPair();
    let accepted = 0;
    for (let i = 0; i < 100 && a.write(Buffer.alloc(16_384)); i++) accepted += 1;
    expect(accepted).toBeLessThan(20);
    let read = 0;
    b.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    a.end();
    await new Promise((resolve) => b.once('end', resolve));
    expect(read).toBe((accepted + 1) * 16_384);
  });

  it('shows a destroyed end to its peer', async () => {
    const [a, b] = duplexPair();
    const closed = new Promise((resolve) => b.once('close', resolve));
    b.resume();
    a.destroy();
    await closed;
    expect(b.destroyed).toBe(true);
  });

  it('serves HTTP without a network', async () => {
    const server = createServer((incoming, response) => response.end(`you asked for ${incoming.url}`));
    const answer = await new Promise<string>((resolve, reject) => {
      const call = request({
        path: '/pods',
        createConnection: () => {
          const [client, service] = duplexPair();
          server.emit('connection', service);
          return client;
        },
      });
      call.on('response', (response) => resolve(text(response)));
      call.on('error', reject);
      call.end();
    });
    expect(answer).toBe('you asked for /pods');
  });
});
