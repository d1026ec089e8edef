/**
 * What the API server is measured against: a bare Node server with the same TLS settings that does nothing but move bytes. It answers
 * `GET /bytes/N` with N bytes, parses and writes back the JSON of a POST, and repeats a POST to every open `GET /watch`.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

const [keyFile = '', certFile = '', caFile = ''] = process.argv.slice(2);
const watchers = new Set<ServerResponse>();
const bodies = new Map<number, Buffer>();

function bytesOf(size: number): Buffer {
  const known = bodies.get(size);
  if (known) return known;
  const made = Buffer.alloc(size, 'x');
  bodies.set(size, made);
  return made;
}

function answer(response: ServerResponse, code: number, body: Buffer): void {
  response.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'GET') {
    if (request.url !== '/watch') {
      answer(response, 200, bytesOf(Number(request.url?.split('/')[2] ?? 0)));
      return;
    }
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    watchers.add(response);
    response.on('close', () => watchers.delete(response));
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.from(JSON.stringify(JSON.parse(Buffer.concat(chunks).toString())));
    if (watchers.size > 0) {
      const frame = Buffer.concat([Buffer.from('{"type":"ADDED","object":'), body, Buffer.from('}\n')]);
      for (const watcher of watchers) watcher.write(frame);
    }
    answer(response, 201, body);
  });
}

const server = createSecureServer({
  key: readFileSync(keyFile),
  cert: readFileSync(certFile),
  ca: readFileSync(caFile),
  allowHTTP1: true,
  requestCert: true,
  rejectUnauthorized: false,
});
server.on('request', (request, response) => serve(request as never, response as never));
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`));
