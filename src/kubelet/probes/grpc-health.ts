import { connect as http2Connect } from 'node:http2';
import type { NodeDialer } from '../../runtime/node-runtime.ts';
import { goDuration } from '../go-format.ts';

const servingNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const codeNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** HealthCheckRequest { service = 1 } in a gRPC frame. */
function requestFrame(service: string): Buffer {
  const name = Buffer.from(service);
  const length: number[] = [];
  for (let left = name.length; ; left >>>= 7) {
    length.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) break;
  }
  const body = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** HealthCheckResponse { status = 1 }; an absent field is UNKNOWN. */
function servingStatus(frame: Buffer): string {
  const body = frame.subarray(5);
  return servingNames[body[0] === 0x08 ? (body[1] ?? 0) : 0] ?? `${body[1]}`;
}

/**
 * Asks grpc.health.v1.Health/Check. Undefined when it is SERVING, else upstream's text for the failure (pkg/probe/grpc).
 * `signal` ends the attempt; `timeoutMs` is for the text.
 */
export async function grpcHealth(
  dialer: NodeDialer,
  host: string,
  port: number,
  service: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const within = goDuration(timeoutMs);
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const unreachable = `timeout: failed to connect service "${address}" within ${within}: context deadline exceeded`;
  const socket = await dialer.connect(host, port, signal).catch(() => undefined);
  if (!socket) return unreachable;
  return new Promise((resolve) => {
    let connected = false;
    const session = http2Connect(`http://${address}`, { createConnection: () => socket });
    const finish = (answer: string | undefined): void => {
      signal.removeEventListener('abort', onAbort);
      session.destroy();
      socket.destroy();
      resolve(answer);
    };
    const onAbort = (): void =>
      finish(connected ? `timeout: health rpc did not complete within ${within}` : unreachable);
    signal.addEventListener('abort', onAbort, { once: true });
    session.once('error', (error) =>
      finish(
        connected
          ? `error: health rpc probe failed: rpc error: code = Unavailable desc = ${error.message}`
          : unreachable,
      ),
    );
    session.once('remoteSettings', () => {
      connected = true;
    });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'user-agent': 'kube-probe/1.36',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status: string | undefined;
    let message = '';
    const note = (headers: Readonly<Record<string, string | string[] | number | undefined>>): void => {
      if (headers['grpc-status'] !== undefined) {
        status = String(headers['grpc-status']);
        message = decodeURIComponent(String(headers['grpc-message'] ?? ''));
      }
    };
    stream.on('response', (headers) => {
      connected = true;
      note(headers as Record<string, string | undefined>);
      if (headers[':status'] !== 200 && status === undefined) {
        status = headers[':status'] === 404 ? '12' : '2';
        message = `unexpected HTTP status code received from server: ${headers[':status']}`;
      }
    });
    stream.on('trailers', (headers) => note(headers as Record<string, string | undefined>));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', (error) =>
      finish(`error: health rpc probe failed: rpc error: code = Unavailable desc = ${error.message}`),
    );
    stream.once('end', () => {
      const code = Number(status ?? '2');
      if (code === 12)
        finish(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`);
      else if (code === 4) finish(`timeout: health rpc did not complete within ${within}`);
      else if (code !== 0)
        finish(
          `error: health rpc probe failed: rpc error: code = ${codeNames[code] ?? `Code(${code})`} desc = ${message}`,
        );
      else {
        const serving = servingStatus(Buffer.concat(chunks));
        finish(serving === 'SERVING' ? undefined : `service unhealthy (responded with "${serving}")`);
      }
    });
    stream.end(requestFrame(service));
  });
}
