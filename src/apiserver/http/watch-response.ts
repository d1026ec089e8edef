import type { WatchEvent, WatchStream } from '../../api/handler.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { internalError, StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { KindDefinition } from '../../kinds/kind.ts';
import type { Format } from './negotiate.ts';
import { protobufFrame } from './protobuf/encode.ts';
import { contentTypeOf, drained, type Outgoing, watchFrame, writePiece } from './respond.ts';
import { type IncludeObject, partialOf, tableOf } from './table.ts';

/** Frames written in one piece, at most. */
const pieceBytes = 256 * 1024;

export interface WatchResponse {
  readonly kind: KindDefinition;
  readonly format: Format;
  readonly include: IncludeObject;
  readonly response: Outgoing;
  readonly auditId: string;
  readonly clock: Clock;
}

/** Batches that went to several watchers as they are, encoded once in each form. */
const encoded = {
  json: new WeakMap<readonly WatchEvent[], Buffer>(),
  protobuf: new WeakMap<readonly WatchEvent[], Buffer>(),
};

/** Streams a watch until either side ends it. A client that does not read is cut off. */
export async function streamWatch(watch: WatchResponse, stream: WatchStream, abort: () => void): Promise<void> {
  const { response, clock, format } = watch;
  response.writeHead(200, {
    'Audit-Id': watch.auditId,
    'Cache-Control': 'no-cache, private',
    'Content-Type': contentTypeOf(format) + (format.type === 'protobuf' ? ';stream=watch' : ''),
  });
  if ('flushHeaders' in response) response.flushHeaders();
  response.on('close', abort);
  const frames = framesOf(watch);
  for await (const batch of stream) {
    for (const piece of frames(batch)) {
      if (response.destroyed) return;
      if (writePiece(response, piece)) continue;
      if (!(await drained(response, clock))) {
        abort();
        response.destroy();
        return;
      }
    }
  }
  if (!response.destroyed) response.end();
}

/** Turns batches into pieces to write. */
function framesOf(watch: WatchResponse): (batch: readonly WatchEvent[]) => Iterable<Buffer> {
  const { type, as } = watch.format;
  const known = as === 'object' && type !== 'yaml' ? encoded[type] : undefined;
  const frame = frameMaker(watch);
  return (batch) => {
    if (!known || !Object.isFrozen(batch)) return pieces(batch, frame);
    let bytes = known.get(batch);
    if (!bytes) {
      bytes = Buffer.concat([...pieces(batch, frame)]);
      known.set(batch, bytes);
    }
    return [bytes];
  };
}

function* pieces(batch: readonly WatchEvent[], frame: (event: WatchEvent) => Buffer): Generator<Buffer> {
  let waiting: Buffer[] = [];
  let size = 0;
  for (const event of batch) {
    const bytes = frame(event);
    waiting.push(bytes);
    size += bytes.length;
    if (size < pieceBytes) continue;
    yield Buffer.concat(waiting, size);
    waiting = [];
    size = 0;
  }
  if (size > 0) yield waiting.length === 1 && waiting[0] ? waiting[0] : Buffer.concat(waiting, size);
}

function frameMaker({ kind, format, include, clock }: WatchResponse): (event: WatchEvent) => Buffer {
  let headers = true;
  const frame = format.type === 'protobuf' ? protobufFrame : watchFrame;
  const shown = (object: Live): KubeObject => {
    if (format.as === 'partial') return partialOf(object, format.version);
    if (format.as !== 'table') return object;
    const table = tableOf(
      kind,
      [object],
      { resourceVersion: object.metadata.resourceVersion },
      format.version,
      include,
      clock.now(),
      headers,
    );
    headers = false;
    return table;
  };
  return (event) => {
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        return frame(event.type, shown(event.object));
      case 'BOOKMARK':
        return frame('BOOKMARK', shown(bookmark(kind, event.resourceVersion, event.initialEventsEnd)));
      case 'ERROR':
        return frame('ERROR', statusOf(event.error));
    }
  };
}

const bookmark = (kind: KindDefinition, resourceVersion: string, end: boolean): Live =>
  ({
    kind: kind.resource.kind,
    apiVersion: apiVersionOf(kind.resource),
    metadata: {
      resourceVersion,
      creationTimestamp: null,
      ...(end && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
    },
  }) as unknown as Live;

const statusOf = (error: Error): KubeObject =>
  (error instanceof StatusError ? error : internalError(error.message)).status as KubeObject;
