import type { UserInfo } from '../../api/handler.ts';
import { noSuchPath } from '../../api/status.ts';
import { authorize } from '../authorize.ts';
import { methodNotAllowed } from '../handler.ts';
import type { Exchange } from './front.ts';
import { answerHealth } from './health.ts';
import { negotiate } from './negotiate.ts';
import { contentTypeOf, send } from './respond.ts';

const healthEndpoints = new Set(['healthz', 'livez', 'readyz']);
const text = 'text/plain; charset=utf-8';

/** Answers paths that name no resource: discovery, OpenAPI, version, health, metrics. Throws NotFound for others. */
export async function answerPath(exchange: Exchange, user: UserInfo): Promise<void> {
  const { front, request, path } = exchange;
  const method = request.method ?? 'GET';
  await authorize(front.authorizer(), { user, verb: method === 'HEAD' ? 'get' : method.toLowerCase(), path });
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
  const [, first = '', ...rest] = path.split('/');
  if (healthEndpoints.has(first)) {
    const single = rest.join('/');
    const query = new URLSearchParams(exchange.query);
    const answer = await answerHealth(first, single, query, front.health(first));
    if (!answer) throw noSuchPath();
    exchange.response.setHeader('X-Content-Type-Options', 'nosniff');
    return send(exchange, answer.code, text, answer.text);
  }
  switch (first) {
    case '':
      return json(exchange, { paths: rootPaths(exchange) });
    case 'api':
    case 'apis':
      return discover(exchange);
    case 'version':
      if (rest.length > 0) throw noSuchPath();
      return json(exchange, front.version);
    case 'metrics':
      if (rest.length > 0) throw noSuchPath();
      return send(
        exchange,
        200,
        'text/plain; version=0.0.4; charset=utf-8',
        front.metrics.render(front.core.storage, front.limits),
      );
    case 'openapi':
      return openApi(exchange);
    default: {
      const document = front.options.documents?.[path]?.();
      if (!document) throw noSuchPath();
      return send(exchange, 200, document.contentType, document.body);
    }
  }
}

const json = (exchange: Exchange, object: object): Promise<void> | undefined =>
  send(exchange, 200, 'application/json', JSON.stringify(object, null, 2));

function rootPaths({ front }: Exchange): readonly string[] {
  const paths = new Set([
    '/api',
    '/api/v1',
    '/apis',
    '/healthz',
    '/livez',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/readyz',
    '/version',
  ]);
  for (const endpoint of healthEndpoints) {
    for (const { name } of front.health(endpoint)) paths.add(`/${endpoint}/${name}`);
  }
  for (const { resource } of front.core.kinds.list()) {
    if (resource.group === '') continue;
    paths.add(`/apis/${resource.group}`).add(`/apis/${resource.group}/${resource.version}`);
  }
  for (const path of Object.keys(front.options.documents ?? {})) paths.add(path);
  return [...paths].sort();
}

async function discover(exchange: Exchange): Promise<void> {
  const { front, request, path, response } = exchange;
  const whole = path === '/api' || path === '/apis';
  const format = negotiate(
    request.headers.accept,
    (it) => it.type === 'json' && (it.as === 'object' || (whole && it.as === 'discovery')),
  );
  const { localAddress = '127.0.0.1', localPort = 0 } = request.socket;
  const document = front.discovery.find(
    path,
    format.as === 'discovery' ? format.version : '',
    request.headers.host ?? `${localAddress}:${localPort}`,
  );
  if (!document) throw noSuchPath();
  if (whole) response.setHeader('Vary', 'Accept');
  if (document.etag !== '') {
    response.setHeader('ETag', document.etag);
    if (request.headers['if-none-match'] === document.etag) {
      response.writeHead(304);
      response.end();
      return;
    }
  }
  return send(exchange, 200, contentTypeOf(format), document.body);
}

async function openApi(exchange: Exchange): Promise<void> {
  const { front, request, path, response } = exchange;
  const document = await front.options.openApi?.find(path, request.headers.accept ?? '');
  if (!document) throw noSuchPath();
  response.setHeader('ETag', document.etag);
  response.setHeader('Vary', 'Accept');
  // A document asked for by its hash never changes.
  if (exchange.query.includes('hash=')) response.setHeader('Expires', 'Thu, 31 Dec 2037 23:55:55 GMT');
  if (request.headers['if-none-match'] === document.etag) {
    response.writeHead(304);
    response.end();
    return;
  }
  return send(exchange, 200, document.contentType, document.body);
}
