import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { parse } from 'yaml';

/** How to reach a cluster, from its kubeconfig. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

interface KubeconfigFile {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly {
    readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string };
  }[];
}

export function targetOf(kubeconfig: string): Target {
  const file = parse(readFileSync(kubeconfig, 'utf8')) as KubeconfigFile;
  const [cluster, user] = [file.clusters[0]?.cluster, file.users[0]?.user];
  if (!cluster || !user) throw new Error(`${kubeconfig} names no cluster and user`);
  const url = new URL(cluster.server);
  const data = (text: string): Buffer => Buffer.from(text, 'base64');
  return {
    host: url.hostname,
    port: Number(url.port),
    ca: data(cluster['certificate-authority-data']),
    cert: data(user['client-certificate-data']),
    key: data(user['client-key-data']),
  };
}

export interface RawResponse {
  readonly status: number;
  readonly body: Buffer;
}

/** One keep-alive HTTP/1.1 connection that does next to nothing per request, so that the server is what is measured. */
export interface RawConnection {
  send(method: string, path: string, body?: string | Buffer): Promise<RawResponse>;
  /** Sends a request and hands over the raw bytes of a body without end (watch). */
  stream(path: string, onData: (chunk: Buffer) => void): void;
  close(): void;
}

export function openConnection(target: Target): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ ...target, servername: 'kubernetes', ALPNProtocols: ['http/1.1'] });
    let pending: { resolve(response: RawResponse): void; reject(error: Error): void } | undefined;
    let onData: ((chunk: Buffer) => void) | undefined;
    let buffered: Buffer[] = [];
    let size = 0;
    let wanted = 0;
    let headEnd = 0;
    let status = 0;
    const chunkedEnd = Buffer.from('0\r\n\r\n');
    const finish = (whole: Buffer): void => {
      const waiting = pending;
      pending = undefined;
      buffered = [];
      size = 0;
      wanted = 0;
      waiting?.resolve({ status, body: whole.subarray(headEnd) });
    };
    socket.on('data', (chunk: Buffer) => {
      if (onData) {
        onData(chunk);
        return;
      }
      buffered.push(chunk);
      size += chunk.length;
      if (wanted === 0) {
        const whole = Buffer.concat(buffered);
        buffered = [whole];
        const end = whole.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = whole.toString('latin1', 0, end);
        status = Number(head.slice(9, 12));
        headEnd = end + 4;
        const length = /content-length: (\d+)/i.exec(head)?.[1];
        wanted = length === undefined ? -1 : headEnd + Number(length);
      }
      if (wanted > 0 && size >= wanted) finish(Buffer.concat(buffered));
      else if (wanted === -1) {
        const tail = Buffer.concat(buffered.slice(-2)).subarray(-5);
        if (tail.equals(chunkedEnd)) finish(Buffer.concat(buffered));
      }
    });
    const fail = (error: Error): void => {
      pending?.reject(error);
      reject(error);
    };
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the connection was closed')));
    const head = (method: string, path: string, length: number): string =>
      `${method} ${path} HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n${
        length > 0 ? `Content-Type: application/json\r\nContent-Length: ${length}\r\n` : ''
      }\r\n`;
    socket.on('secureConnect', () =>
      resolve({
        send: (method, path, body) =>
          new Promise((done, refuse) => {
            pending = { resolve: done, reject: refuse };
            const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
            socket.write(Buffer.concat([Buffer.from(head(method, path, bytes.length)), bytes]));
          }),
        stream(path, take) {
          onData = take;
          socket.write(head('GET', path, 0));
        },
        close: () => socket.destroy(),
      }),
    );
  });
}

/** Runs `total` requests over `connections` connections; gives requests per second and fails on any status but `expect`. */
export async function load(
  target: Target,
  connections: number,
  total: number,
  expect: number,
  request: (n: number) => readonly [method: string, path: string, body?: string | Buffer],
): Promise<{ readonly perSecond: number; readonly p50: number; readonly p99: number }> {
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(target)));
  let next = 0;
  const times: number[] = [];
  const began = performance.now();
  await Promise.all(
    open.map(async (connection) => {
      while (next < total) {
        const [method, path, body] = request(next++);
        const at = performance.now();
        const response = await connection.send(method, path, body);
        times.push(performance.now() - at);
        if (response.status !== expect)
          throw new Error(`${method} ${path}: ${response.status} ${response.body.toString().slice(0, 300)}`);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const connection of open) connection.close();
  times.sort((a, b) => a - b);
  return { perSecond: total / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** The value below which this share of sorted numbers lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
