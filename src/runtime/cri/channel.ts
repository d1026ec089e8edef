import { fileURLToPath } from 'node:url';
import type { ClientReadableStream, Metadata, ServiceError } from '@grpc/grpc-js';
import { systemClock } from '../../base/clock.ts';
import { type CriCode, CriError } from '../cri.ts';

/** Calls of one gRPC service by method name; messages are plain objects with camelCase fields, 64-bit numbers as strings. */
export interface Service {
  /** Rejects with `CriError`. `timeoutMs` 0 = none. */
  call<R>(method: string, request: object, timeoutMs?: number): Promise<R>;
  subscribe<M>(method: string, request: object, metadata: Readonly<Record<string, string>>): ClientReadableStream<M>;
  close(): void;
}

export interface Channel {
  readonly runtime: Service;
  readonly images: Service;
  readonly events: Service;
  close(): void;
}

/** gRPC's status codes by number that CRI errors are told apart by. */
const codes: Readonly<Record<number, CriCode>> = {
  3: 'InvalidArgument',
  4: 'DeadlineExceeded',
  5: 'NotFound',
  6: 'AlreadyExists',
  9: 'FailedPrecondition',
  12: 'Unimplemented',
  14: 'Unavailable',
};

type AnyCall = (
  request: object,
  metadata: Metadata,
  options: object,
  done: (error: ServiceError | null, reply: unknown) => void,
) => void;
type AnyStream = (request: object, metadata: Metadata) => ClientReadableStream<never>;
/** Connects to a runtime's socket. gRPC is loaded only here, so that clusters without a real runtime never pay for it. */
export async function openChannel(socketPath: string): Promise<Channel> {
  const grpc = await import('@grpc/grpc-js');
  const loader = await import('@grpc/proto-loader');
  const options = { keepCase: false, longs: String, enums: String, defaults: true, arrays: true, objects: true };
  const load = (file: string) =>
    loader.loadSync(fileURLToPath(new URL(file, import.meta.url)), options) as Readonly<Record<string, unknown>>;
  const definitions = { ...load('./cri.proto'), ...load('./events.proto') };

  const open = (name: string): Service => {
    const Client = grpc.makeClientConstructor(definitions[name] as never, name);
    const client = new Client(`unix://${socketPath}`, grpc.credentials.createInsecure(), {
      // The authority of a Unix socket is its path, which HTTP/2 servers refuse.
      'grpc.default_authority': 'localhost',
      'grpc.max_receive_message_length': 64 << 20,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
    }) as unknown as { close(): void } & Record<string, AnyCall | undefined>;
    return {
      call: <R>(method: string, request: object, timeoutMs = 120_000) =>
        new Promise<R>((resolve, reject) => {
          // gRPC deadlines are wall-clock dates, so this clock can only be the machine's.
          const deadline = timeoutMs > 0 ? { deadline: new Date(systemClock.now() + timeoutMs) } : {};
          const call = client[method];
          if (!call) {
            reject(new CriError('Unimplemented', `unknown method ${method}`));
            return;
          }
          call.call(client, request, new grpc.Metadata(), deadline, (error, reply) => {
            if (error) reject(new CriError(codes[error.code] ?? 'Unknown', error.details));
            else resolve(reply as R);
          });
        }),
      subscribe<M>(method: string, request: object, fields: Readonly<Record<string, string>>) {
        const metadata = new grpc.Metadata();
        for (const [key, value] of Object.entries(fields)) metadata.set(key, value);
        const call = client[method];
        if (!call) throw new CriError('Unimplemented', `unknown method ${method}`);
        return (call as unknown as AnyStream).call(client, request, metadata) as ClientReadableStream<M>;
      },
      close: () => client.close(),
    };
  };
  const runtime = open('runtime.v1.RuntimeService');
  const images = open('runtime.v1.ImageService');
  const events = open('containerd.services.events.v1.Events');
  return {
    runtime,
    images,
    events,
    close() {
      for (const service of [runtime, images, events]) service.close();
    },
  };
}

/** Fields 1 and 2 of a task event, both strings, from the protobuf wire form. */
export function decodeTask(bytes: Buffer): { readonly containerId: string; readonly id?: string } {
  let at = 0;
  let containerId = '';
  let id: string | undefined;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; at < bytes.length; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) varint();
    else if ((tag & 7) === 2) {
      const length = varint();
      const text = bytes.subarray(at, at + length);
      at += length;
      if (tag >> 3 === 1) containerId = text.toString();
      if (tag >> 3 === 2) id = text.toString();
    } else break;
  }
  return { containerId, ...(id !== undefined && { id }) };
}
