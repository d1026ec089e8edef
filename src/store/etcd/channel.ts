import { fileURLToPath } from 'node:url';
import type { ChannelCredentials, ClientDuplexStream, Metadata, ServiceError } from '@grpc/grpc-js';
import { type Clock, sleep, systemClock } from '../../base/clock.ts';
import { StoreUnavailableError } from '../store.ts';

/** How to reach an etcd cluster. */
export interface EtcdAddress {
  /** `http://…` or `https://…` of each member. */
  readonly endpoints: readonly string[];
  /** PEM texts. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly user?: string;
  readonly password?: string;
}

/** What etcd answered, with gRPC's status code. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export type Method =
  | 'KV.Range'
  | 'KV.Put'
  | 'KV.DeleteRange'
  | 'KV.Txn'
  | 'KV.Compact'
  | 'Lease.LeaseGrant'
  | 'Lease.LeaseRevoke'
  | 'Maintenance.Status'
  | 'Auth.Authenticate';

export type WatchStream = ClientDuplexStream<object, never>;

export interface EtcdChannel {
  /** One attempt at the present member. Rejects with `EtcdError`; moves on to the next member where this one did not serve. */
  attempt<R>(method: Method, request: object, timeoutMs: number): Promise<R>;
  /** Tries members in turn until one serves or `patienceMs` is over. For requests that may be done twice. */
  call<R>(method: Method, request: object, options?: { timeoutMs?: number; patienceMs?: number }): Promise<R>;
  stream(method: 'Watch.Watch' | 'Lease.LeaseKeepAlive'): Promise<WatchStream>;
  /** The member that serves now has failed. */
  moveOn(): void;
  readonly endpoints: number;
  close(): void;
}

const unauthenticated = 16;
/** Cancelled, unknown, deadline exceeded, aborted, internal, unavailable: the member or the way to it failed. */
const transient = new Set([1, 2, 4, 10, 13, 14]);
export const isTransient = (error: unknown): boolean =>
  error instanceof EtcdError &&
  (transient.has(error.code) || /too many requests|invalid auth token/.test(error.message));

type AnyCall = (
  request: object,
  metadata: Metadata,
  options: object,
  done: (error: ServiceError | null, reply: unknown) => void,
) => void;
type AnyClient = Readonly<Record<string, AnyCall | undefined>> & { close(): void };

/** Pause between rounds over all members, milliseconds. */
const pause = 100;

/** Connects to an etcd cluster. gRPC is loaded only here, so that clusters without etcd never pay for it. */
export async function etcdChannel(address: EtcdAddress, clock: Clock): Promise<EtcdChannel> {
  const grpc = await import('@grpc/grpc-js');
  const loader = await import('@grpc/proto-loader');
  const definitions = loader.loadSync(fileURLToPath(new URL('./etcd.proto', import.meta.url)), {
    keepCase: false,
    longs: String,
    enums: String,
    defaults: true,
    arrays: true,
    oneofs: false,
  }) as Readonly<Record<string, unknown>>;

  const credentialsFor = (url: URL): ChannelCredentials => {
    if (url.protocol === 'http:') return grpc.credentials.createInsecure();
    const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
    return grpc.credentials.createSsl(pem(address.ca), pem(address.key), pem(address.certificate));
  };
  const members = address.endpoints.map((endpoint) => {
    const url = new URL(endpoint);
    const services = new Map<string, AnyClient>();
    return {
      service(name: string): AnyClient {
        let client = services.get(name);
        if (!client) {
          const full = `etcdserverpb.${name}`;
          const Client = grpc.makeClientConstructor(definitions[full] as never, full);
          client = new Client(url.host.includes(':') ? url.host : `${url.host}:2379`, credentialsFor(url), {
            'grpc.max_receive_message_length': 1 << 30,
            'grpc.max_send_message_length': 64 << 20,
            'grpc.initial_reconnect_backoff_ms': 100,
            'grpc.max_reconnect_backoff_ms': 1000,
            'grpc.keepalive_time_ms': 5000,
            'grpc.keepalive_timeout_ms': 3000,
            'grpc.keepalive_permit_without_calls': 1,
          }) as unknown as AnyClient;
          services.set(name, client);
        }
        return client;
      },
      close(): void {
        for (const client of services.values()) client.close();
      },
    };
  });
  let at = 0;
  let token: Promise<string> | undefined;
  const member = () => members[at % members.length] as (typeof members)[number];

  const raw = <R>(method: Method, request: object, timeoutMs: number, metadata: Metadata): Promise<R> =>
    new Promise<R>((resolve, reject) => {
      const [service = '', name = ''] = method.split('.');
      const client = member().service(service);
      // gRPC deadlines are wall-clock dates, so this clock can only be the machine's.
      const deadline = new Date(systemClock.now() + timeoutMs);
      client[name]?.call(client, request, metadata, { deadline }, (error, reply) => {
        if (error) reject(new EtcdError(error.code, error.details));
        else resolve(reply as R);
      });
    });
  const metadataFor = async (): Promise<Metadata> => {
    const metadata = new grpc.Metadata();
    // A member cut off from the others refuses instead of waiting.
    metadata.set('hasleader', 'true');
    if (address.user !== undefined) {
      token ??= raw<{ token: string }>(
        'Auth.Authenticate',
        { name: address.user, password: address.password ?? '' },
        5000,
        new grpc.Metadata(),
      ).then((reply) => reply.token);
      try {
        metadata.set('token', await token);
      } catch (error) {
        token = undefined;
        throw error;
      }
    }
    return metadata;
  };

  const channel: EtcdChannel = {
    endpoints: members.length,
    moveOn() {
      at += 1;
    },
    async attempt<R>(method: Method, request: object, timeoutMs: number): Promise<R> {
      const asked = at;
      try {
        return await raw<R>(method, request, timeoutMs, await metadataFor());
      } catch (error) {
        if (error instanceof EtcdError && (error.code === unauthenticated || /invalid auth token/.test(error.message)))
          token = undefined;
        if (isTransient(error) && at === asked) at += 1;
        throw error;
      }
    },
    async call<R>(
      method: Method,
      request: object,
      options: { timeoutMs?: number; patienceMs?: number } = {},
    ): Promise<R> {
      const until = clock.monotonic() + (options.patienceMs ?? 15_000);
      for (let tries = 1; ; tries++) {
        try {
          return await channel.attempt<R>(method, request, options.timeoutMs ?? 3000);
        } catch (error) {
          if (!isTransient(error)) throw error;
          if (clock.monotonic() > until)
            throw new StoreUnavailableError(
              `no member of etcd serves: ${error instanceof Error ? error.message : String(error)}`,
            );
          if (tries % members.length === 0) await sleep(clock, pause);
        }
      }
    },
    async stream(method) {
      const [service = '', name = ''] = method.split('.');
      const metadata = await metadataFor();
      const client = member().service(service);
      return (client[name] as unknown as (metadata: Metadata) => WatchStream).call(client, metadata);
    },
    close() {
      for (const one of members) one.close();
    },
  };
  return channel;
}
