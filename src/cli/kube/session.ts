import { WebSocket } from 'ws';
import type { V1Status } from '../../api/generated/types.ts';
import { StatusError } from '../../api/status.ts';
import type { HttpsClient } from '../../client/https-client.ts';
import { KubectlError } from './errors.ts';
import type { Terminal } from './terminal.ts';

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
/** v5 says on channel 255 which channel has ended; v4 cannot end standard input. */
const closeChannel = 255;
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
/** Bytes that may wait to be sent before standard input is held back. */
const sendAhead = 1024 * 1024;

export interface SessionStreams {
  readonly stdin?: NodeJS.ReadableStream;
  readonly stdout?: NodeJS.WritableStream;
  readonly stderr?: NodeJS.WritableStream;
  readonly terminal?: Terminal;
}

/** Opens a WebSocket to a subresource; a refusal is thrown with what the server says. */
export async function openSocket(client: HttpsClient, path: string, offered: readonly string[]): Promise<WebSocket> {
  const { url, headers, tls } = await client.upgradeOptions(path);
  const socket = new WebSocket(url, [...offered], {
    ...tls,
    headers: headers as Record<string, string>,
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
  } as ConstructorParameters<typeof WebSocket>[2]);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        if (text.length < 64 * 1024) text += chunk.toString();
      });
      response.on('end', () => reject(refusal(text, response.statusCode)));
    });
  });
  return socket;
}

/** Why the server would not: its Status, or what it says instead of one. */
function refusal(text: string, code: number | undefined): Error {
  try {
    const status = JSON.parse(text) as V1Status;
    if (status.kind === 'Status') return new StatusError(status);
  } catch {
    return new KubectlError(`unable to upgrade connection: ${text.trim() || `the server answered ${code}`}`);
  }
  return new KubectlError(`unable to upgrade connection: the server answered ${code}`);
}

/** Runs exec or attach over a WebSocket to its end. Resolves with the exit code; throws `KubectlError` for a failure. */
export async function runSession(client: HttpsClient, path: string, streams: SessionStreams): Promise<number> {
  const socket = await openSocket(client, path, protocols);
  const { stdin, terminal } = streams;
  const onInput = (chunk: Buffer | string): void => {
    socket.send(Buffer.concat([Buffer.from([channels.stdin]), Buffer.from(chunk)]), () => {
      if (socket.bufferedAmount < sendAhead) stdin?.resume();
    });
    if (socket.bufferedAmount >= sendAhead) stdin?.pause();
  };
  const onEnd = (): void => {
    if (socket.protocol === protocols[0]) socket.send(Buffer.from([closeChannel, channels.stdin]));
  };
  const tellSize = (): void => {
    const size = terminal?.size();
    if (size) socket.send(Buffer.concat([Buffer.from([channels.resize]), Buffer.from(JSON.stringify(size))]));
  };
  try {
    return await new Promise<number>((resolve, reject) => {
      let status: V1Status | undefined;
      socket.on('message', (data: Buffer) => {
        const body = data.subarray(1);
        const to =
          data[0] === channels.stdout ? streams.stdout : data[0] === channels.stderr ? streams.stderr : undefined;
        if (data[0] === channels.error && body.length > 0) status = JSON.parse(body.toString()) as V1Status;
        else if (to && body.length > 0 && !to.write(body)) {
          socket.pause();
          to.once('drain', () => socket.resume());
        }
      });
      socket.once('error', reject);
      socket.once('close', () => {
        try {
          resolve(exitCodeOf(status));
        } catch (error) {
          reject(error);
        }
      });
      tellSize();
      terminal?.onResize(tellSize);
      stdin?.on('data', onInput);
      stdin?.once('end', onEnd);
    });
  } finally {
    stdin?.removeListener('data', onInput);
    stdin?.removeListener('end', onEnd);
    stdin?.pause();
    socket.terminate();
  }
}

/** The exit code in the status that ends a session. */
function exitCodeOf(status: V1Status | undefined): number {
  if (!status) throw new KubectlError('the connection ended before the command did');
  if (status.status === 'Success') return 0;
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (status.reason === 'NonZeroExitCode' && code !== undefined) return Number(code);
  throw new KubectlError(status.message ?? 'the command failed');
}
