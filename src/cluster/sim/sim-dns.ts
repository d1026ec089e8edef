import type { Duplex } from 'node:stream';
import { defined } from '../../base/assert.ts';
import { duplexPair } from '../../base/duplex-pair.ts';
import type { InformerSet } from '../../client/informer.ts';
import { failure } from '../../network/dns/records.ts';
import { type DnsServer, type DnsServerOptions, startDnsServer } from '../../network/dns/server.ts';
import { liveZoneData } from '../../network/dns/zone-data.ts';
import { startClusterDns } from '../cluster-dns.ts';
import type { ClusterContext, ControlPlane } from '../control-plane.ts';

/** A name server of the virtual network: messages in, messages out. */
export interface SimDns {
  datagram(message: Uint8Array, client: string, answer: (reply: Uint8Array) => void): void;
  /** The far end of a connection to port 53. */
  connection(client: string): Duplex;
}

/** The name server in the nodes' own /etc/resolv.conf: it knows the outside, not the cluster. */
export const outsideNameServer = '203.0.113.53';

const outsideCorefile = `.:53 {
    errors
    forward . /etc/resolv.conf
}
`;

/** Longest message over a connection with its length, bytes; it is the format's limit. */
const maxBuffered = 65_537;

/** What both name servers are made of. `hostResolvConf` reads this machine's resolv.conf where the outside may be asked. */
export interface SimDnsOptions {
  readonly context: ClusterContext;
  readonly informers: InformerSet;
  readonly hostResolvConf: (() => Promise<string>) | undefined;
}

type Outside = Pick<DnsServerOptions, 'exchange' | 'readFile'>;

/** How the outside is asked: this machine's name servers where that is allowed, otherwise no name there exists. */
const outsideOf = (hostResolvConf: SimDnsOptions['hostResolvConf']): Outside => ({
  readFile: async () => (hostResolvConf ? hostResolvConf() : `nameserver ${outsideNameServer}\n`),
  ...(!hostResolvConf && { exchange: async () => failure('NXDOMAIN') }),
});

/** Names of the outside. */
export async function startOutsideDns({ context, informers, hostResolvConf }: SimDnsOptions): Promise<SimDns> {
  const { clock, random, log, lifetime } = context;
  const data = liveZoneData(informers, { pods: false });
  const outside = outsideOf(hostResolvConf);
  const base = { corefile: outsideCorefile, data, clock, random, log, lifetime, listen: [], port: 0 };
  return virtual(await startDnsServer({ ...base, ...outside }), context);
}

/** Cluster DNS on the virtual network, at `address`. */
export async function startSimClusterDns(
  { context, informers, hostResolvConf }: SimDnsOptions,
  plane: ControlPlane,
  address: string,
): Promise<SimDns> {
  let current: DnsServer | undefined;
  await startClusterDns(context, plane, informers, address, {
    ...outsideOf(hostResolvConf),
    started(server) {
      current = server;
    },
  });
  return virtual({ answer: (...query) => defined(current, 'cluster DNS is served').answer(...query) }, context);
}

function virtual(server: Pick<DnsServer, 'answer'>, { log }: ClusterContext): SimDns {
  const ask = (message: Uint8Array, transport: 'udp' | 'tcp', client: string): Promise<Buffer | undefined> =>
    server.answer(Buffer.from(message), transport, client).catch((error: unknown) => {
      log.debug('a query could not be answered', { error });
      return undefined;
    });
  return {
    datagram(message, client, answer) {
      void ask(message, 'udp', client).then((reply) => reply && answer(reply));
    },
    connection(client) {
      const [near, far] = duplexPair();
      let received = Buffer.alloc(0);
      far.on('error', () => far.destroy());
      far.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
          const length = received.readUInt16BE(0);
          const message = received.subarray(2, length + 2);
          received = received.subarray(length + 2);
          void ask(message, 'tcp', client).then((reply) => {
            if (!reply || far.destroyed) return;
            const head = Buffer.alloc(2);
            head.writeUInt16BE(reply.length);
            far.write(Buffer.concat([head, reply]));
          });
        }
        if (received.length > maxBuffered) far.destroy();
      });
      far.on('end', () => far.end());
      return near;
    },
  };
}
