import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { allResources } from '../src/api/generated/resources.ts';
import type { KubeObject } from '../src/api/resource.ts';

/** An API server that only answers lists and logs, from memory: what a diagnosis reads, and nothing else. */
export interface FakeApi {
  readonly url: string;
  /** Requests answered so far. */
  requests(): number;
  bytes(): number;
  close(): Promise<void>;
}

export interface FakeContent {
  /** By `group/plural`. */
  readonly objects: ReadonlyMap<string, readonly KubeObject[]>;
  /** By `namespace/pod/container`; of the previous run. */
  readonly logs: ReadonlyMap<string, string>;
}

export async function startFakeApi({ objects, logs }: FakeContent): Promise<FakeApi> {
  let requests = 0;
  let bytes = 0;
  const known = new Map(
    allResources.map((it) => [
      `${it.group === '' ? `/api/${it.version}` : `/apis/${it.group}/${it.version}`}/${it.plural}`,
      `${it.group}/${it.plural}`,
    ]),
  );
  const answer = (url: URL): { readonly status: number; readonly body: string } => {
    if (url.pathname === '/version') return { status: 200, body: '{"gitVersion":"v1.33.0"}' };
    const log = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/.exec(url.pathname);
    if (log) {
      const text = logs.get(`${log[1]}/${log[2]}/${url.searchParams.get('container')}`);
      if (text !== undefined) return { status: 200, body: text };
      return { status: 400, body: status(400, 'BadRequest', 'previous terminated container not found') };
    }
    const key = known.get(url.pathname);
    if (key === undefined) return { status: 404, body: status(404, 'NotFound', 'not found') };
    const all = objects.get(key) ?? [];
    const from = Number(url.searchParams.get('continue') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? all.length);
    const items = all.slice(from, from + limit);
    const metadata = { resourceVersion: '1', ...(from + limit < all.length && { continue: String(from + limit) }) };
    return { status: 200, body: JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata, items }) };
  };
  const server: Server = createServer((request, response) => {
    requests++;
    const { status: code, body } = answer(new URL(request.url ?? '/', 'http://localhost'));
    bytes += body.length;
    response.writeHead(code, { 'content-type': body.startsWith('{') ? 'application/json' : 'text/plain' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    bytes: () => bytes,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const status = (code: number, reason: string, message: string): string =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
