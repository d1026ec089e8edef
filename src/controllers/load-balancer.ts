import { services } from '../api/generated/resources.ts';
import type { V1Service } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from './support/access.ts';

/** The class of load balancers that the pool serves by name; Services without a class get an address too. */
export const poolClass = 'coracle.dev/pool';

const toNumber = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** The usable addresses of an IPv4 range, as first and last number: without network and broadcast address where there is room. */
function bounds(pool: string): { readonly first: number; readonly last: number } {
  const [base = '', bits = '32'] = pool.split('/');
  const size = 2 ** (32 - Number(bits));
  const start = Math.floor(toNumber(base) / size) * size;
  return size > 2 ? { first: start + 1, last: start + size - 2 } : { first: start, last: start + size - 1 };
}

export const inPool = (pool: string, ip: string): boolean => {
  const { first, last } = bounds(pool);
  return /^\d+(\.\d+){3}$/.test(ip) && toNumber(ip) >= first && toNumber(ip) <= last;
};

/** The lowest address of the pool that nobody has. */
export function firstFreeAddress(pool: string, taken: ReadonlySet<string>): string | undefined {
  const { first, last } = bounds(pool);
  for (let value = first; value <= last; value++) if (!taken.has(toText(value))) return toText(value);
  return undefined;
}

const ours = ({ spec }: V1Service): boolean =>
  spec?.type === 'LoadBalancer' && (spec.loadBalancerClass === undefined || spec.loadBalancerClass === poolClass);
const addressesOf = ({ status }: V1Service): readonly string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap((it) => it.ip ?? []);

/** What a Service may have of the pool: the address it has or asks for, else the first free one; or why not. Pure. */
export function grant(
  service: V1Service,
  pool: string,
  taken: ReadonlySet<string>,
): { readonly ip: string } | { readonly refused: string } {
  const asked = service.spec?.loadBalancerIP;
  const own = addressesOf(service).find((ip) => inPool(pool, ip) && !taken.has(ip) && (!asked || asked === ip));
  if (own !== undefined) return { ip: own };
  if (asked) {
    if (!inPool(pool, asked)) return { refused: `the address ${asked} is not in the pool ${pool}` };
    return taken.has(asked) ? { refused: `the address ${asked} belongs to another Service` } : { ip: asked };
  }
  const ip = firstFreeAddress(pool, taken);
  return ip === undefined ? { refused: `no address of the pool ${pool} is free` } : { ip };
}

/**
 * Stands in for a cloud: gives Services of type LoadBalancer an address out of a pool, at which every node answers. One worker, so that no
 * two Services are given the same. Reasons of events after cloud-provider's service controller.
 */
export function loadBalancerController(pool: string): Controller {
  return {
    name: 'service-controller',
    workers: 1,
    watches: [
      watched({
        resource: services,
        keys: (service, { old, gone }, { informers }) => {
          if (!ours(service) && !(old && ours(old))) return [];
          // An address has come free: those that wait get their turn.
          const freed = gone || (old !== undefined && ours(old) && !ours(service));
          const waiting = freed
            ? informers
                .informer(services)
                .list()
                .filter((it) => ours(it) && addressesOf(it).length === 0)
                .map(keyOf)
            : [];
          return gone ? waiting : [keyOf(service), ...waiting];
        },
      }),
    ],
    access: [rule('', 'services', read), rule('', 'services/status', 'patch update'), ...mayRecord],
    async reconcile(key, { informers, client, events }) {
      const informer = informers.informer(services);
      const service = informer.get(key);
      if (!service || service.metadata.deletionTimestamp) return undefined;
      const write = async (ip: string | undefined): Promise<void> => {
        const loadBalancer = ip === undefined ? {} : { ingress: [{ ip, ipMode: 'VIP' }] };
        if (semanticEqual(service.status?.loadBalancer ?? {}, loadBalancer)) return;
        const next: Live<V1Service> = { ...service, status: { ...service.status, loadBalancer } };
        await client.update(services, next, { subresource: 'status' });
      };
      if (!ours(service)) {
        // Another class's addresses are not ours to take.
        if (service.spec?.type !== 'LoadBalancer' && addressesOf(service).some((ip) => inPool(pool, ip))) {
          await write(undefined);
        }
        return undefined;
      }
      const taken = new Set(
        informer
          .list()
          .filter((it) => it.metadata.uid !== service.metadata.uid)
          .flatMap(addressesOf),
      );
      const granted = grant(service, pool, taken);
      if ('refused' in granted) {
        await write(undefined);
        const message = `Error syncing load balancer: failed to ensure load balancer: ${granted.refused}`;
        events.event(service, 'Warning', 'SyncLoadBalancerFailed', message);
        return { again: 60_000 };
      }
      if (addressesOf(service).length === 1 && addressesOf(service)[0] === granted.ip) return undefined;
      events.event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
      await write(granted.ip);
      events.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
      return undefined;
    },
  };
}
