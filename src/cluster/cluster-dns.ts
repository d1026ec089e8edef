import { readFile } from 'node:fs/promises';
import { configmaps, endpointslices, endpoints as endpointsResource, services } from '../api/generated/resources.ts';
import type { Resource } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import type { Clock } from '../base/clock.ts';
import type { Lifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from '../client/client.ts';
import type { InformerSet } from '../client/informer.ts';
import { createRecorder } from '../client/recorder.ts';
import { defaultCorefile } from '../network/dns/corefile.ts';
import { checkCorefile, type DnsServer, type DnsServerOptions, startDnsServer } from '../network/dns/server.ts';
import { liveZoneData } from '../network/dns/zone-data.ts';
import { publishBackend } from './bootstrap-objects.ts';
import type { ClusterContext, ControlPlane } from './control-plane.ts';
import { loopback } from './identities.ts';

const dnsKey = 'kube-system/kube-dns';

export interface ServedDns {
  readonly informers: InformerSet;
  /** Addresses of this machine to listen at; with `server`, none. */
  readonly listen: readonly string[];
  /** Instead of sockets: hears of each server that takes over, and how names of the outside are asked for. */
  readonly server?: Pick<DnsServerOptions, 'exchange' | 'readFile'> & { readonly started: (server: DnsServer) => void };
  readonly clusterDomain: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  /** Hears what of the Corefile cannot be served. */
  readonly complain?: (message: string) => void;
}

/**
 * Serves cluster DNS as the `coredns` ConfigMap says, and follows its changes. A Corefile that cannot be served is complained of, and the
 * one before (at first kubeadm's) goes on being served.
 */
export async function serveClusterDns(options: ServedDns): Promise<void> {
  const { informers, listen, server, clusterDomain, clock, random, log, lifetime } = options;
  const data = liveZoneData(informers, { pods: false });
  const maps = informers.informer(configmaps, { namespace: 'kube-system', fieldSelector: 'metadata.name=coredns' });
  await Promise.all([data.whenSynced(), maps.whenSynced()]);
  const base = {
    data,
    clock,
    random,
    log,
    readFile: server?.readFile ?? ((path: string) => readFile(path, 'utf8')),
    ...(server?.exchange && { exchange: server.exchange }),
  };
  const fallback = defaultCorefile(clusterDomain);
  const current = (): string => maps.get('kube-system/coredns')?.data?.['Corefile'] ?? fallback;
  let served = '';
  let serving: Lifetime | undefined;
  let chain: Promise<void> = Promise.resolve();

  const serve = async (corefile: string): Promise<void> => {
    await serving?.end();
    serving = lifetime.child();
    const started = await startDnsServer({ ...base, corefile, lifetime: serving, listen, ...(server && { port: 0 }) });
    server?.started(started);
    served = corefile;
  };
  const settle = async (): Promise<void> => {
    const wanted = current();
    if (wanted === served || lifetime.signal.aborted) return;
    const before = served || fallback;
    try {
      await checkCorefile({ ...base, corefile: wanted });
      await serve(wanted);
      if (before !== served) log.info('serving the Corefile of kube-system/coredns', {});
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.error('the Corefile of kube-system/coredns cannot be served; the one before still is', { error });
      options.complain?.(`${why}; the Corefile before it is still served`);
      if (serving === undefined || serving.signal.aborted || served === wanted || served === '') await serve(before);
    }
  };
  await settle();
  // A Corefile without `reload` is read when the server starts, and stays.
  const again = (): void => {
    if (!/^\s*reload\b/m.test(served)) return;
    chain = chain.then(settle).catch((error: unknown) => log.error('cluster DNS could not start again', { error }));
  };
  lifetime.defer(maps.subscribe({ update: again, remove: again }));
}

/**
 * Serves cluster DNS at `address` and leads the `kube-dns` Service there for as long as it selects no pods. The address is this machine's,
 * or with `server` one of the virtual network.
 */
export async function startClusterDns(
  context: ClusterContext,
  plane: ControlPlane,
  informers: InformerSet,
  address: string,
  server?: ServedDns['server'],
): Promise<void> {
  const { options, clock, random, lifetime } = context;
  const log = context.log.with({ component: 'dns' });
  const client = plane.clients(loopback, 'kube-apiserver');
  const events = createRecorder({ client, component: 'coredns', clock, random, log, signal: lifetime.signal });
  const subject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'coredns', namespace: 'kube-system' } };
  await serveClusterDns({
    informers,
    listen: server ? [] : [address],
    ...(server && { server }),
    clusterDomain: options.clusterDomain,
    clock,
    random,
    log,
    lifetime,
    complain: (message) => events.event(subject, 'Warning', 'InvalidCorefile', message),
  });
  await leadService(client, informers, address, log, lifetime);
}

/**
 * A `kube-dns` Service that selects pods is somebody's own CoreDNS: ours steps back, and comes again when the selector goes. The Service
 * is the only sign that counts; this server goes on answering at its address.
 */
async function leadService(
  client: Client,
  informers: InformerSet,
  address: string,
  log: Logger,
  lifetime: Lifetime,
): Promise<void> {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const all = informers.informer(services);
  await all.whenSynced();
  const withdraw = async (): Promise<void> => {
    for (const resource of [endpointslices, endpointsResource] as readonly Resource[]) {
      const object = await client.get(resource, 'kube-dns', { namespace: 'kube-system' }).catch((error: unknown) => {
        if (!hasReason(error, 'NotFound')) throw error;
        return undefined;
      });
      const text = JSON.stringify(object ?? {});
      if (text.includes(`"${address}"`)) await client.delete(resource, 'kube-dns', { namespace: 'kube-system' });
    }
  };
  const lead = async (): Promise<void> => {
    await publishBackend(client, { namespace: 'kube-system', name: 'kube-dns', address, ports });
    // Nobody takes away the slices of pods that a selector chose once the selector is gone.
    const { items } = await client.list(endpointslices, {
      namespace: 'kube-system',
      labelSelector: 'kubernetes.io/service-name=kube-dns',
    });
    for (const { metadata } of items)
      if (metadata.name !== 'kube-dns')
        await client.delete(endpointslices, metadata.name, { namespace: 'kube-system' });
  };
  const selects = (): boolean => Object.keys(all.get(dnsKey)?.spec?.selector ?? {}).length > 0;
  let led: boolean | undefined;
  let chain: Promise<void> = Promise.resolve();
  const settle = async (): Promise<void> => {
    const own = !selects();
    if (own === led || lifetime.signal.aborted || !all.get(dnsKey)) return;
    await (own ? lead() : withdraw());
    if (led !== undefined) log.info(own ? 'kube-dns leads to the built-in server' : 'kube-dns leads to pods now', {});
    led = own;
  };
  const again = (): Promise<void> => {
    chain = chain.then(settle).catch((error: unknown) => log.error('kube-dns could not be led anywhere', { error }));
    return chain;
  };
  const changed = ({
    metadata,
  }: {
    readonly metadata: { readonly namespace?: string; readonly name: string };
  }): void => {
    if (metadata.namespace === 'kube-system' && metadata.name === 'kube-dns') void again();
  };
  lifetime.defer(all.subscribe({ update: changed, add: changed }));
  await again();
}
