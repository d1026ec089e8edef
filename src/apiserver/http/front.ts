import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiHandler, UserInfo } from '../../api/handler.ts';
import type { KubeObject } from '../../api/resource.ts';
import { internalError, noSuchPath, StatusError, timedOut, tooManyRequests } from '../../api/status.ts';
import type { Store } from '../../store/store.ts';
import { impersonate } from '../authz/impersonation.ts';
import type { Authenticator, Authorizer, ConnectHandler, ServerContext } from '../contracts.ts';
import type { Core } from '../core.ts';
import { createDiscovery, type Discovery } from '../discovery/discovery.ts';
import { type VersionInfo, versionInfo } from '../discovery/version.ts';
import type { ObjectPeek } from '../handler.ts';
import { auditIds } from './audit-id.ts';
import type { Incoming } from './body.ts';
import { credentialsOf } from './credentials.ts';
import { type HealthCheck, healthChecks } from './health.ts';
import { type InFlight, inFlight, type Ticket } from './limits.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { answerPath } from './paths.ts';
import { answerResource, connectTo } from './resource-request.ts';
import { type Answer, type Outgoing, send } from './respond.ts';
import { parseRoute, type ResourceRoute } from './route.ts';

/** What the OpenAPI room gives. */
export interface OpenApiSource {
  /** The document at a path below `/openapi`, undefined where there is none. `accept` is the Accept header. */
  find(
    path: string,
    accept: string,
  ):
    | { readonly body: Buffer; readonly etag: string; readonly contentType: string }
    | undefined
    | Promise<{ readonly body: Buffer; readonly etag: string; readonly contentType: string } | undefined>;
}

export interface HttpOptions {
  /** Bytes of a request body; default 3 MiB. */
  readonly maxBodyBytes?: number;
  /** Requests in progress; default 400 reading and 200 writing. */
  readonly maxReading?: number;
  readonly maxMutating?: number;
  /** Milliseconds a request may take; default 60,000. Watches and connections excepted. */
  readonly requestTimeoutMs?: number;
  readonly version?: VersionInfo;
  readonly openApi?: OpenApiSource;
  /** Documents at fixed paths, such as `/.well-known/openid-configuration`. */
  readonly documents?: Readonly<Record<string, () => { readonly body: string; readonly contentType: string }>>;
}

export interface HttpParts {
  readonly core: Core;
  readonly context: ServerContext;
  readonly handler: ApiHandler;
  readonly peek: ObjectPeek;
  readonly authenticator: Authenticator;
  readonly authorizer: () => Authorizer;
  readonly connect: Readonly<Record<string, ConnectHandler>>;
  readonly store: Store;
  readonly options: HttpOptions;
}

/** The HTTP side of the server; hang `request` and `upgrade` on any Node HTTP, HTTPS or HTTP/2 server. */
export interface HttpFront {
  request(request: Incoming, response: Outgoing): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly metrics: Metrics;
  close(): void;
}

/** What the parts of the front share. */
export interface Front extends HttpParts {
  readonly discovery: Discovery;
  readonly metrics: Metrics;
  readonly limits: InFlight;
  readonly version: VersionInfo;
  readonly maxBodyBytes: number;
  readonly health: (endpoint: string) => readonly HealthCheck[];
  readonly nextAuditId: () => string;
}

/** One exchange as the parts of the front see it. */
export interface Exchange extends Answer {
  readonly front: Front;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly warnings: string[];
  readonly ticket: Ticket;
  /** Ends the work of this request; made when something can be ended. */
  abort: AbortController | undefined;
  /** For metrics; set when known. */
  verb: string;
  labels: string;
  longRunning: boolean;
}

const otherLabels = 'group="",resource="",scope="",subresource="",version=""';

export function createHttpFront(parts: HttpParts): HttpFront {
  const { core, options } = parts;
  const { clock } = core;
  let closing = false;
  const metrics = createMetrics(clock);
  const limits = inFlight(clock, {
    reading: options.maxReading ?? 400,
    mutating: options.maxMutating ?? 200,
    timeoutMs: options.requestTimeoutMs ?? 60_000,
  });
  const front: Front = {
    ...parts,
    discovery: createDiscovery(core.kinds),
    metrics,
    limits,
    version: options.version ?? versionInfo(),
    maxBodyBytes: options.maxBodyBytes ?? 3 * 1024 * 1024,
    health: healthChecks(parts.store, () => closing),
    nextAuditId: auditIds(core.random),
  };

  return {
    metrics,
    request(request, response) {
      const exchange = openExchange(front, request, response);
      try {
        const work = serve(exchange);
        if (!work) finish(exchange);
        else
          work.then(
            () => finish(exchange),
            (error: unknown) => fail(exchange, error),
          );
      } catch (error) {
        fail(exchange, error);
      }
    },
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      void serveUpgrade(front, request, socket, head).catch((error: unknown) => refuseUpgrade(front, socket, error));
    },
    close() {
      closing = true;
      limits.close();
    },
  };
}

function openExchange(front: Front, request: Incoming, response: Outgoing): Exchange {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const method = request.method ?? 'GET';
  const sentId = request.headers['audit-id'];
  const exchange: Exchange = {
    front,
    request,
    response,
    path: path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path,
    query,
    auditId: typeof sentId === 'string' && sentId.length <= 64 ? sentId : front.nextAuditId(),
    warnings: [],
    pretty: query.includes('pretty=') && /(^|&)pretty=(?!0|false)/i.test(query),
    abort: undefined,
    verb: method,
    labels: otherLabels,
    longRunning: false,
    ticket: {
      mutating: method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS',
      counted: false,
      startedAt: front.core.clock.monotonic(),
      onTimeout() {
        exchange.abort?.abort();
        refuse(exchange, timedOut('request did not complete within the allotted timeout'));
      },
    },
  };
  front.limits.enter(exchange.ticket);
  return exchange;
}

function userOf(front: Front, request: Incoming): UserInfo | Promise<UserInfo> {
  const credentials = credentialsOf(request);
  const user = front.authenticator.authenticate(credentials);
  const { impersonate: wanted } = credentials;
  return wanted ? Promise.resolve(user).then((it) => impersonate(it, wanted, front.authorizer())) : user;
}

const isMaster = (user: UserInfo): boolean => user.groups.includes('system:masters');

/** Answers at once where nothing has to be waited for; else returns what to wait for. Throws `StatusError`. */
function serve(exchange: Exchange): Promise<void> | undefined {
  const { front, request, path } = exchange;
  const route = parseRoute(path);
  const user = userOf(front, request);
  return user instanceof Promise ? user.then((it) => serveAs(exchange, route, it)) : serveAs(exchange, route, user);
}

function serveAs(exchange: Exchange, route: ResourceRoute | undefined, user: UserInfo): Promise<void> | undefined {
  const { front } = exchange;
  if (!isMaster(user) && !isLongRunning(exchange, route) && !front.limits.admit(exchange.ticket)) {
    throw tooManyRequests('Too many requests, please try again later.', 1);
  }
  return route ? answerResource(exchange, route, user) : answerPath(exchange, user);
}

const isLongRunning = ({ query }: Exchange, route: ResourceRoute | undefined): boolean =>
  route !== undefined &&
  (route.watch ||
    query.includes('watch=') ||
    (route.subresource !== undefined && longSubresources.has(route.subresource)));

const longSubresources = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

function finish(exchange: Exchange): void {
  const { front, ticket, response, labels, verb } = exchange;
  front.limits.leave(ticket);
  const seconds = exchange.longRunning ? undefined : (front.core.clock.monotonic() - ticket.startedAt) / 1000;
  front.metrics.observe(verb, labels, response.statusCode, seconds);
}

function fail(exchange: Exchange, error: unknown): void {
  refuse(exchange, error);
  finish(exchange);
}

/** Answers with the Status of an error; an unexpected one is logged and becomes a 500. */
function refuse(exchange: Exchange, error: unknown): void {
  const { response, front, request } = exchange;
  const known = statusErrorOf(front, error, exchange.path);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { retryAfterSeconds } = known.status.details ?? {};
  if (retryAfterSeconds) response.setHeader('Retry-After', String(retryAfterSeconds));
  // What is left of a refused body is not read: the connection of HTTP/1.1 cannot be used again.
  if (!request.complete && request.httpVersionMajor === 1) response.setHeader('Connection', 'close');
  void send(exchange, known.code, 'application/json', JSON.stringify(known.status as KubeObject));
  if (!request.complete) request.resume();
}

function statusErrorOf(front: Front, error: unknown, path: string): StatusError {
  if (error instanceof StatusError) return error;
  front.core.log.error('a request failed unexpectedly', {
    path,
    error,
    ...(error instanceof Error && { stack: error.stack }),
  });
  return internalError(error instanceof Error ? error.message : String(error));
}

async function serveUpgrade(front: Front, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const route = parseRoute(mark < 0 ? url : url.slice(0, mark));
  const user = await userOf(front, request);
  if (!route) throw noSuchPath();
  await connectTo(front, route, mark < 0 ? '' : url.slice(mark + 1), user, request, { upgrade: { socket, head } });
}

function refuseUpgrade(front: Front, socket: Duplex, error: unknown): void {
  if (socket.destroyed || !socket.writable) return;
  const known = statusErrorOf(front, error, 'upgrade');
  const body = JSON.stringify(known.status);
  socket.end(
    `HTTP/1.1 ${known.code} ${known.reason || 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
