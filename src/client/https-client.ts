import type { Readable } from 'node:stream';
import type { WatchEvent, WatchStream } from '../api/handler.ts';
import { apiVersionOf, type KubeObject, type Live, type ObjectList, type Resource } from '../api/resource.ts';
import { StatusError, statusError } from '../api/status.ts';
import { assert } from '../base/assert.ts';
import { deepFreeze } from '../base/freeze.ts';
import type { Client, DeleteOptions, ListOptions, PatchOptions, WatchOptions, WriteOptions } from './client.ts';
import type { ClientConfig } from './client-config.ts';
import { createTransport, type RawRequest, type RawResponse, type Transport } from './transport.ts';

/** A client over HTTPS, and what only HTTP can do. */
export interface HttpsClient extends Client {
  /** Any request: logs, discovery, tables, proxies. Answers of 400 and above are thrown as `StatusError`. */
  raw(request: RawRequest): Promise<RawResponse>;
  /** `raw`, with the whole body (at most `maxBody`) as text. */
  text(request: RawRequest): Promise<string>;
  /** `raw`, with the whole body parsed as JSON. */
  json(request: RawRequest): Promise<unknown>;
  /** What an upgrade (WebSocket, SPDY) needs to connect by itself. */
  readonly upgradeOptions: Transport['upgradeOptions'];
  /** Drops kept-alive connections. */
  close(): void;
}

/** The longest answer or watch line taken, bytes: far beyond any object, so that a bad server cannot fill memory. */
const maxBody = 256 * 1024 * 1024;
const maxLine = 64 * 1024 * 1024;

/** A client of the API server that `config` names. Over HTTP/1.1 with kept-alive connections. */
export function httpsClient(config: ClientConfig): HttpsClient {
  const transport = createTransport(config);
  const raw = async (request: RawRequest): Promise<RawResponse> => {
    const response = await transport.send(request);
    if (response.status < 400) return response;
    throw failure(response.status, await readAll(response.body));
  };
  const text = async (request: RawRequest): Promise<string> => readAll((await raw(request)).body);
  const json = async (request: RawRequest): Promise<unknown> => JSON.parse(await text(request));
  const ask = async <T extends KubeObject>(
    resource: Resource,
    request: { method: string; path: string; body?: unknown; contentType?: string; signal?: AbortSignal | undefined },
  ): Promise<T> => {
    const answer = (await json({
      method: request.method,
      path: request.path,
      headers: {
        accept: 'application/json',
        ...(request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
      },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      ...(request.signal && { signal: request.signal }),
    })) as T;
    return deepFreeze(answer.kind ? answer : named(resource, answer));
  };
  return {
    raw,
    text,
    json,
    upgradeOptions: transport.upgradeOptions,
    close: transport.close,
    get: (resource, name, options) =>
      ask(resource, {
        method: 'GET',
        path: pathOf(resource, options?.namespace, name, options?.subresource),
        signal: options?.signal,
      }),
    async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}) {
      const path = pathOf(resource, options.namespace) + queryOf(options, readKeys);
      const headers = { accept: 'application/json' };
      const list = (await json({ path, headers, ...(options.signal && { signal: options.signal }) })) as Listed<T>;
      return deepFreeze({
        ...list,
        metadata: list.metadata ?? {},
        items: (list.items ?? []).map((item) => named(resource, item)),
      }) as ObjectList<T>;
    },
    async watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): Promise<WatchStream<T>> {
      const path = pathOf(resource, options.namespace) + queryOf({ ...options, watch: true }, [...readKeys, 'watch']);
      const response = await raw({
        path,
        headers: { accept: 'application/json' },
        ...(options.signal && { signal: options.signal }),
      });
      return watchEvents<T>(resource, response.body);
    },
    create: (resource, object, options) =>
      ask(resource, {
        method: 'POST',
        path:
          pathOf(
            resource,
            options?.namespace ?? object.metadata?.namespace,
            options?.subresource ? object.metadata?.name : undefined,
            options?.subresource,
          ) + writeQuery(options),
        body: named(resource, object),
        signal: options?.signal,
      }),
    createSubresource: (resource, name, subresource, body, options) =>
      ask(resource, {
        method: 'POST',
        path: pathOf(resource, options?.namespace ?? body.metadata?.namespace, name, subresource) + writeQuery(options),
        body,
        signal: options?.signal,
      }),
    update(resource, object, options) {
      const name = object.metadata?.name;
      assert(name, 'an update needs a name');
      return ask(resource, {
        method: 'PUT',
        path:
          pathOf(resource, options?.namespace ?? object.metadata?.namespace, name, options?.subresource) +
          writeQuery(options),
        body: object.kind ? object : named(resource, object),
        signal: options?.signal,
      });
    },
    patch: (resource, name, patch, options) =>
      ask(resource, {
        method: 'PATCH',
        path: pathOf(resource, options.namespace, name, options.subresource) + writeQuery(options),
        body: patch,
        contentType: options.type,
        signal: options.signal,
      }),
    async delete(resource, name, options) {
      await ask(resource, {
        method: 'DELETE',
        path: pathOf(resource, options?.namespace, name, options?.subresource),
        body: deleteBody(options),
        signal: options?.signal,
      });
    },
    async deleteCollection(resource, options) {
      await ask(resource, {
        method: 'DELETE',
        path: pathOf(resource, options.namespace) + queryOf(options, readKeys),
        body: deleteBody(options),
        signal: options.signal,
      });
    },
  };
}

interface Listed<T> {
  readonly metadata?: ObjectList['metadata'];
  readonly items?: readonly T[] | null;
}

/** `/api/v1/namespaces/NS/pods/NAME/log`. */
export function pathOf(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const parts = [
    ...(namespace && resource.namespaced ? ['namespaces', namespace] : []),
    resource.plural,
    ...(name ? [name] : []),
    ...(subresource ? subresource.split('/') : []),
  ];
  return `${root}/${parts.map(encodeURIComponent).join('/')}`;
}

const readKeys = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'allowWatchBookmarks',
  'sendInitialEvents',
  'timeoutSeconds',
];

function queryOf(options: object, keys: readonly string[]): string {
  const query = new URLSearchParams();
  for (const key of keys) {
    const value = (options as Record<string, unknown>)[key];
    if (value !== undefined && value !== '') query.set(key, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function writeQuery(options: (WriteOptions & Partial<PatchOptions>) | undefined): string {
  if (!options) return '';
  return queryOf(
    {
      fieldManager: options.fieldManager,
      ...(options.dryRun && { dryRun: 'All' }),
      ...(options.force && { force: true }),
    },
    ['fieldManager', 'dryRun', 'force'],
  );
}

const deleteBody = (options: DeleteOptions | undefined): object => ({
  apiVersion: 'v1',
  kind: 'DeleteOptions',
  ...(options?.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
  ...(options?.propagationPolicy && { propagationPolicy: options.propagationPolicy }),
  ...(options?.preconditions && { preconditions: options.preconditions }),
  ...(options?.dryRun && { dryRun: ['All'] }),
});

function named<T extends KubeObject>(resource: Resource, object: T): T {
  if (object.apiVersion && object.kind) return object;
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

/** The Status in a refused answer, or one made from the code where the body is none. */
function failure(code: number, body: string): StatusError {
  try {
    const status = JSON.parse(body) as { kind?: string };
    if (status.kind === 'Status') return new StatusError(deepFreeze(status));
  } catch {
    return statusError(code, reasonOf(code), body.trim() || `the server answered ${code}`);
  }
  return statusError(code, reasonOf(code), `the server answered ${code}`);
}

const reasonOf = (code: number): string =>
  ({ 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 429: 'TooManyRequests' })[code] ??
  (code >= 500 ? 'InternalError' : 'BadRequest');

async function readAll(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) throw new Error(`the server's answer is larger than ${maxBody} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Splits a body into lines; what a chunk completes comes together. */
export async function* jsonLines(body: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  let partial: Buffer[] = [];
  let held = 0;
  for await (const chunk of body) {
    const end = chunk.lastIndexOf(10);
    if (end < 0) {
      held += chunk.length;
      if (held > maxLine) throw new Error(`a watch event is larger than ${maxLine} bytes`);
      partial.push(chunk);
      continue;
    }
    const whole = Buffer.concat([...partial, chunk.subarray(0, end)]).toString('utf8');
    partial = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    held = chunk.length - end - 1;
    yield whole.split('\n').filter((line) => line.trim() !== '');
  }
}

async function* watchEvents<T extends KubeObject>(
  resource: Resource<T>,
  body: Readable,
): AsyncGenerator<readonly WatchEvent<T>[]> {
  try {
    for await (const lines of jsonLines(body as AsyncIterable<Buffer>)) {
      yield lines.map((line) => watchEvent(resource, line));
    }
  } finally {
    body.destroy();
  }
}

function watchEvent<T extends KubeObject>(resource: Resource<T>, line: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line) as { type: string; object: Live<T> };
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: deepFreeze(named(resource, object)) };
    case 'BOOKMARK':
      return {
        type,
        resourceVersion: object.metadata.resourceVersion,
        initialEventsEnd: object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true',
      };
    case 'ERROR':
      return { type, error: new StatusError(deepFreeze(object as object)) };
    default:
      return { type: 'ERROR', error: new Error(`unknown watch event type ${type}`) };
  }
}
