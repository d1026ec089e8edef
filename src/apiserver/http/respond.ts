import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { KubeObject, Live, ObjectList, Resource } from '../../api/resource.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { isCustom } from '../storage/keys.ts';
import { metadataOffset, wireBytes } from '../storage/wire.ts';
import type { Incoming } from './body.ts';
import type { Format } from './negotiate.ts';

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

/** Writes one answer with one write. */
export async function send(answer: Answer, code: number, contentType: string, body: Buffer | string): Promise<void> {
  const { request, response } = answer;
  let bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const headers: Record<string, string | number | string[]> = {
    'Audit-Id': answer.auditId,
    'Cache-Control': 'no-cache, private',
    'Content-Type': contentType,
  };
  if (answer.warnings.length > 0) headers['Warning'] = answer.warnings.map(warningHeader);
  if (bytes.length > gzipFrom && acceptsGzip(request)) {
    bytes = await compress(bytes, { level: 1 });
    headers['Content-Encoding'] = 'gzip';
    headers['Vary'] = 'Accept-Encoding';
  }
  if (response.destroyed || response.writableEnded) return;
  headers['Content-Length'] = bytes.length;
  response.writeHead(code, headers);
  if (request.method === 'HEAD') response.end();
  else response.end(bytes);
}

const acceptsGzip = (request: Incoming): boolean => {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && /(^|[,\s])gzip([,;\s]|$)/.test(accepted);
};

/** RFC 7234 warning, code 299, quoted. */
const warningHeader = (text: string): string =>
  `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, (char) => (char === '\n' ? ' ' : '?'))}"`;

/** The bytes of any object in this format. */
export async function encode(object: KubeObject | ObjectList, format: Format, pretty: boolean): Promise<Buffer> {
  if (format.type === 'yaml') {
    const { stringify } = await import('yaml');
    return Buffer.from(stringify(object, { aliasDuplicateObjects: false }));
  }
  if (pretty) return Buffer.from(`${JSON.stringify(object, null, 2)}\n`);
  return wireBytes(object as KubeObject);
}

export const contentTypeOf = (format: Format): string => {
  const base = format.type === 'yaml' ? 'application/yaml' : 'application/json';
  return format.as === 'discovery'
    ? `${base};g=apidiscovery.k8s.io;v=${format.version};as=APIGroupDiscoveryList`
    : base;
};

/**
 * A list in JSON, put together from the bytes that its items have already. Items of built-in kinds go without kind and apiVersion, as
 * typed lists upstream do.
 */
export function encodeList(list: ObjectList, resource: Resource): Buffer {
  const { items, ...head } = list;
  const opening = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  const prefix = metadataOffset(resource.kind, apiVersionOf(resource));
  const bare = !isCustom(resource);
  // `{"kind":…,"apiVersion":…,` ends where `"metadata":{` begins.
  const skip = prefix - '"metadata":{'.length;
  const parts: Buffer[] = [];
  let size = opening.length + 2;
  for (const item of items) {
    const bytes = wireBytes(item);
    const part = bare && startsBare(bytes, skip) ? bytes.subarray(skip) : bytes.subarray(1);
    parts.push(part);
    size += part.length + 2;
  }
  const out = Buffer.allocUnsafe(Math.max(size - (items.length > 0 ? 1 : 0), opening.length + 2));
  let at = opening.copy(out);
  parts.forEach((part, index) => {
    if (index > 0) out[at++] = comma;
    out[at++] = brace;
    out.set(part, at);
    at += part.length;
  });
  out.write(']}', at, 'latin1');
  return out.subarray(0, at + 2);
}

const comma = 0x2c;
const brace = 0x7b;
const metadataKey = Buffer.from('"metadata":{');
const startsBare = (bytes: Buffer, skip: number): boolean =>
  bytes.compare(metadataKey, 0, metadataKey.length, skip, skip + metadataKey.length) === 0;

/** One frame of a watch. */
export function watchFrame(type: string, object: Live | KubeObject): Buffer {
  const bytes = wireBytes(object);
  const head = `{"type":"${type}","object":`;
  const out = Buffer.allocUnsafe(head.length + bytes.length + 2);
  out.write(head, 0, 'latin1');
  out.set(bytes, head.length);
  out.write('}\n', head.length + bytes.length, 'latin1');
  return out;
}
