import type { Duplex } from 'node:stream';
import { configmaps } from '../../api/generated/resources.ts';
import { duplexPair } from '../../base/duplex-pair.ts';
import type { InformerSet } from '../../client/informer.ts';
import { defaultCorefile } from '../../network/dns/corefile.ts';
import { failure } from '../../network/dns/records.ts';
import { startDnsServer } from '../../network/dns/server.ts';
import { liveZoneData } from '../../network/dns/zone-data.ts';
import { publishBackend } from '../bootstrap-objects.ts';
import type { ClusterContext, ControlPlane } from '../control-plane.ts';
import { loopback } from '../identities.ts';

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

/** Names of the outside: none exist, unless this machine's name servers may be asked. */
export const startOutsideDns = (options: SimDnsOptions): Promise<SimDns> => serve(options, outsideCorefile);

/** Serves cluster DNS on the virtual network as the `coredns` ConfigMap says, and leads the `kube-dns` Service to `address`. */
export async function startSimClusterDns(
  options: SimDnsOptions,
  plane: ControlPlane,
  address: string,
): Promise<SimDns> {
  const { context, informers } = options;
  const maps = informers.informer(configmaps);
  await maps.whenSynced();
  const corefile =
    maps.get('kube-system/coredns')?.data?.['Corefile'] ?? defaultCorefile(context.options.clusterDomain);
  const dns = await serve(options, corefile);
  await publishBackend(plane.clients(loopback, 'kube-apiserver'), {
    namespace: 'kube-system',
    name: 'kube-dns',
    address,
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ],
  });
  return dns;
}

async function serve({ context, informers, hostResolvConf }: SimDnsOptions, corefile: string): Promise<SimDns> {
  const { clock, random, lifetime } = context;
  const log = context.log.with({ component: 'dns' });
  const data = liveZoneData(informers, { pods: false });
  await data.whenSynced();
  const server = await startDnsServer({
    corefile,
    data,
    clock,
    random,
    log,
    lifetime,
    listen: [],
    port: 0,
    readFile: async () => (hostResolvConf ? hostResolvConf() : `nameserver ${outsideNameServer}\n`),
    ...(!hostResolvConf && { exchange: async () => failure('NXDOMAIN') }),
  });
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
