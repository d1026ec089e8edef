import { afterEach, describe, expect, it } from 'vitest';
import { addNode, type Harness, startHarness } from '../../../testing/controller-harness.ts';
import { persistentvolumeclaims, persistentvolumes, pods, storageclasses } from '../../api/generated/resources.ts';
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '../../api/generated/types.ts';
import { volumeBinder } from './binder.ts';
import { ephemeralVolumeController } from './ephemeral.ts';
import { selectedNode } from './match.ts';
import { claimProtectionController, volumeProtectionController } from './protection.ts';

const namespace = 'default';
const claim = (name: string, spec: Partial<V1PersistentVolumeClaim['spec']> = {}): V1PersistentVolumeClaim => ({
  metadata: { name, namespace },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const volume = (name: string, storage: string, spec: Partial<V1PersistentVolume['spec']> = {}): V1PersistentVolume => ({
  metadata: { name },
  spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: `/tmp/${name}` }, ...spec },
});

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const removed: string[] = [];
const start = async (): Promise<Harness> => {
  removed.length = 0;
  harness = await startHarness([
    volumeBinder({ directory: '/data', removeData: async (path) => void removed.push(path) }),
    claimProtectionController,
    volumeProtectionController,
    ephemeralVolumeController,
  ]);
  return harness;
};
const phase = (it: Harness, name: string, wanted: string) =>
  it.until(`${name} is ${wanted}`, async () => {
    const found = await it.client.get(persistentvolumeclaims, name, { namespace });
    return found.status?.phase === wanted && found;
  });
const localPath = {
  metadata: { name: 'local-path' },
  provisioner: 'coracle.dev/local-path',
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
};

describe('the volume binder', () => {
  it('binds a claim to the smallest volume that fits, and releases it', async () => {
    const it = await start();
    for (const [name, size] of [
      ['big', '10Gi'],
      ['small', '512Mi'],
      ['right', '2Gi'],
    ] as const) {
      await it.client.create(persistentvolumes, volume(name, size));
    }
    await it.client.create(persistentvolumeclaims, claim('data', { storageClassName: '' }));
    const bound = await phase(it, 'data', 'Bound');
    expect(bound.spec?.volumeName).toBe('right');
    expect(bound.status?.capacity).toEqual({ storage: '2Gi' });
    expect(bound.metadata.annotations).toMatchObject({
      'pv.kubernetes.io/bind-completed': 'yes',
      'pv.kubernetes.io/bound-by-controller': 'yes',
    });
    await it.client.delete(persistentvolumeclaims, 'data', { namespace });
    await it.until(
      'released',
      async () => (await it.client.get(persistentvolumes, 'right')).status?.phase === 'Released',
    );
  });

  it('says why a claim waits', async () => {
    const it = await start();
    await it.client.create(persistentvolumeclaims, claim('data', { storageClassName: '' }));
    await it.client.create(persistentvolumeclaims, claim('lost', { storageClassName: 'nowhere' }));
    await it.client.create(storageclasses, localPath);
    await it.client.create(persistentvolumeclaims, claim('later', { storageClassName: 'local-path' }));
    const said = (name: string) =>
      it.until(`an event about ${name}`, () => it.events.find((e) => e.about === `PersistentVolumeClaim/${name}`));
    expect(await said('data')).toMatchObject({
      reason: 'FailedBinding',
      message: 'no persistent volumes available for this claim and no storage class is set',
    });
    expect(await said('lost')).toMatchObject({
      reason: 'ProvisioningFailed',
      message: 'storageclass.storage.k8s.io "nowhere" not found',
    });
    expect(await said('later')).toMatchObject({
      reason: 'WaitForFirstConsumer',
      message: 'waiting for first consumer to be created before binding',
    });
    await phase(it, 'data', 'Pending');
  });

  it('makes a local volume on the chosen node, and takes it away with the claim', async () => {
    const it = await start();
    await addNode(it.client, 'n1');
    await it.client.create(storageclasses, localPath);
    await it.client.create(persistentvolumeclaims, claim('data', { storageClassName: 'local-path' }));
    await it.client.patch(
      persistentvolumeclaims,
      'data',
      { metadata: { annotations: { [selectedNode]: 'n1' } } },
      { type: 'application/merge-patch+json', namespace },
    );
    const bound = await phase(it, 'data', 'Bound');
    const made = await it.client.get(persistentvolumes, bound.spec?.volumeName ?? '');
    expect(made.metadata.name).toBe(`pvc-${bound.metadata.uid}`);
    expect(made.spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values).toEqual(['n1']);
    expect(it.events.some((e) => e.message === `Successfully provisioned volume ${made.metadata.name}`)).toBe(true);
    await it.client.delete(persistentvolumeclaims, 'data', { namespace });
    await it.until('the volume is gone', async () => (await it.client.list(persistentvolumes)).items.length === 0);
    expect(removed).toContain(made.spec?.hostPath?.path);
  });

  it('keeps a claim that a pod uses until the pod is gone', async () => {
    const it = await start();
    await it.client.create(persistentvolumeclaims, claim('data', { storageClassName: '' }));
    await it.client.create(pods, {
      metadata: { name: 'user', namespace },
      spec: {
        nodeName: 'n1',
        containers: [{ name: 'c', image: 'busybox' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      },
    });
    await it.until('the claim is protected', async () => {
      const found = await it.client.get(persistentvolumeclaims, 'data', { namespace });
      return found.metadata.finalizers?.includes('kubernetes.io/pvc-protection');
    });
    await it.client.delete(persistentvolumeclaims, 'data', { namespace });
    await it.until('it rests', () => it.running.idle);
    expect(
      (await it.client.get(persistentvolumeclaims, 'data', { namespace })).metadata.deletionTimestamp,
    ).toBeDefined();
    await it.client.delete(pods, 'user', { namespace, gracePeriodSeconds: 0 });
    await it.until('the claim is gone', async () => (await it.client.list(persistentvolumeclaims)).items.length === 0);
  });

  it('makes the claims of ephemeral volumes', async () => {
    const it = await start();
    await it.client.create(pods, {
      metadata: { name: 'user', namespace },
      spec: {
        containers: [{ name: 'c', image: 'busybox' }],
        volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: claim('x').spec! } } }],
      },
    });
    const made = await it.until(
      'the claim is made',
      async () => (await it.client.list(persistentvolumeclaims)).items[0],
    );
    expect(made.metadata.name).toBe('user-scratch');
    expect(made.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Pod', name: 'user', controller: true });
  });
});
