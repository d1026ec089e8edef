import { nodes } from '../api/generated/resources.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { read, rule } from './support/access.ts';

const annotation = 'node.alpha.kubernetes.io/ttl';

/** Seconds that a kubelet may keep Secrets and ConfigMaps, by the number of nodes; the lower bound is for shrinking clusters. */
const steps: readonly { readonly min: number; readonly max: number; readonly ttl: number }[] = [
  { min: 0, max: 100, ttl: 0 },
  { min: 90, max: 500, ttl: 15 },
  { min: 450, max: 1000, ttl: 30 },
  { min: 900, max: 2000, ttl: 60 },
  { min: 1800, max: Number.POSITIVE_INFINITY, ttl: 300 },
];

/** The step for so many nodes, coming from step `from`. Pure. */
export function stepFor(count: number, from: number): number {
  let step = from;
  while (count > (steps[step]?.max ?? 0)) step++;
  while (count < (steps[step]?.min ?? 0)) step--;
  return step;
}

/** Notes on each node how long its kubelet may trust what it has read. Upstream: pkg/controller/ttl. */
export function nodeTtlController(): Controller {
  let step = 0;
  return {
    name: 'ttl-controller',
    watches: [
      watched({
        resource: nodes,
        keys(node, { old, gone }, context) {
          const all = context.informers.informer(nodes);
          const next = old && !gone ? step : stepFor(all.list().length, step);
          const moved = next !== step;
          step = next;
          if (moved) return all.list().map((it) => it.metadata.name);
          return gone ? [] : [node.metadata.name];
        },
      }),
    ],
    access: [rule('', 'nodes', `${read} update patch`)],
    async reconcile(key, context) {
      const node = context.informers.informer(nodes).get(key);
      const ttl = String(steps[step]?.ttl ?? 0);
      if (!node || node.metadata.annotations?.[annotation] === ttl) return undefined;
      const patch = { metadata: { annotations: { [annotation]: ttl } } };
      await context.client.patch(nodes, key, patch, { type: 'application/merge-patch+json' });
      return undefined;
    },
  };
}
