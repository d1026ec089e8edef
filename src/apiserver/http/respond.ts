import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { KubeObject, Live, ObjectList, Resource } from '../../api/resource.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { defined } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { isCustom } from '../storage/keys.ts';
import { metadataOffset, wireBytes, wireHas, wireJson, wireSize } from '../storage/wire.ts';
import type { Incoming } from './body.ts';
import { type Format, protobufType } from './negotiate.ts';
import { encodeProtobuf, encodeProtobufList } from './protobuf/encode.ts';

export type Outgoing = ServerResponse | Http2ServerResponse;

/** Answers from this size on are compressed for clients that can read it (defaultGzipThresholdBytes). */
const gzipFrom = 128 * 1024;
const compress = promisify(gzip);

/** Headers every answer carries, and what the request adds. */
export interface Answer {
  readonly request: Incoming;
  readonly response: Outgoing;
  readonly auditId: string;
  readonly warnings: readonly string[];
  readonly pretty: boolean;
}

type Headers = Record<string, string | number | string[]>;

/** Writes one answer with one write: at once, but for large ones that are compressed first. */
export function send(
  answer: Answer,
  code: number,
  contentType: string,
  body: Buffer | string,
): Promise<void> | undefined {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (bytes.length > gzipFrom && acceptsGzip(answer.request)) return sendCompressed(answer, code, contentType, bytes);
  write(answer, code, headersOf(answer, contentType), bytes);
  return undefined;
}

async function sendCompressed(answer: Answer, code: number, contentType: string, bytes: Buffer): Promise<void> {
  const headers = headersOf(answer, contentType);
  headers['Content-Encoding'] = 'gzip';
  headers['Vary'] = 'Accept-Encoding';
  write(answer, code, headers, await compress(bytes, { level: 1 }));
}

function headersOf(answer: Answer, contentType: string): Headers {
  const headers: Headers = {
    'Audit-Id': answer.auditId,
    'Cache-Control': 'no-cache, private',
    'Content-Type': contentType,
  };
  if (answer.warnings.length > 0) headers['Warning'] = answer.warnings.map(warningHeader);
  return headers;
}

function write({ request, response }: Answer, code: number, headers: Headers, bytes: Buffer): void {
  if (response.destroyed || response.writableEnded) return;
  headers['Content-Length'] = bytes.length;
  response.writeHead(code, headers);
  if (request.method === 'HEAD') response.end();
  else response.end(bytes);
}

/** How long a client may leave an answer unread before its connection is cut. */
const drainMs = 30_000;

/** Resolves true when the response takes more, false when the client is gone or has read nothing for 30 seconds. */
export function drained(response: Outgoing, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (result: boolean): void => {
      timer.cancel();
      response.off('drain', onDrain);
      response.off('close', onClose);
      resolve(result);
    };
    const onDrain = (): void => settle(true);
    const onClose = (): void => settle(false);
    const timer = clock.after(drainMs, () => settle(false), { background: true });
    response.on('drain', onDrain);
    response.on('close', onClose);
  });
}

/** Writes; false when the client should be waited for. */
export const writePiece = (response: Outgoing, piece: Buffer): boolean => {
  // The two kinds of response declare write apart.
  const { write: put } = response as { write(chunk: Buffer): boolean };
  return put.call(response, piece);
};

/** Writes a long answer piece by piece as the client reads it, so that neither memory nor other requests suffer. */
export async function sendPieces(
  answer: Answer,
  contentType: string,
  body: { readonly size: number; readonly pieces: () => Iterable<Buffer> },
  clock: Clock,
): Promise<void> {
  const { request, response } = answer;
  if (body.size <= pieceBytes || acceptsGzip(request)) {
    return send(answer, 200, contentType, Buffer.concat([...body.pieces()], body.size));
  }
  if (response.destroyed || response.writableEnded) return;
  const headers = headersOf(answer, contentType);
  headers['Content-Length'] = body.size;
  response.writeHead(200, headers);
  if (request.method !== 'HEAD') {
    for (const piece of body.pieces()) {
      if (response.destroyed) return;
      if (writePiece(response, piece)) continue;
      if (!(await drained(response, clock))) {
        response.destroy();
        return;
      }
    }
  }
  response.end();
}

const acceptsGzip = (request: Incoming): boolean => {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && /(^|[,\s])gzip([,;\s]|$)/.test(accepted);
};

/** RFC 7234 warning, code 299, quoted. */
const warningHeader = (text: string): string =>
  `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, (char) => (char === '\n' ? ' ' : '?'))}"`;

/** The bytes of any object in this format; a promise where a library has to be loaded for it. */
export function encode(object: KubeObject | ObjectList, format: Format, pretty: boolean): Buffer | Promise<Buffer> {
  if (format.type === 'yaml') return encodeYaml(object);
  if (format.type === 'protobuf') {
    const bytes = 'items' in object ? encodeProtobufList(object as ObjectList) : encodeProtobuf(object as KubeObject);
    return defined(bytes, `no protobuf form of ${object.kind}`);
  }
  if (pretty) return Buffer.from(`${JSON.stringify(object, null, 2)}\n`);
  return wireBytes(object as KubeObject);
}

async function encodeYaml(object: object): Promise<Buffer> {
  const { stringify } = await import('yaml');
  return Buffer.from(stringify(object, { aliasDuplicateObjects: false }));
}

const mediaTypes = { json: 'application/json', yaml: 'application/yaml', protobuf: protobufType } as const;

export const contentTypeOf = (format: Format): string => {
  const base = mediaTypes[format.type];
  return format.as === 'discovery'
    ? `${base};g=apidiscovery.k8s.io;v=${format.version};as=APIGroupDiscoveryList`
    : base;
};

/** Bytes written at a time: enough that waiting for the client costs little, little enough that others get their turn. */
const pieceBytes = 1024 * 1024;

/**
 * A list in JSON, put together from the bytes that its items have already. Items of built-in kinds go without kind and apiVersion, as
 * typed lists upstream do.
 */
export function encodeList(
  list: ObjectList,
  resource: Resource,
): { readonly size: number; readonly pieces: () => Iterable<Buffer> } {
  const { items, ...head } = list;
  const opening = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  // `{"kind":…,"apiVersion":…,` ends where `"metadata":{` begins.
  const skip = isCustom(resource) ? 0 : metadataOffset(resource.kind, apiVersionOf(resource)) - metadataKey.length;
  // Each item costs its bytes from its first field on, a brace before and a comma after.
  let size = opening.length + ending.length - (items.length > 0 ? 1 : 0);
  for (const item of items) size += wireSize(item) - itemStart(item, skip) + 2;
  return { size, pieces: () => listPieces(opening, items, skip) };
}

function* listPieces(opening: Buffer, items: readonly Live[], skip: number): Generator<Buffer> {
  let out = Buffer.allocUnsafe(pieceBytes);
  let at = opening.copy(out);
  for (let index = 0; index < items.length; index++) {
    const item = items[index] as Live;
    const json = wireJson(item);
    const from = itemStart(item, skip);
    const needed = json.size - from + 2;
    if (at + needed + ending.length > out.length) {
      yield out.subarray(0, at);
      out = Buffer.allocUnsafe(Math.max(pieceBytes, needed + ending.length));
      at = 0;
    }
    if (index > 0) out[at++] = comma;
    out[at++] = brace;
    at = json.copy(out, at, from);
  }
  ending.copy(out, at);
  yield out.subarray(0, at + ending.length);
}

const comma = 0x2c;
const brace = 0x7b;
const ending = Buffer.from(']}');
const metadataKey = Buffer.from('"metadata":{');

/** Where an item's first field begins: at `metadata` where kind and apiVersion before it are left out. */
const itemStart = (item: Live, skip: number): number => (skip > 0 && wireHas(item, metadataKey, skip) ? skip : 1);

/** One frame of a watch. */
export function watchFrame(type: string, object: Live | KubeObject): Buffer {
  const json = wireJson(object);
  const head = `{"type":"${type}","object":`;
  const out = Buffer.allocUnsafe(head.length + json.size + 2);
  out.write(head, 0, 'latin1');
  const end = json.copy(out, head.length, 0);
  out.write('}\n', end, 'latin1');
  return out;
}
