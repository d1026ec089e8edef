import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { endpoints, pods, services } from '../../api/generated/resources.ts';
import type { V1EndpointAddress } from '../../api/generated/types.ts';
import { badRequest, notFound, statusError, unavailable } from '../../api/status.ts';
import { randomInt } from '../../base/random.ts';
import type { AdmissionPlugin, ClusterDialer, ConnectHandler, KubeletDialer, ServerContext } from '../contracts.ts';
import { admitConnect } from './admit-connect.ts';
import { askBackend, type Backend, forwardedHeaders, returnedHeaders, splice, upgradeHead } from './backend.ts';
import { podOf, splitTarget } from './pods.ts';
import { rewriteHtml, rewriteLink } from './rewrite.ts';

type Connect = Parameters<ConnectHandler>[0];
type Admission = () => readonly AdmissionPlugin[];
/** Pages longer than this pass unchanged: links in them are not worth the memory. */
const maxPageBytes = 4 * 1024 * 1024;

interface Target {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

const joinHost = (host: string, port: number): string => (isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`);

/** Splits the request's path, as sent, where the proxied path begins: the server's routing knows no trailing slash, a backend may. */
function splitPath({ request, path }: Connect): { readonly prefix: string; readonly path: string } {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const match = /^(\/api\/v1\/(?:namespaces\/[^/]+\/)?(?:pods|services|nodes)\/[^/]+\/proxy)(\/.*)?$/.exec(
    mark < 0 ? url : url.slice(0, mark),
  );
  return match ? { prefix: match[1] ?? '', path: match[2] ?? '' } : { prefix: '', path };
}

const queryOf = (request: IncomingMessage): string => {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark);
};

const unreachable = (error: unknown) =>
  unavailable(`error trying to reach service: ${error instanceof Error ? error.message : String(error)}`);

/** Sends the request on and its answer back, with links and redirects led through the proxy. */
async function forward(connect: Connect, dial: () => Promise<Backend>): Promise<void> {
  const { request, response, upgrade } = connect;
  const { prefix, path } = splitPath(connect);
  const target = `${path === '' ? '/' : path}${queryOf(request)}`;
  if (upgrade) {
    let backend: Backend;
    try {
      backend = await dial();
    } catch (error) {
      throw statusError(500, '', `error dialing backend: ${error instanceof Error ? error.message : String(error)}`);
    }
    backend.socket.write(upgradeHead(request, target, backend));
    if (upgrade.head.length > 0) backend.socket.write(upgrade.head);
    await splice(upgrade.socket, backend.socket);
    return;
  }
  if (!response) throw badRequest('there is no connection to answer on');
  if (path === '' && (request.method === 'GET' || request.method === 'HEAD')) {
    response.writeHead(301, { location: `${prefix}/${queryOf(request)}` });
    response.end();
    return;
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let backend: Backend;
  let answer: IncomingMessage;
  try {
    backend = await dial();
    const method = request.method ?? 'GET';
    answer = await askBackend(backend, {
      method,
      path: target,
      headers: {
        ...forwardedHeaders(request.headers),
        'x-forwarded-uri': `${prefix}${path}`,
        'x-forwarded-host': request.headers.host ?? request.headers[':authority']?.toString() ?? '',
        'x-forwarded-proto': 'https',
        // Pages are read for their links, so they must not come compressed.
        'accept-encoding': 'identity',
      },
      ...(method !== 'GET' && method !== 'HEAD' && { body: request }),
      signal: gone.signal,
    });
  } catch (error) {
    if (gone.signal.aborted) return;
    throw unreachable(error);
  }
  const headers = returnedHeaders(answer.headers);
  if (typeof headers['location'] === 'string') {
    headers['location'] = rewriteLink(headers['location'], prefix, backend.host);
  }
  const isPage =
    answer.headers['content-type']?.split(';')[0]?.trim() === 'text/html' && !answer.headers['content-encoding'];
  if (isPage && request.method !== 'HEAD') {
    const page = await readPage(answer);
    if (page) {
      const changed = Buffer.from(rewriteHtml(page.toString('utf8'), prefix, backend.host));
      response.writeHead(answer.statusCode ?? 200, { ...headers, 'content-length': String(changed.length) });
      response.end(changed);
      return;
    }
  }
  response.writeHead(answer.statusCode ?? 200, headers);
  response.flushHeaders?.();
  await new Promise<void>((resolve) => {
    response.once('close', () => {
      answer.destroy();
      resolve();
    });
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
}

/** The whole page, or undefined (and everything put back) where its announced length is too much. */
async function readPage(answer: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(answer.headers['content-length'] ?? 0) > maxPageBytes) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxPageBytes) throw unavailable('error trying to reach service: the page is too long to be proxied');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** A connection to a pod; over TLS, whatever its certificate, where the scheme is https. */
async function dialTarget(cluster: ClusterDialer, target: Target): Promise<Backend> {
  const socket = await cluster.connect(target.host, target.port);
  const host = joinHost(target.host, target.port);
  if (target.scheme !== 'https') return { socket, host, headers: {} };
  const secure = await new Promise<Duplex>((resolve, reject) => {
    const wrapped = tlsConnect({ socket, rejectUnauthorized: false, servername: '' }, () => resolve(wrapped));
    wrapped.once('error', reject);
  });
  return { socket: secure, host, headers: {} };
}

function podTarget(context: ServerContext, namespace: string | undefined, id: string): Target {
  const asked = splitTarget(id);
  if (!asked) throw badRequest(`invalid pod request ${JSON.stringify(id)}`);
  const pod = podOf(context, namespace, asked.name);
  const declared = pod.spec?.containers.flatMap((container) => container.ports ?? [])[0]?.containerPort;
  const host = pod.status?.podIP ?? pod.status?.podIPs?.[0]?.ip ?? '';
  const local = host.startsWith('127.') || host === '::1' || host.startsWith('169.254.') || host === '0.0.0.0';
  if (isIP(host) === 0 || local) throw badRequest('address not allowed');
  const fallback = asked.scheme === 'https' ? 443 : 80;
  return { scheme: asked.scheme, host, port: asked.port === '' ? (declared ?? fallback) : Number(asked.port) };
}

/** True where the address is that of a pod of the namespace: nothing else is proxied to. */
function isPodAddress(context: ServerContext, namespace: string | undefined, address: V1EndpointAddress): boolean {
  const { targetRef } = address;
  if (!targetRef || targetRef.namespace !== namespace) return false;
  const pod = context.reader.get(pods, namespace, targetRef.name ?? '');
  return pod?.status?.podIPs?.some((known) => known.ip === address.ip) === true;
}

function serviceTarget(context: ServerContext, namespace: string | undefined, id: string): Target {
  const asked = splitTarget(id);
  if (!asked) throw badRequest(`invalid service request ${JSON.stringify(id)}`);
  let { port } = asked;
  if (/^\d+$/.test(port)) {
    const service = context.reader.get(services, namespace, asked.name);
    if (!service) throw notFound({ group: '', resource: 'services' }, asked.name);
    const declared = service.spec?.ports?.find((known) => known.port === Number(port));
    if (!declared) {
      throw unavailable(`no service port ${Number(port)} found for service ${JSON.stringify(asked.name)}`);
    }
    port = declared.name ?? '';
  }
  const found = context.reader.get(endpoints, namespace, asked.name);
  if (!found) throw notFound({ group: '', resource: 'endpoints' }, asked.name);
  const subsets = found.subsets ?? [];
  if (subsets.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(asked.name)}`);
  const candidates = subsets.flatMap((subset) => {
    const chosen = subset.ports?.find((known) => (known.name ?? '') === port);
    if (!chosen) return [];
    return (subset.addresses ?? [])
      .filter((address) => isPodAddress(context, namespace, address))
      .map((address) => ({ scheme: asked.scheme, host: address.ip, port: chosen.port }));
  });
  const target = candidates[candidates.length > 1 ? randomInt(context.random, candidates.length) : 0];
  if (!target) throw unavailable(`no endpoints available for service ${JSON.stringify(id)}`);
  return target;
}

/** `pods/proxy`: HTTP to a pod's port. */
export function podProxy(cluster: ClusterDialer, admission: Admission): ConnectHandler {
  return async (connect, context) => {
    await admitConnect(connect, context, 'PodProxyOptions', admission());
    const target = podTarget(context, connect.namespace, connect.name);
    await forward(connect, () => dialTarget(cluster, target));
  };
}

/** `services/proxy`: HTTP to one of a Service's pods (pkg/registry/core/service/storage/storage.go, ResourceLocation). */
export function serviceProxy(cluster: ClusterDialer, admission: Admission): ConnectHandler {
  return async (connect, context) => {
    await admitConnect(connect, context, 'ServiceProxyOptions', admission());
    const target = serviceTarget(context, connect.namespace, connect.name);
    await forward(connect, () => dialTarget(cluster, target));
  };
}

/** `nodes/proxy`: HTTP to a node's kubelet. */
export function nodeProxy(kubelets: KubeletDialer, admission: Admission): ConnectHandler {
  return async (connect, context) => {
    await admitConnect(connect, context, 'NodeProxyOptions', admission());
    const asked = splitTarget(connect.name);
    if (!asked) throw badRequest(`invalid node request ${JSON.stringify(connect.name)}`);
    await forward(connect, () => kubelets.dial(asked.name));
  };
}
