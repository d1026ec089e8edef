import { readFile } from 'node:fs/promises';
import { configmaps } from '../api/generated/resources.ts';
import type { InformerSet } from '../client/informer.ts';
import { defaultCorefile } from '../network/dns/corefile.ts';
import { startDnsServer } from '../network/dns/server.ts';
import { liveZoneData } from '../network/dns/zone-data.ts';
import { publishBackend } from './bootstrap-objects.ts';
import type { ClusterContext, ControlPlane } from './control-plane.ts';
import { loopback } from './identities.ts';

/** Serves cluster DNS at `address` of this machine, as the `coredns` ConfigMap says, and leads the `kube-dns` Service there. */
export async function startClusterDns(
  context: ClusterContext,
  plane: ControlPlane,
  informers: InformerSet,
  address: string,
): Promise<void> {
  const { options, clock, random, lifetime } = context;
  const log = context.log.with({ component: 'dns' });
  const data = liveZoneData(informers, { pods: false });
  const maps = informers.informer(configmaps);
  await Promise.all([data.whenSynced(), maps.whenSynced()]);
  await startDnsServer({
    corefile: maps.get('kube-system/coredns')?.data?.['Corefile'] ?? defaultCorefile(options.clusterDomain),
    data,
    clock,
    random,
    log,
    lifetime,
    listen: [address],
    readFile: (path) => readFile(path, 'utf8'),
  });
  await publishBackend(plane.clients(loopback, 'kube-apiserver'), {
    namespace: 'kube-system',
    name: 'kube-dns',
    address,
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ],
  });
}
