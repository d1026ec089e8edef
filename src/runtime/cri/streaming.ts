import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type SpdySession, spdySession } from '../../base/spdy/session.ts';
import { CriError, type StreamOptions, type StreamSession } from '../cri.ts';
import type { Service } from './channel.ts';

/** Upgrades to SPDY at a streaming URL of the runtime (k8s.io/kubelet/pkg/cri/streaming). The URL works once. */
function upgrade(url: string, protocol: string): Promise<SpdySession> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: 'POST',
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'SPDY/3.1',
        'X-Stream-Protocol-Version': protocol,
        'Content-Length': 0,
      },
    });
    request.once('upgrade', (_response, socket, head) => {
      const session = spdySession(socket, 'client', () => undefined);
      if (head.length > 0) socket.unshift(head);
      resolve(session);
    });
    request.once('response', (response) => {
      void text(response).then((body) =>
        reject(new CriError('Unknown', `unable to upgrade connection: ${response.statusCode} ${body.trim()}`)),
      );
    });
    request.once('error', (error) => reject(new CriError('Unavailable', error.message)));
    request.end();
  });
}

interface ExitStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** The exit code in the status that ends a v4 session; an empty stream means a clean detach. */
export function exitCodeOf(status: string): { readonly exitCode: number } {
  if (status.trim() === '') return { exitCode: 0 };
  const parsed = JSON.parse(status) as ExitStatus;
  if (parsed.status === 'Success') return { exitCode: 0 };
  const code = parsed.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (parsed.reason === 'NonZeroExitCode' && code !== undefined) return { exitCode: Number(code) };
  throw new CriError('Unknown', parsed.message ?? status);
}

async function openSession(url: string, options: StreamOptions): Promise<StreamSession> {
  const session = await upgrade(url, 'v4.channel.k8s.io');
  const open = (streamtype: string): Promise<Duplex> => session.open({ streamtype });
  // The server waits until every stream it expects is there; error comes first by custom.
  const error = await open('error');
  const stdin = options.stdin ? await open('stdin') : null;
  const stdout = options.stdout ? await open('stdout') : null;
  const stderr = options.stderr && !options.tty ? await open('stderr') : null;
  const resize = options.tty ? await open('resize') : null;
  const exit = text(error).then(exitCodeOf);
  // Whoever does not ask for the exit must not bring the process down by it.
  exit.catch(() => undefined);
  stdin?.resume();
  return {
    stdin,
    stdout,
    stderr,
    resize(width, height) {
      resize?.write(JSON.stringify({ Width: width, Height: height }));
    },
    exit,
    close: () => session.close(),
  };
}

/** Runs a command in a container with its streams. */
export async function execStream(
  runtime: Service,
  containerId: string,
  command: readonly string[],
  options: StreamOptions,
): Promise<StreamSession> {
  const request = { containerId, cmd: command, ...options, stderr: options.stderr && !options.tty };
  const { url } = await runtime.call<{ url: string }>('Exec', request);
  return openSession(url, options);
}

/** Attaches to a container's first process. */
export async function attachStream(
  runtime: Service,
  containerId: string,
  options: StreamOptions,
): Promise<StreamSession> {
  const request = { containerId, ...options, stderr: options.stderr && !options.tty };
  const { url } = await runtime.call<{ url: string }>('Attach', request);
  return openSession(url, options);
}

/** A connection to a port in the sandbox's network namespace. Its end is the connection's; the runtime's complaint is its error. */
export async function portForwardStream(runtime: Service, podSandboxId: string, port: number): Promise<Duplex> {
  const { url } = await runtime.call<{ url: string }>('PortForward', { podSandboxId, port: [port] });
  const session = await upgrade(url, 'portforward.k8s.io');
  const headers = { port: String(port), requestid: '0' };
  const error = await session.open({ ...headers, streamtype: 'error' });
  error.end();
  const data = await session.open({ ...headers, streamtype: 'data' });
  void text(error).then((said) => said !== '' && data.destroy(new Error(said)));
  data.once('close', () => session.close());
  return data;
}
