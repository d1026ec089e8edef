import { nodes } from '../api/generated/resources.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { mayRecord, read, rule } from './support/access.ts';

/** The number-th range of `size` bits inside an IPv4 range; undefined when there are no more. */
export function subnetAt(cidr: string, size: number, number: number): string | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  if (number >= 2 ** (size - Number(bits))) return undefined;
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + number * 2 ** (32 - size);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.')}/${size}`;
}

/** The first range that no node has. */
export function firstFree(cidr: string, size: number, taken: ReadonlySet<string>): string | undefined {
  for (let number = 0; ; number++) {
    const range = subnetAt(cidr, size, number);
    if (range === undefined || !taken.has(range)) return range;
  }
}

/**
 * Gives every node its range of pod addresses (pkg/controller/nodeipam, range allocator): one of 24 bits out of `clusterCidr`. One worker,
 * so that no two nodes are given the same.
 */
export function nodeIpamController(clusterCidr: string): Controller {
  return {
    name: 'node-controller',
    workers: 1,
    watches: [
      watched({ resource: nodes, keys: (node, { gone }) => (gone || node.spec?.podCIDR ? [] : [node.metadata.name]) }),
    ],
    access: [rule('', 'nodes', `${read} patch update`), ...mayRecord],
    async reconcile(key, { informers, client, events }) {
      const informer = informers.informer(nodes);
      const node = informer.get(key);
      if (!node || node.spec?.podCIDR) return undefined;
      const taken = new Set(informer.list().flatMap((one) => one.spec?.podCIDRs ?? []));
      const range = firstFree(clusterCidr, 24, taken);
      if (!range) {
        events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${key} status is now: CIDRNotAvailable`);
        throw new Error(`no range of ${clusterCidr} is left for node ${key}`);
      }
      await client.patch(
        nodes,
        key,
        { spec: { podCIDR: range, podCIDRs: [range] } },
        { type: 'application/merge-patch+json' },
      );
      return undefined;
    },
  };
}
