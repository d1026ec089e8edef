import { type IncomingHttpHeaders, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import type { V1Container, V1HTTPGetAction } from '../../api/generated/types.ts';
import type { NodeDialer } from '../../runtime/node-runtime.ts';
import { dialErrorText, errorMessage } from '../go-format.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const maxBody = 10 * 1024;

/** A port number, or the number of the container's port with this name. Upstream: probe.ResolveContainerPort. */
export function resolvePort(port: number | string, container: V1Container): number {
  const named = typeof port === 'string' ? container.ports?.find((it) => it.name === port)?.containerPort : undefined;
  const number = named ?? (typeof port === 'number' ? port : /^\d+$/.test(port) ? Number(port) : Number.NaN);
  if (Number.isNaN(number)) throw new Error(`port ${port} not found`);
  if (number <= 0 || number > 65535) throw new Error(`invalid port number: ${number}`);
  return number;
}

export interface HttpTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** Where an httpGet action points. Upstream: NewRequestForHTTPGetAction. */
export function httpTarget(action: V1HTTPGetAction, container: V1Container, podIp: string, agent: string): HttpTarget {
  const port = resolvePort(action.port, container);
  const headers: Record<string, string[]> = {};
  for (const { name, value } of action.httpHeaders ?? []) {
    const key = Object.keys(headers).find((it) => it.toLowerCase() === name.toLowerCase()) ?? name;
    headers[key] = [...(headers[key] ?? []), value];
  }
  const has = (name: string): boolean => Object.keys(headers).some((it) => it.toLowerCase() === name);
  if (!has('user-agent')) headers['User-Agent'] = [`kube-${agent}/1.36`];
  if (!has('accept')) headers['Accept'] = ['*/*'];
  else
    for (const key of Object.keys(headers))
      if (key.toLowerCase() === 'accept' && headers[key]?.[0] === '') delete headers[key];
  const path = action.path ?? '';
  return {
    scheme: action.scheme?.toLowerCase() === 'https' ? 'https' : 'http',
    host: action.host || podIp,
    port,
    path: path === '' || path.startsWith('/') ? path : `/${path}`,
    headers,
  };
}

/** As Go prints it: `http://10.0.0.1:80/healthz`. */
export function targetUrl(target: HttpTarget): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${target.scheme}://${host}:${target.port}${target.path}`;
}

const secure = (socket: Duplex, host: string): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const tls = tlsConnect(
      { socket, rejectUnauthorized: false, ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }) },
      () => resolve(tls),
    );
    tls.once('error', reject);
  });

const describe = (error: unknown, target: HttpTarget): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = errorMessage(error);
  if (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' ||
    message.includes('wrong version number')
  )
    return 'http: server gave HTTP response to HTTPS client';
  if (code.startsWith('HPE_')) return 'net/http: HTTP/1.x transport connection broken: malformed HTTP response';
  if (message === 'socket hang up') return 'EOF';
  if (code === 'ECONNRESET') return 'read: connection reset by peer';
  return dialErrorText(error, target.host, target.port);
};

/** One GET over a connection of the node's dialer. Rejects with Go's text without the `Get "url":` in front. */
export async function httpGet(dialer: NodeDialer, target: HttpTarget, signal: AbortSignal): Promise<HttpAnswer> {
  const expired = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  let socket: Duplex;
  try {
    socket = await dialer.connect(target.host, target.port, signal);
  } catch (error) {
    throw new Error(signal.aborted ? expired : dialErrorText(error, target.host, target.port));
  }
  const abort = (): void => void socket.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const connection = target.scheme === 'https' ? await secure(socket, target.host) : socket;
    return await new Promise<HttpAnswer>((resolve, reject) => {
      const hostHeader = Object.keys(target.headers).find((it) => it.toLowerCase() === 'host');
      const defaultPort = target.scheme === 'https' ? 443 : 80;
      const sent = request(
        {
          createConnection: () => connection,
          method: 'GET',
          path: target.path === '' ? '/' : target.path,
          host: target.host,
          headers: {
            ...(hostHeader === undefined && {
              Host: target.port === defaultPort ? target.host : `${target.host}:${target.port}`,
            }),
            ...target.headers,
            Connection: 'close',
          },
          signal,
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          const finish = (): void =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).subarray(0, maxBody).toString('utf8'),
            });
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            size += chunk.length;
            if (size >= maxBody) {
              finish();
              response.destroy();
            }
          });
          response.once('end', finish);
          response.once('error', reject);
        },
      );
      sent.once('error', reject);
      sent.end();
    });
  } catch (error) {
    throw new Error(signal.aborted ? expired : describe(error, target));
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}
