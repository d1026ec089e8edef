import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../../../testing/controller-harness.ts';
import { persistentvolumeclaims, pods, statefulsets } from '../../api/generated/resources.ts';
import type { V1StatefulSet } from '../../api/generated/types.ts';
import { statefulSetController } from './stateful-set.ts';

const db = (spec: Partial<V1StatefulSet['spec']> = {}): V1StatefulSet => ({
  metadata: { name: 'db', namespace: 'default' },
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: {
      metadata: { labels: { app: 'db' } },
      spec: { containers: [{ name: 'c', image: 'redis:1' }] },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
    ...spec,
  },
});

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const start = async (): Promise<Harness> => {
  harness = await startHarness([statefulSetController]);
  return harness;
};
const settled = (it: Harness, size: number) =>
  it.until('all pods are ready and current', async () => {
    const set = await it.client.get(statefulsets, 'db', { namespace: 'default' });
    const { status } = set;
    return (
      status?.observedGeneration === set.metadata.generation &&
      status?.replicas === size &&
      (status?.readyReplicas ?? 0) === size &&
      (status?.updatedReplicas ?? 0) === size &&
      status?.currentRevision === status?.updateRevision &&
      set
    );
  });

describe('a StatefulSet', () => {
  it('makes pods in order, with names, labels and claims of their own', async () => {
    const it = await start();
    await it.client.create(statefulsets, db());
    await settled(it, 3);
    const made = (await it.client.list(pods, { namespace: 'default' })).items;
    expect(made.map((pod) => pod.metadata.name).sort()).toEqual(['db-0', 'db-1', 'db-2']);
    expect(made.find((pod) => pod.metadata.name === 'db-1')).toMatchObject({
      metadata: { labels: { 'statefulset.kubernetes.io/pod-name': 'db-1', 'apps.kubernetes.io/pod-index': '1' } },
      spec: { hostname: 'db-1', subdomain: 'db' },
    });
    const claims = (await it.client.list(persistentvolumeclaims, { namespace: 'default' })).items;
    expect(claims.map((claim) => claim.metadata.name).sort()).toEqual(['data-db-0', 'data-db-1', 'data-db-2']);
    expect(it.events.filter((e) => e.message.includes('Pod db-') && e.message.startsWith('Create Pod'))).toEqual(
      [0, 1, 2].map((i) => ({
        about: 'StatefulSet/db',
        type: 'Normal',
        reason: 'SuccessfulCreate',
        message: `Create Pod db-${i} in StatefulSet db successful`,
      })),
    );
  });

  it('updates from the highest ordinal down to the partition', async () => {
    const it = await start();
    await it.client.create(
      statefulsets,
      db({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } }),
    );
    await settled(it, 3);
    await it.client.patch(
      statefulsets,
      'db',
      { spec: { template: { spec: { containers: [{ name: 'c', image: 'redis:2' }] } } } },
      { type: 'application/strategic-merge-patch+json', namespace: 'default' },
    );
    await it.until('two are new', async () => {
      const images = [...(await it.client.list(pods, { namespace: 'default' })).items]
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
        .map((pod) => pod.status?.phase === 'Running' && pod.spec?.containers[0]?.image);
      return images.join() === 'redis:1,redis:2,redis:2';
    });
    const deleted = it.events.filter((e) => e.reason === 'SuccessfulDelete').map((e) => e.message);
    expect(deleted).toEqual([
      'Delete Pod db-2 in StatefulSet db successful',
      'Delete Pod db-1 in StatefulSet db successful',
    ]);
    await it.client.patch(
      statefulsets,
      'db',
      { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } },
      { type: 'application/merge-patch+json', namespace: 'default' },
    );
    await settled(it, 3);
  });

  it('shrinks from the top and keeps the claims unless told otherwise', async () => {
    const it = await start();
    await it.client.create(statefulsets, db({ podManagementPolicy: 'Parallel' }));
    await settled(it, 3);
    await it.client.patch(
      statefulsets,
      'db',
      { spec: { replicas: 1 } },
      { type: 'application/merge-patch+json', namespace: 'default' },
    );
    await settled(it, 1);
    expect((await it.client.list(persistentvolumeclaims, { namespace: 'default' })).items).toHaveLength(3);
  });

  it('waits for a pod that is not ready before it makes the next', async () => {
    const it = await start();
    it.kubelet.fate = (pod) =>
      pod.metadata.name === 'db-1'
        ? { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] }
        : {
            phase: 'Running',
            conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
          };
    await it.client.create(statefulsets, db());
    await it.until('two pods', async () => (await it.client.list(pods, { namespace: 'default' })).items.length === 2);
    await it.until('it rests', () => it.running.idle);
    expect((await it.client.list(pods, { namespace: 'default' })).items).toHaveLength(2);
  });
});
