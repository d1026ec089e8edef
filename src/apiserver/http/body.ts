import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { type ParsedBody, parseJson, parseYaml } from '../../api/parse-body.ts';
import { badRequest, requestTooLarge, unsupportedMediaType } from '../../api/status.ts';

export type Incoming = IncomingMessage | Http2ServerRequest;

/** Reads the whole body. Throws RequestEntityTooLarge beyond `limit` bytes; the rest is then not read. */
export function readBody(request: Incoming, limit: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) return Promise.reject(requestTooLarge(`limit is ${limit}`));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        request.pause();
        reject(requestTooLarge(`limit is ${limit}`));
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('aborted', () => reject(badRequest('the request was aborted')));
  });
}

const essence = (contentType: string): string => (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();

const protobuf = 'application/vnd.kubernetes.protobuf';

/** Parses a body of a create, update or delete. Throws UnsupportedMediaType for anything but JSON, YAML and protobuf, and BadRequest. */
export async function parseBody(
  contentType: string | undefined,
  bytes: Buffer,
  findDuplicates: boolean,
  kind?: string,
): Promise<ParsedBody> {
  const type = contentType === undefined ? 'application/json' : essence(contentType);
  const options = { findDuplicates, ...(kind !== undefined && { kind }) };
  if (type === 'application/json' || type === '') return parseJson(bytes.toString('utf8'), options);
  if (type === 'application/yaml') return parseYaml(bytes.toString('utf8'), options);
  if (type === protobuf) return parseProtobuf(bytes, kind);
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${protobuf}`,
  );
}

async function parseProtobuf(bytes: Buffer, kind = 'object'): Promise<ParsedBody> {
  const { decodeProtobuf } = await import('./protobuf/decode.ts');
  const { ProtobufError } = await import('./protobuf/reader.ts');
  try {
    return { value: decodeProtobuf(bytes), duplicates: [] };
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${error.message}`);
  }
}

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const;

/** Parses the body of a PATCH by its content type. */
export function parsePatch(
  contentType: string | undefined,
  bytes: Buffer,
): { readonly type: (typeof patchTypes)[number]; readonly body: unknown; readonly duplicates: readonly string[] } {
  const sent = essence(contentType ?? '');
  const type = patchTypes.find((it) => it === sent);
  if (!type) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${patchTypes.join(', ')}`,
    );
  }
  const text = bytes.toString('utf8');
  const { value, duplicates } =
    type === 'application/apply-patch+yaml' ? parseYaml(text, { findDuplicates: true }) : parseJson(text);
  return { type, body: value, duplicates };
}
