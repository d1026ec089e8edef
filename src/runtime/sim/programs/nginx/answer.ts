import { SysError, strerror } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { netOf } from '../../net/addresses.ts';
import { connect, lookupHost } from '../../net/sockets.ts';
import { sizeOf } from '../../vfs/inode.ts';
import { find } from '../../vfs/mount-space.ts';
import { listPath } from '../../vfs/operations.ts';
import { exchange, plainTransport } from '../http/client.ts';
import { entityTag, mediaType, readServed } from '../http/files.ts';
import type { HttpRequest, HttpResponse } from '../http/server.ts';
import { type Headers, header, httpDate, reasons } from '../http/wire.ts';
import { formatTime } from '../system/time.ts';
import type { Config, Location, Scope, Server } from './config.ts';

/** A request on its way through a server's locations. */
export interface Visit {
  readonly p: Process;
  readonly config: Config;
  readonly version: string;
  readonly request: HttpRequest;
  readonly server: Server;
  readonly counters: { accepted: number; requests: number; active: number };
  scope: Scope;
  location: Location | undefined;
  uri: string;
  captures: RegExpExecArray | null;
  /** Writes to the error log. */
  error(level: string, text: string): Promise<void>;
}

/** The server for a request: by name among those of its port, else the port's default. */
export function chooseServer(config: Config, port: number, host: string): Server | undefined {
  const candidates = config.servers.filter(({ listens }) => listens.some((listen) => listen.port === port));
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const fits = (pattern: string): boolean =>
    pattern === name ||
    (pattern.startsWith('*.') && name.endsWith(pattern.slice(1))) ||
    (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1))) ||
    (pattern.startsWith('.') && (name === pattern.slice(1) || name.endsWith(pattern))) ||
    (pattern.startsWith('~') && new RegExp(pattern.slice(1)).test(name));
  return (
    candidates.find(({ names }) => names.includes(name)) ??
    candidates.find(({ names }) => names.some(fits)) ??
    candidates.find(({ listens }) => listens.some((listen) => listen.port === port && listen.isDefault)) ??
    candidates[0]
  );
}

/** The location of a URI: exact, then the longest prefix unless a regular expression comes first. */
export function chooseLocation(
  locations: readonly Location[],
  uri: string,
): { location: Location; captures: RegExpExecArray | null } | undefined {
  const exact = locations.find(({ kind, path }) => kind === 'exact' && path === uri);
  if (exact) return { location: exact, captures: null };
  let best: Location | undefined;
  for (const location of locations)
    if (
      (location.kind === 'prefix' || location.kind === 'stop') &&
      uri.startsWith(location.path) &&
      location.path.length > (best?.path.length ?? -1)
    )
      best = location;
  const inner = best && best.locations.length > 0 ? chooseLocation(best.locations, uri) : undefined;
  if (inner) return inner;
  if (best?.kind !== 'stop')
    for (const location of locations) {
      const captures = location.regex?.exec(uri);
      if (captures) return { location, captures };
    }
  return best && { location: best, captures: null };
}

/** A variable's value; those that are not known are empty. */
export function variable(v: Visit, name: string, status = 0, sent = 0): string {
  const { request, p } = v;
  if (/^\d$/.test(name)) return v.captures?.[Number(name)] ?? '';
  const named = v.captures?.groups?.[name];
  if (named !== undefined) return named;
  if (name.startsWith('http_')) return header(request.headers, name.slice(5).replaceAll('_', '-')) ?? '';
  if (name.startsWith('arg_')) return request.query.get(name.slice(4)) ?? '';
  const query = request.target.includes('?') ? request.target.slice(request.target.indexOf('?') + 1) : '';
  const host = header(request.headers, 'host') ?? '';
  const forwarded = header(request.headers, 'x-forwarded-for');
  const now = p.workload.clock.now();
  const values: Readonly<Record<string, () => string>> = {
    remote_addr: () => request.remote.ip,
    remote_port: () => String(request.remote.port),
    remote_user: () => '-',
    time_local: () => formatTime('%d/%b/%Y:%H:%M:%S %z', now),
    time_iso8601: () => formatTime('%Y-%m-%dT%H:%M:%S+00:00', now),
    msec: () => (now / 1000).toFixed(3),
    request: () => `${request.method} ${request.target} ${request.version}`,
    request_method: () => request.method,
    request_uri: () => request.target,
    request_length: () => String(request.body.length),
    request_time: () => '0.000',
    uri: () => v.uri,
    document_uri: () => v.uri,
    args: () => query,
    query_string: () => query,
    is_args: () => (query === '' ? '' : '?'),
    host: () => host.replace(/:\d+$/, '') || (v.server.names[0] ?? ''),
    hostname: () => p.workload.hostname,
    server_name: () => v.server.names[0] ?? '',
    server_port: () => String(request.local.port),
    server_addr: () => request.local.ip,
    server_protocol: () => request.version,
    scheme: () => 'http',
    status: () => String(status),
    body_bytes_sent: () => String(sent),
    bytes_sent: () => String(sent),
    nginx_version: () => v.version,
    pid: () => String(p.pid),
    proxy_add_x_forwarded_for: () =>
      forwarded === undefined ? request.remote.ip : `${forwarded}, ${request.remote.ip}`,
    document_root: () => v.scope.root,
    content_type: () => header(request.headers, 'content-type') ?? '',
    content_length: () => header(request.headers, 'content-length') ?? '',
    proxy_host: () => v.scope.proxy?.replace(/^http:\/\//, '').replace(/\/.*$/, '') ?? '',
  };
  return Object.hasOwn(values, name) ? (values[name]?.() ?? '') : '';
}

export const fill = (v: Visit, text: string, status = 0, sent = 0): string =>
  text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_all, braced?: string, bare?: string) =>
    variable(v, braced ?? bare ?? '', status, sent),
  );

const errorPage = (status: number, version: string): string =>
  `<html>\r\n<head><title>${status} ${reasons[status] ?? ''}</title></head>\r\n<body>\r\n<center><h1>${status} ${reasons[status] ?? ''}</h1></center>\r\n<hr><center>nginx${version}</center>\r\n</body>\r\n</html>\r\n`;

const fixed = (v: Visit, status: number, headers: Headers = []): HttpResponse => ({
  status,
  headers: [['Content-Type', 'text/html'], ...headers],
  body: errorPage(status, v.scope.tokens ? `/${v.version}` : ''),
});

const context = (v: Visit): string =>
  `client: ${v.request.remote.ip}, server: ${v.server.names[0] ?? ''}, request: "${v.request.method} ${v.request.target} ${v.request.version}", host: "${header(v.request.headers, 'host') ?? ''}"`;

/** Answers a request as its configuration says. */
export async function answer(v: Visit): Promise<HttpResponse> {
  const response = await enter(v, v.request.path, 0);
  const good = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308].includes(response.status);
  const added = v.scope.headers
    .filter(({ always }) => always || good)
    .map(({ name, value }) => [name, fill(v, value)] as const);
  return added.length > 0 ? { ...response, headers: [...(response.headers ?? []), ...added] } : response;
}

async function enter(v: Visit, uri: string, depth: number): Promise<HttpResponse> {
  if (depth > 10) {
    await v.error(
      'error',
      `*1 rewrite or internal redirection cycle while internally redirecting to "${uri}", ${context(v)}`,
    );
    return fixed(v, 500);
  }
  v.uri = uri;
  if (depth === 0) {
    v.scope = v.server.scope;
    if (v.server.scope.answer) return returned(v, v.server.scope.answer);
    const moved = rewritten(v);
    if (moved && typeof moved !== 'string') return moved;
    if (moved) v.uri = moved;
  }
  const chosen = chooseLocation(v.server.locations, v.uri);
  v.location = chosen?.location;
  v.captures = chosen?.captures ?? v.captures;
  v.scope = chosen?.location.scope ?? v.server.scope;
  if (v.scope.internal && depth === 0) return fixed(v, 404);
  if (chosen && v.scope.rewrites.length > 0) {
    const moved = rewritten(v);
    if (moved && typeof moved !== 'string') return moved;
    if (moved && v.scope.rewrites.find(({ flag }) => flag === 'break') === undefined) return enter(v, moved, depth + 1);
    if (moved) v.uri = moved;
  }
  const response = await handle(v, depth);
  if (response.status < 300) return response;
  const page = v.scope.errorPages.get(response.status);
  if (!page || depth > 0 || v.scope.proxy !== undefined || v.scope.answer) return response;
  if (/^https?:/.test(page.uri)) return { status: 302, headers: [['Location', page.uri]] };
  const shown = await enter(v, fill(v, page.uri), depth + 1);
  return shown.status >= 400 && shown.status === 404 ? response : { ...shown, status: page.status ?? response.status };
}

function rewritten(v: Visit): string | HttpResponse | undefined {
  let uri = v.uri;
  let changed = false;
  for (const { regex, to, flag } of v.scope.rewrites) {
    const match = regex.exec(uri);
    if (!match) continue;
    v.captures = match;
    const target = fill(v, to);
    if (flag === 'redirect' || flag === 'permanent' || /^https?:/.test(target)) {
      const status = flag === 'permanent' ? 301 : 302;
      return fixed(v, status, [['Location', absolute(v, target)]]);
    }
    uri = target.split('?')[0] ?? target;
    changed = true;
    if (flag === 'last' || flag === 'break') break;
  }
  return changed ? uri : undefined;
}

const absolute = (v: Visit, target: string): string =>
  target.startsWith('/') ? `http://${header(v.request.headers, 'host') ?? v.server.names[0] ?? ''}${target}` : target;

function returned(v: Visit, { status, text }: NonNullable<Scope['answer']>): HttpResponse {
  if (status === 444) return { status, abort: true };
  if (text !== undefined && [301, 302, 303, 307, 308].includes(status))
    return fixed(v, status, [['Location', absolute(v, fill(v, text))]]);
  if (text === undefined)
    return status === 204 || status === 200
      ? { status, headers: status === 200 ? [['Content-Type', v.scope.defaultType]] : [] }
      : fixed(v, status);
  return { status, headers: [['Content-Type', v.scope.defaultType]], body: fill(v, text) };
}

async function handle(v: Visit, depth: number): Promise<HttpResponse> {
  const { scope, request } = v;
  for (const { allow, what } of scope.rules) {
    if (what !== 'all' && !(what.includes('/') ? netOf(what).contains(request.remote.ip) : what === request.remote.ip))
      continue;
    if (allow) break;
    await v.error('error', `*1 access forbidden by rule, ${context(v)}`);
    return fixed(v, 403);
  }
  if (scope.answer) return returned(v, scope.answer);
  if (scope.maxBody > 0 && request.body.length > scope.maxBody) {
    await v.error('error', `*1 client intended to send too large body: ${request.body.length} bytes, ${context(v)}`);
    return fixed(v, 413);
  }
  if (scope.status) {
    const { accepted, requests, active } = v.counters;
    return {
      status: 200,
      headers: [['Content-Type', 'text/plain']],
      body: `Active connections: ${active} \nserver accepts handled requests\n ${accepted} ${accepted} ${requests} \nReading: 0 Writing: 1 Waiting: ${Math.max(0, active - 1)} \n`,
    };
  }
  if (scope.proxy !== undefined) return proxied(v, scope.proxy);
  if (request.method !== 'GET' && request.method !== 'HEAD') return fixed(v, 405);
  if (scope.tryFiles) return tried(v, scope.tryFiles, depth);
  return fileAt(v, v.uri, depth);
}

const place = (v: Visit, uri: string): readonly [string, string] =>
  v.scope.alias !== undefined && v.location
    ? [
        fill(v, v.scope.alias).replace(/\/$/, ''),
        `/${uri.slice(v.location.kind === 'regex' ? uri.length : v.location.path.length)}`,
      ]
    : [fill(v, v.scope.root), uri];

async function tried(v: Visit, files: readonly string[], depth: number): Promise<HttpResponse> {
  for (const file of files.slice(0, -1)) {
    const uri = fill(v, file);
    const [root, path] = place(v, uri);
    const served = await readServed(v.p, root, path);
    if (served.kind === 'file' && !uri.endsWith('/')) return fileAt(v, uri, depth);
    if (served.kind === 'directory' && uri.endsWith('/')) return fileAt(v, uri, depth);
  }
  const last = files[files.length - 1] ?? '';
  if (last.startsWith('=')) return fixed(v, Number(last.slice(1)));
  return enter(v, fill(v, last).split('?')[0] ?? '/', depth + 1);
}

async function fileAt(v: Visit, uri: string, depth: number): Promise<HttpResponse> {
  const [root, path] = place(v, uri);
  const served = await readServed(v.p, root, path);
  if (served.kind === 'directory') {
    if (!uri.endsWith('/')) return fixed(v, 301, [['Location', absolute(v, `${uri}/`)]]);
    for (const name of v.scope.index) {
      const inside = await readServed(v.p, root, `${path}${fill(v, name)}`);
      if (inside.kind === 'file') return content(v, inside);
      if (inside.kind === 'denied') return failed(v, inside.path, 'EACCES');
    }
    if (v.scope.autoindex) return listing(v, served.path, uri);
    await v.error('error', `*1 directory index of "${served.path.replace(/\/*$/, '/')}" is forbidden, ${context(v)}`);
    return fixed(v, 403);
  }
  if (served.kind === 'file') return uri.endsWith('/') ? fixed(v, 404) : content(v, served);
  return depth > 0 && served.kind === 'absent'
    ? fixed(v, 404)
    : failed(v, served.path, served.kind === 'denied' ? 'EACCES' : 'ENOENT');
}

async function failed(v: Visit, path: string, code: 'EACCES' | 'ENOENT'): Promise<HttpResponse> {
  const number = code === 'EACCES' ? 13 : 2;
  await v.error('error', `*1 open() "${path}" failed (${number}: ${strerror(new SysError(code))}), ${context(v)}`);
  return fixed(v, code === 'EACCES' ? 403 : 404);
}

function content(v: Visit, served: Extract<Awaited<ReturnType<typeof readServed>>, { kind: 'file' }>): HttpResponse {
  const etag = entityTag(served.inode);
  const headers: Headers = [
    ['Content-Type', mediaType(served.path, v.scope.defaultType)],
    ['Last-Modified', httpDate(served.inode.mtime)],
    ['ETag', etag],
    ['Accept-Ranges', 'bytes'],
  ];
  if (header(v.request.headers, 'if-none-match') === etag) return { status: 304, headers: headers.slice(1, 3) };
  const range = /^bytes=(\d+)-(\d*)$/.exec(header(v.request.headers, 'range') ?? '');
  if (range) {
    const from = Number(range[1]);
    const to = Math.min(served.data.length - 1, range[2] ? Number(range[2]) : served.data.length - 1);
    if (from <= to)
      return {
        status: 206,
        headers: [...headers.slice(0, 3), ['Content-Range', `bytes ${from}-${to}/${served.data.length}`]],
        body: served.data.subarray(from, to + 1),
      };
  }
  return { status: 200, headers, body: served.data };
}

function listing(v: Visit, path: string, uri: string): HttpResponse {
  const rows = listPath(v.p.view, path)
    .filter((name) => !name.startsWith('.'))
    .map((name) => {
      const { inode } = find(v.p.view, `${path}/${name}`);
      const shown = inode.type === 'directory' ? `${name}/` : name;
      const link = `<a href="${encodeURI(shown)}">${shown}</a>`;
      return `${link}${' '.repeat(Math.max(1, 51 - shown.length))}${formatTime('%d-%b-%Y %H:%M', inode.mtime)}${(inode.type === 'directory' ? '-' : String(sizeOf(inode))).padStart(20)}\r\n`;
    });
  return {
    status: 200,
    headers: [['Content-Type', 'text/html']],
    body: `<html>\r\n<head><title>Index of ${uri}</title></head>\r\n<body>\r\n<h1>Index of ${uri}</h1><hr><pre><a href="../">../</a>\r\n${rows.join('')}</pre><hr></body>\r\n</html>\r\n`,
  };
}

let turn = 0;

/** Hands the request to an upstream and its answer back. */
async function proxied(v: Visit, target: string): Promise<HttpResponse> {
  const url = /^http:\/\/(\[[^\]]*\]|[^:/]+)(?::(\d+))?(\/.*)?$/.exec(fill(v, target));
  const name = url?.[1] ?? '';
  const group = v.config.upstreams.get(name);
  const found = group ? undefined : await lookupHost(v.p, name);
  const members =
    group ??
    (found?.kind === 'found' ? found.addresses.map((ip) => ({ ip, port: Number(url?.[2] ?? 80), host: name })) : []);
  if (members.length === 0) {
    await v.error('error', `*1 ${name} could not be resolved (3: Host not found), ${context(v)}`);
    return fixed(v, 502);
  }
  const query = v.request.target.includes('?') ? v.request.target.slice(v.request.target.indexOf('?')) : '';
  const prefix = v.location?.kind === 'prefix' || v.location?.kind === 'stop' ? v.location.path : '';
  const path =
    url?.[3] === undefined
      ? v.uri === v.request.path
        ? v.request.target
        : `${v.uri}${query}`
      : `${url[3]}${v.uri.slice(prefix.length)}${query}`;
  const set = v.scope.proxyHeaders.map(([key, value]) => [key, fill(v, value)] as const);
  const own = new Set([
    ...set.map(([key]) => key.toLowerCase()),
    'host',
    'connection',
    'content-length',
    'keep-alive',
    'transfer-encoding',
    'expect',
  ]);
  const kept = v.request.headers.filter(([key]) => !own.has(key.toLowerCase()));
  const host =
    set.find(([key]) => key.toLowerCase() === 'host')?.[1] ??
    `${name}${url?.[2] && url[2] !== '80' ? `:${url[2]}` : ''}`;
  for (let attempt = 0; attempt < members.length; attempt++) {
    const member = members[turn++ % members.length] as (typeof members)[number];
    const shown = `upstream: "http://${member.ip}:${member.port}${path}"`;
    try {
      const { fd } = await connect(v.p, member.ip, member.port, 60_000);
      try {
        const reply = await exchange(plainTransport(v.p, fd), {
          method: v.request.method,
          target: path,
          headers: [
            ['Host', host],
            ['Connection', 'close'],
            ...set.filter(([key, value]) => !/^(host|connection)$/i.test(key) && value !== ''),
            ...kept,
            ...(v.request.body.length > 0 ? [['Content-Length', String(v.request.body.length)] as const] : []),
          ],
          body: v.request.body,
        });
        if (!reply) throw new SysError('ECONNRESET');
        const parts: Uint8Array[] = [];
        for await (const part of reply.body()) parts.push(part);
        const headers = reply.headers.filter(
          ([key]) => !/^(connection|keep-alive|transfer-encoding|content-length|date|server)$/i.test(key),
        );
        return { status: reply.status, headers, body: Buffer.concat(parts) };
      } finally {
        v.p.close(fd);
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      const [text, status] =
        error.code === 'ETIMEDOUT'
          ? ['upstream timed out (110: Connection timed out) while connecting to upstream', 504]
          : error.code === 'ECONNREFUSED'
            ? ['connect() failed (111: Connection refused) while connecting to upstream', 502]
            : error.code === 'ECONNRESET' || error.code === 'EPIPE'
              ? ['upstream prematurely closed connection while reading response header from upstream', 502]
              : [`connect() failed (113: ${strerror(error)}) while connecting to upstream`, 502];
      await v.error('error', `*1 ${text}, ${context(v).replace(', host:', `, ${shown}, host:`)}`);
      if (attempt === members.length - 1) return fixed(v, status as number);
    }
  }
  return fixed(v, 502);
}
