import * as resources from '../api/generated/resources.ts';
import { hasReason } from '../api/status.ts';
import { every } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { type LeaseNotFoundError, prefixRange, type Store } from '../store/store.ts';
import type { ClusterContext } from './control-plane.ts';

/** Upstream's lease endpoint reconciler (pkg/controlplane/reconcilers/lease.go): where each server leaves word that it lives. */
const prefix = '/registry/masterleases/';
const ttlSeconds = 15;
const renewMs = 5_000;

interface Place {
  readonly address: string;
  readonly port: number;
}

const ports = (port: number) => [{ name: 'https', port, protocol: 'TCP' }];

/** Points the Service `kubernetes` at every living server. Several ports, as on one machine, take a slice each. */
async function publish(client: Client, places: readonly Place[]): Promise<void> {
  const byPort = new Map<number, string[]>();
  for (const { address, port } of places) byPort.set(port, [...(byPort.get(port) ?? []), address].sort());
  const sorted = [...byPort].sort(([a], [b]) => a - b);
  const metadata = { namespace: 'default', name: 'kubernetes' };
  const endpoints = {
    metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: sorted.map(([port, addresses]) => ({ addresses: addresses.map((ip) => ({ ip })), ports: ports(port) })),
  };
  const slices = sorted.map(([port, addresses], index) => ({
    metadata: {
      namespace: 'default',
      name: index === 0 ? 'kubernetes' : `kubernetes-${port}`,
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: ports(port),
  }));
  const put = async (update: () => Promise<unknown>, create: () => Promise<unknown>): Promise<void> => {
    try {
      await update();
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      await create();
    }
  };
  await put(
    () => client.update(resources.endpoints, endpoints),
    () => client.create(resources.endpoints, endpoints),
  );
  for (const slice of slices) {
    await put(
      () => client.update(resources.endpointslices, slice),
      () => client.create(resources.endpointslices, slice),
    );
  }
  const present = await client.list(resources.endpointslices, {
    namespace: 'default',
    labelSelector: 'kubernetes.io/service-name=kubernetes',
  });
  for (const { metadata: old } of present.items) {
    if (slices.some(({ metadata: { name } }) => name === old.name)) continue;
    await client.delete(resources.endpointslices, old.name, { namespace: 'default' });
  }
}

/** Keeps this server among the endpoints of `kubernetes`, and takes those out that have not renewed for fifteen seconds. */
export async function keepApiEndpoint(
  { clock, log, lifetime }: ClusterContext,
  store: Store,
  client: Client,
  own: Place,
): Promise<void> {
  const key = `${prefix}${own.address}:${own.port}`;
  const value = Buffer.from(JSON.stringify(own));
  let lease = '';
  let published = '';
  const announce = async (): Promise<void> => {
    lease = await store.grantLease(ttlSeconds);
    await store.commit({ compares: [], operations: [{ type: 'put', key, value, lease }] });
  };
  const renew = (): Promise<void> =>
    store.keepAlive(lease).catch((error: Error) => {
      const { name }: Pick<LeaseNotFoundError, 'name'> = error as LeaseNotFoundError;
      if (name !== 'LeaseNotFoundError') throw error;
      return announce();
    });
  const look = async (): Promise<void> => {
    const { entries } = await store.range(prefixRange(prefix));
    const places = entries.map((entry) => JSON.parse(Buffer.from(entry.value).toString()) as Place);
    const now = JSON.stringify(places);
    if (now === published) return;
    await publish(client, places);
    published = now;
  };
  await announce();
  await look();
  const timer = every(
    clock,
    renewMs,
    async () => {
      await renew();
      await look();
    },
    (error) => log.warn('the endpoints of kubernetes are not up to date', { error }),
  );
  lifetime.defer(async () => {
    timer.cancel();
    await store.revokeLease(lease).catch(() => undefined);
  });
}
