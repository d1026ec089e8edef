import * as resources from '../api/generated/resources.ts';
import type { V1Pod, V1ResourceQuota } from '../api/generated/types.ts';
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityOf,
} from '../api/quantity.ts';
import { apiVersionOf, type KubeObject, type Live, type Resource } from '../api/resource.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, type ControllerContext, type Watched, watched } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from './support/access.ts';
import { isPodTerminal } from './support/pods.ts';

/** How objects are measured for quotas; admission measures in the same way. */
export interface QuotaMeasure {
  /** True for the names in a quota that objects of this resource count towards. */
  counts(resource: Resource, name: string): boolean;
  usage(resource: Resource, object: Live): ReadonlyMap<string, Quantity>;
  /** Whether the quota's scopes take the object. */
  inScope(quota: Live<V1ResourceQuota>, object: Live, isPod: boolean): boolean;
}

const quotas = resources.resourcequotas;
/** A burst of deletions is counted once, this long after the first, milliseconds. */
const settleMs = 100;
/** Everything is counted anew this often, for what no watch tells. */
const resyncMs = 5 * 60_000;

/** What can free quota by going away. Others are counted at each resync. */
const replenishing: readonly Resource[] = [
  resources.services,
  resources.persistentvolumeclaims,
  resources.configmaps,
  resources.secrets,
  resources.replicationcontrollers,
  resources.deployments,
  resources.replicasets,
  resources.statefulsets,
  resources.daemonsets,
  resources.jobs,
  resources.cronjobs,
  resources.ingresses,
  resources.serviceaccounts,
];

const quotasOf = (namespace: string | undefined, context: ControllerContext): void => {
  for (const quota of context.informers.informer(quotas).byIndex('namespace', namespace ?? '')) {
    context.enqueue(keyOf(quota), settleMs);
  }
};

/** Keeps what quotas say is used. Upstream: pkg/controller/resourcequota. */
export function resourceQuotaController(measure: QuotaMeasure, served: () => readonly Resource[]): Controller {
  const onRemoval = (resource: Resource): Watched =>
    watched({
      resource,
      keys(object, { gone }, context) {
        if (gone) quotasOf(object.metadata.namespace, context);
        return [];
      },
    });
  return {
    name: 'resourcequota-controller',
    watches: [
      watched({
        resource: quotas,
        keys: (quota, { old }) =>
          old && semanticEqual(old.spec, quota.spec) && semanticEqual(quota.spec?.hard, quota.status?.hard)
            ? []
            : [keyOf(quota)],
      }),
      watched({
        resource: resources.pods,
        keys(pod: Live<V1Pod>, { old, gone }, context) {
          const freed = gone || (old && !isPodTerminal(old) && isPodTerminal(pod));
          if (freed) quotasOf(pod.metadata.namespace, context);
          return [];
        },
      }),
      ...replenishing.map(onRemoval),
    ],
    access: [
      rule('*', '*', 'list watch'),
      rule('', 'resourcequotas', read),
      rule('', 'resourcequotas/status', 'update'),
      ...mayRecord,
    ],
    async reconcile(key, context) {
      const quota = context.informers.informer(quotas).get(key);
      if (!quota || quota.metadata.deletionTimestamp) return undefined;
      const hard = quota.spec?.hard ?? {};
      const used: Record<string, string> = {};
      for (const [name, amount] of await usageOf(quota, context, measure, served()))
        used[name] = formatQuantity(amount);
      const same =
        semanticEqual(quota.status?.hard, hard) &&
        Object.keys(used).length === Object.keys(quota.status?.used ?? {}).length &&
        Object.entries(used).every(([name, amount]) => {
          const known = quota.status?.used?.[name];
          return known !== undefined && compareQuantity(parseQuantity(known), parseQuantity(amount)) === 0;
        });
      if (!same) {
        await context.client.update(quotas, { ...quota, status: { hard, used } }, { subresource: 'status' });
      }
      return { again: resyncMs };
    },
  };
}

async function usageOf(
  quota: Live<V1ResourceQuota>,
  context: ControllerContext,
  measure: QuotaMeasure,
  served: readonly Resource[],
): Promise<ReadonlyMap<string, Quantity>> {
  const names = Object.keys(quota.spec?.hard ?? {});
  const zero = quantityOf(0);
  const used = new Map<string, Quantity>(names.map((name) => [name, zero]));
  const counted = new Set<string>();
  for (const resource of served) {
    const id = `${resource.group}/${resource.plural}`;
    const concerned = names.filter((name) => measure.counts(resource, name));
    if (!resource.namespaced || counted.has(id) || concerned.length === 0) continue;
    counted.add(id);
    for (const object of await objectsOf(resource, quota.metadata.namespace ?? '', context)) {
      const isPod = resource.group === '' && resource.plural === 'pods';
      // A finished pod uses nothing but its place among the objects.
      const ended = isPod && isPodTerminal(object as V1Pod);
      if (!measure.inScope(quota, object, isPod)) continue;
      const amounts = measure.usage(resource, object);
      for (const name of concerned) {
        const amount = ended && !name.startsWith('count/') ? undefined : amounts.get(name);
        if (amount) used.set(name, addQuantity(used.get(name) ?? zero, amount));
      }
    }
  }
  return used;
}

const known = new Set([...replenishing, resources.pods].map((it) => `${apiVersionOf(it)}/${it.plural}`));

async function objectsOf(
  resource: Resource,
  namespace: string,
  context: ControllerContext,
): Promise<readonly Live<KubeObject>[]> {
  if (known.has(`${apiVersionOf(resource)}/${resource.plural}`)) {
    return context.informers.informer(resource).byIndex('namespace', namespace);
  }
  return (await context.client.list(resource, { namespace })).items;
}
