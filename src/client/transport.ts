import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from './client-config.ts';

export interface RawRequest {
  readonly method?: string;
  /** Path and query, beginning with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Must be read to its end or destroyed. */
  readonly body: Readable;
}

/** HTTP to one server: kept-alive connections, credentials on every request. */
export interface Transport {
  send(request: RawRequest): Promise<RawResponse>;
  /** What an upgrade (WebSocket, SPDY) needs to connect by itself. */
  upgradeOptions(path: string): Promise<{
    readonly url: string;
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    readonly tls: ConnectionOptions;
  }>;
  close(): void;
}

/** Requests under way at once; more wait. Watches and log streams hold a connection each, hence so many. */
const maxSockets = 512;
const keepAliveMs = 30_000;

/** A transport for a configuration. Rejects with a plain Error when the server cannot be reached. */
export function createTransport(config: ClientConfig): Transport {
  const base = new URL(config.server.includes('://') ? config.server : `https://${config.server}`);
  const secure = base.protocol === 'https:';
  const prefix = base.pathname.replace(/\/$/, '');
  const tls: ConnectionOptions = {
    ...(config.ca !== undefined && { ca: config.ca }),
    ...(config.clientCertificate !== undefined && { cert: config.clientCertificate }),
    ...(config.clientKey !== undefined && { key: config.clientKey }),
    ...(config.tlsServerName !== undefined && { servername: config.tlsServerName }),
    ...(config.insecureSkipTlsVerify && { rejectUnauthorized: false }),
  };
  const pool = { keepAlive: true, keepAliveMsecs: keepAliveMs, maxSockets, maxFreeSockets: 16 };
  const agent = secure ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool);
  const identity = async (fresh: boolean): Promise<Record<string, string | readonly string[]>> => {
    const headers: Record<string, string | readonly string[]> = {
      'user-agent': config.userAgent ?? 'coracle',
      ...impersonation(config.impersonate),
    };
    const token = await config.token?.(fresh);
    if (token) headers['authorization'] = `Bearer ${token}`;
    else if (config.basic) {
      const pair = `${config.basic.username}:${config.basic.password}`;
      headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
    }
    return headers;
  };
  const once = async (it: RawRequest, fresh: boolean): Promise<RawResponse> => {
    const known = await identity(fresh);
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(
        {
          protocol: base.protocol,
          hostname: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port || (secure ? 443 : 80),
          path: prefix + it.path,
          method: it.method ?? 'GET',
          headers: {
            ...known,
            ...(it.body !== undefined && { 'content-length': Buffer.byteLength(it.body) }),
            ...it.headers,
          } as Record<string, string | string[] | number>,
          agent,
          ...(it.signal && { signal: it.signal }),
        },
        (response) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }),
      );
      request.on('socket', (socket) => socket.setKeepAlive(true, keepAliveMs));
      request.on('error', reject);
      request.end(it.body);
    });
  };
  return {
    async send(it) {
      const response = await once(it, false);
      if (response.status !== 401 || !config.token) return response;
      response.body.resume();
      return once(it, true);
    },
    async upgradeOptions(path) {
      return { url: `${secure ? 'wss' : 'ws'}://${base.host}${prefix}${path}`, headers: await identity(false), tls };
    },
    close: () => agent.destroy(),
  };
}

function impersonation(it: ClientConfig['impersonate']): Record<string, string | readonly string[]> {
  if (!it) return {};
  const headers: Record<string, string | readonly string[]> = { 'impersonate-user': it.user };
  if (it.uid) headers['impersonate-uid'] = it.uid;
  if (it.groups?.length) headers['impersonate-group'] = it.groups;
  for (const [key, values] of Object.entries(it.extra ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(key)}`] = values;
  }
  return headers;
}
