import { afterEach, describe, expect, it } from 'vitest';
import { addNode, type Harness, startHarness } from '../../../testing/controller-harness.ts';
import { daemonsets, nodes, pods } from '../../api/generated/resources.ts';
import type { V1DaemonSet } from '../../api/generated/types.ts';
import { daemonSetController } from './daemon-set.ts';

const agent = (spec: Partial<V1DaemonSet['spec']> = {}): V1DaemonSet => ({
  metadata: { name: 'agent', namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image: 'agent:1' }] } },
    ...spec,
  },
});

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const start = async (): Promise<Harness> => {
  harness = await startHarness([daemonSetController()]);
  for (const name of ['n1', 'n2', 'n3']) await addNode(harness.client, name);
  return harness;
};
const settled = (it: Harness, size: number) =>
  it.until(`${size} daemons are ready`, async () => {
    const ds = await it.client.get(daemonsets, 'agent', { namespace: 'default' });
    return (
      ds.status?.observedGeneration === ds.metadata.generation &&
      ds.status?.desiredNumberScheduled === size &&
      ds.status?.numberReady === size &&
      ds.status?.updatedNumberScheduled === size &&
      ds
    );
  });

describe('a DaemonSet', () => {
  it('puts one pod on each node by node affinity, with its tolerations', async () => {
    const it = await start();
    await it.client.create(daemonsets, agent());
    await settled(it, 3);
    const made = (await it.client.list(pods, { namespace: 'default' })).items;
    expect(made).toHaveLength(3);
    const terms =
      made[0]?.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    expect(terms?.[0]?.matchFields?.[0]).toMatchObject({ key: 'metadata.name', operator: 'In' });
    expect(made[0]?.spec?.tolerations).toContainEqual({
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
    });
    await addNode(it.client, 'n4');
    await settled(it, 4);
  });

  it('leaves a node that it may no longer run on', async () => {
    const it = await start();
    await it.client.create(
      daemonsets,
      agent({
        template: {
          metadata: { labels: { app: 'agent' } },
          spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'agent:1' }] },
        },
      }),
    );
    const label = (name: string, disk: string | null) =>
      it.client.patch(nodes, name, { metadata: { labels: { disk } } }, { type: 'application/merge-patch+json' });
    await label('n1', 'ssd');
    await label('n2', 'ssd');
    await settled(it, 2);
    await label('n1', null);
    await settled(it, 1);
    await it.until('one pod', async () => (await it.client.list(pods, { namespace: 'default' })).items.length === 1);
  });

  it('replaces its pods one node at a time', async () => {
    const it = await start();
    await it.client.create(daemonsets, agent());
    await settled(it, 3);
    await it.client.patch(
      daemonsets,
      'agent',
      { spec: { template: { spec: { containers: [{ name: 'c', image: 'agent:2' }] } } } },
      { type: 'application/strategic-merge-patch+json', namespace: 'default' },
    );
    await settled(it, 3);
    const made = (await it.client.list(pods, { namespace: 'default' })).items;
    expect(made.every((pod) => pod.spec?.containers[0]?.image === 'agent:2')).toBe(true);
    expect(it.events.filter((e) => e.reason === 'SuccessfulDelete')).toHaveLength(3);
  });
});
