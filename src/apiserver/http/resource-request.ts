import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestOptions, ResourceRequest, ResourceResult, UserInfo, Verb } from '../../api/handler.ts';
import { apiVersionOf, type KubeObject, type Live } from '../../api/resource.ts';
import { badRequest, noSuchPath } from '../../api/status.ts';
import { randomInt } from '../../base/random.ts';
import type { KindDefinition } from '../../kinds/kind.ts';
import { attributesOf, authorize } from '../authorize.ts';
import { methodNotAllowed } from '../handler.ts';
import { isCustom } from '../storage/keys.ts';
import { type Incoming, parseBody, parsePatch, readBody } from './body.ts';
import type { Exchange, Front } from './front.ts';
import { resourceLabels } from './metrics.ts';
import { type Format, negotiate } from './negotiate.ts';
import { hasProtobuf } from './protobuf/encode.ts';
import { parseOptions, wantsWatch, withDeleteBody } from './query.ts';
import { contentTypeOf, encode, encodeList, type Outgoing, send, sendPieces } from './respond.ts';
import { type ResourceRoute, verbOf } from './route.ts';
import { type IncludeObject, partialListOf, partialOf, tableOf } from './table.ts';
import { streamWatch } from './watch-response.ts';

const optionsKinds: Readonly<Record<Verb, string>> = {
  get: 'GetOptions',
  list: 'ListOptions',
  watch: 'ListOptions',
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
};

const metricVerbs: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
};

/** The part of a User-Agent before the first slash, as upstream makes it a field manager: at most 128 characters. */
const agentOf = (request: Incoming): string =>
  (request.headers['user-agent'] ?? 'unknown').split('/', 1)[0]?.slice(0, 128) || 'unknown';

/** Answers a request for a resource: a plain get at once, everything else in its time. Throws `StatusError`. */
export function answerResource(exchange: Exchange, route: ResourceRoute, user: UserInfo): Promise<void> | undefined {
  const { front, request, query } = exchange;
  const kind = front.core.kinds.find(route.group, route.version, route.resource);
  if (!kind) return refuseUnknown(exchange, route, user);
  exchange.labels = labelsOf(kind, route);
  if (request.method === 'GET' && route.name !== undefined && query === '' && !route.watch) {
    const object = front.peek(kind, route, user);
    if (object) {
      exchange.verb = metricVerbs.get;
      return answerObject(exchange, kind, negotiate(request.headers.accept, formatsOf(kind)), object, 200);
    }
  }
  return answerSlowly(exchange, route, user, kind);
}

const textOnly = (it: Format): boolean => it.as !== 'discovery' && it.type !== 'protobuf';
const allButTables = (it: Format): boolean => it.as !== 'discovery' && (it.type !== 'protobuf' || it.as !== 'table');

/** The formats in which a kind can be had: custom resources and tables have no protobuf form. */
const formatsOf = ({ resource }: KindDefinition): ((it: Format) => boolean) =>
  !isCustom(resource) && hasProtobuf(apiVersionOf(resource), resource.kind) ? allButTables : textOnly;

async function refuseUnknown(exchange: Exchange, route: ResourceRoute, user: UserInfo): Promise<void> {
  const verb = verbOf(exchange.request.method ?? 'GET', route, false) ?? 'get';
  await authorize(exchange.front.authorizer(), attributesOf(baseRequest(route, verb, {}, user)));
  throw noSuchPath();
}

async function answerSlowly(
  exchange: Exchange,
  route: ResourceRoute,
  user: UserInfo,
  kind: KindDefinition,
): Promise<void> {
  const { front, request, query } = exchange;
  const method = request.method ?? 'GET';
  if (route.subresource !== undefined && isConnect(front, route)) {
    exchange.longRunning = true;
    exchange.verb = 'CONNECT';
    front.limits.leave(exchange.ticket);
    await connectTo(front, route, query, user, request, { response: exchange.response });
    return;
  }
  const verb = verbOf(method, route, wantsWatch(query));
  if (!verb) throw methodNotAllowed();
  exchange.verb = metricVerbs[verb];
  const options = parseOptions(query, optionsKinds[verb]);
  const format = negotiate(request.headers.accept, formatsOf(kind));
  const resourceRequest = await readRequest(exchange, route, verb, options, user, kind);
  if (verb === 'watch') {
    // A watch is counted while it is set up, not while it runs.
    exchange.longRunning = true;
  }
  const result = await front.handler(resourceRequest);
  await answerResult(exchange, kind, format, result);
}

const labels = new WeakMap<KindDefinition, Map<string, string>>();
function labelsOf(kind: KindDefinition, route: ResourceRoute): string {
  const { group, version, plural } = kind.resource;
  const scope = route.name !== undefined ? 'resource' : route.namespace !== undefined ? 'namespace' : 'cluster';
  let known = labels.get(kind);
  if (!known) {
    known = new Map();
    labels.set(kind, known);
  }
  const subresource = kind.resource.subresources?.some((it) => it.name === route.subresource)
    ? (route.subresource ?? '')
    : '';
  const key = `${scope}/${subresource}`;
  let text = known.get(key);
  if (text === undefined) {
    text = resourceLabels(group, version, plural, subresource, scope);
    known.set(key, text);
  }
  return text;
}

/** A request with every field in place, so that all requests have one shape; undefined stands for absent. */
function baseRequest(route: ResourceRoute, verb: Verb, options: RequestOptions, user: UserInfo): ResourceRequest {
  const { group, version, resource, subresource, namespace, name } = route;
  const request = { verb, group, version, resource, subresource, namespace, name, options, user };
  return request as ResourceRequest;
}

async function readRequest(
  exchange: Exchange,
  route: ResourceRoute,
  verb: Verb,
  options: RequestOptions,
  user: UserInfo,
  kind: KindDefinition,
): Promise<ResourceRequest> {
  const { front, request, warnings } = exchange;
  const base = {
    ...baseRequest(route, verb, options, user),
    userAgent: agentOf(request),
    warn: (message: string) => void (warnings.length < 64 && !warnings.includes(message) && warnings.push(message)),
  };
  const contentType = request.headers['content-type'];
  switch (verb) {
    case 'get':
    case 'list':
      return base;
    case 'watch': {
      // Upstream closes a watch after 30 to 60 minutes where the client does not say.
      const timeoutSeconds = options.timeoutSeconds || 1800 + randomInt(front.core.random, 1800);
      exchange.abort = new AbortController();
      return { ...base, options: { ...options, timeoutSeconds }, signal: exchange.abort.signal };
    }
    case 'create':
    case 'update': {
      const bytes = await readBody(request, front.maxBodyBytes);
      const lenient = options.fieldValidation === 'Ignore';
      const { value, duplicates } = await parseBody(contentType, bytes, !lenient, kind.resource.kind);
      return { ...base, body: value as KubeObject, ...(duplicates.length > 0 && { bodyErrors: duplicates }) };
    }
    case 'patch': {
      const bytes = await readBody(request, front.maxBodyBytes);
      const { type, body, duplicates } = parsePatch(contentType, bytes);
      return { ...base, patch: { type, body }, ...(duplicates.length > 0 && { bodyErrors: duplicates }) };
    }
    case 'delete':
    case 'deletecollection': {
      const bytes = await readBody(request, front.maxBodyBytes);
      if (bytes.length === 0) return base;
      const { value } = await parseBody(contentType, bytes, false);
      return { ...base, options: withDeleteBody(options, value) };
    }
  }
}

function includeOf(query: string): IncludeObject {
  const wanted = query.includes('includeObject=') ? new URLSearchParams(query).get('includeObject') : null;
  switch (wanted) {
    case null:
    case '':
    case 'Metadata':
      return 'Metadata';
    case 'None':
    case 'Object':
      return wanted;
    default:
      throw badRequest(`unrecognized includeObject value: "${wanted}"`);
  }
}

/** Writes one object in the form asked for. */
function answerObject(
  exchange: Exchange,
  kind: KindDefinition,
  format: Format,
  object: Live,
  code: number,
): Promise<void> | undefined {
  const shown =
    format.as === 'object'
      ? object
      : format.as === 'partial'
        ? partialOf(object, format.version)
        : tableOf(
            kind,
            [object],
            { resourceVersion: object.metadata.resourceVersion },
            format.version,
            includeOf(exchange.query),
            exchange.front.core.clock.now(),
          );
  return sendEncoded(exchange, code, format, encode(shown, format, exchange.pretty));
}

function sendEncoded(
  exchange: Exchange,
  code: number,
  format: Format,
  bytes: Buffer | Promise<Buffer>,
): Promise<void> | undefined {
  const type = contentTypeOf(format);
  return bytes instanceof Promise
    ? bytes.then((it) => send(exchange, code, type, it))
    : send(exchange, code, type, bytes);
}

/** An answer of another kind than the resource's: in JSON where it has no protobuf form. */
function answerOther(exchange: Exchange, wanted: Format, object: KubeObject, code: number): Promise<void> | undefined {
  const able = wanted.type !== 'protobuf' || hasProtobuf(object.apiVersion ?? '', object.kind ?? '');
  const format: Format = able ? wanted : { type: 'json', as: 'object', version: '' };
  return sendEncoded(exchange, code, format, encode(object, format, exchange.pretty));
}

function answerResult(
  exchange: Exchange,
  kind: KindDefinition,
  format: Format,
  result: ResourceResult,
): Promise<void> | undefined {
  const { front, query, response, auditId, pretty } = exchange;
  const { clock } = front.core;
  switch (result.type) {
    case 'object':
      return answerObject(exchange, kind, format, result.object, result.created ? 201 : 200);
    case 'answer':
      return answerOther(exchange, format, result.object, result.code);
    case 'list': {
      const { list } = result;
      if (format.as === 'object' && format.type === 'json' && !pretty)
        return sendPieces(exchange, contentTypeOf(format), encodeList(list, kind.resource), clock);
      const shown =
        format.as === 'table'
          ? tableOf(kind, list.items, list.metadata, format.version, includeOf(query), clock.now())
          : format.as === 'partial'
            ? partialListOf(list, format.version)
            : list;
      return sendEncoded(exchange, 200, format, encode(shown, format, pretty));
    }
    case 'watch': {
      front.limits.leave(exchange.ticket);
      const include = format.as === 'table' ? includeOf(query) : 'Metadata';
      return streamWatch({ kind, format, include, response, auditId, clock }, result.stream, () =>
        exchange.abort?.abort(),
      );
    }
  }
}

function handlerOf(front: Front, route: ResourceRoute): Front['connect'][string] | undefined {
  const { resource, group, subresource = '' } = route;
  return (
    front.connect[`${resource}.${group}/${subresource}`] ??
    (group === '' ? front.connect[`${resource}/${subresource}`] : undefined)
  );
}

const isConnect = (front: Front, route: ResourceRoute): boolean => handlerOf(front, route) !== undefined;

const connectVerbs: Readonly<Record<string, Verb>> = {
  GET: 'get',
  HEAD: 'get',
  OPTIONS: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Hands a connection over to its subresource, once it is allowed. */
export async function connectTo(
  front: Front,
  route: ResourceRoute,
  query: string,
  user: UserInfo,
  request: Incoming,
  via: { readonly response?: Outgoing; readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer } },
): Promise<void> {
  const kind = front.core.kinds.find(route.group, route.version, route.resource);
  const handler = handlerOf(front, route);
  const verb = connectVerbs[request.method ?? 'GET'];
  if (!kind || !handler || route.name === undefined || route.subresource === undefined) throw noSuchPath();
  if (!verb) throw methodNotAllowed();
  await authorize(front.authorizer(), attributesOf(baseRequest(route, verb, {}, user)));
  const { resource } = kind;
  await handler(
    {
      // A response of HTTP/2 has the same methods as far as handlers use them.
      request: request as IncomingMessage,
      ...(via.response && { response: via.response as never }),
      ...(via.upgrade && { upgrade: via.upgrade }),
      resource,
      subresource: route.subresource,
      ...(route.namespace !== undefined && { namespace: route.namespace }),
      name: route.name,
      path: route.rest === '' ? '/' : route.rest,
      query: new URLSearchParams(query),
      user,
    },
    front.context,
  );
}
