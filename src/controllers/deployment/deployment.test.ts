import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../../../testing/controller-harness.ts';
import { deployments, pods, replicasets } from '../../api/generated/resources.ts';
import type { V1Deployment } from '../../api/generated/types.ts';
import { replicaSetController } from '../replica-set.ts';
import { deploymentController } from './deployment.ts';

const web = (spec: Partial<V1Deployment['spec']> = {}, image = 'nginx:1'): V1Deployment => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    ...spec,
  },
});

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const start = async (): Promise<Harness> => {
  harness = await startHarness([deploymentController, replicaSetController]);
  return harness;
};
const get = (it: Harness) => it.client.get(deployments, 'web', { namespace: 'default' });
const complete = (it: Harness) =>
  it.until('the rollout is complete', async () => {
    const d = await get(it);
    const progressing = d.status?.conditions?.find((c) => c.type === 'Progressing');
    return (
      d.status?.observedGeneration === d.metadata.generation &&
      d.status?.updatedReplicas === d.spec?.replicas &&
      d.status?.replicas === d.spec?.replicas &&
      progressing?.reason === 'NewReplicaSetAvailable' &&
      d
    );
  });

describe('a Deployment', () => {
  it('makes a ReplicaSet with its pods and says so', async () => {
    const it = await start();
    await it.client.create(deployments, web());
    const d = await complete(it);
    expect(d.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
    expect(d.status).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3, updatedReplicas: 3 });
    expect(d.status?.conditions?.map((c) => [c.type, c.status, c.reason])).toEqual([
      ['Available', 'True', 'MinimumReplicasAvailable'],
      ['Progressing', 'True', 'NewReplicaSetAvailable'],
    ]);
    const [rs] = (await it.client.list(replicasets, { namespace: 'default' })).items;
    expect(rs?.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]+$/);
    expect(rs?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    });
    expect(it.events).toContainEqual({
      about: 'Deployment/web',
      type: 'Normal',
      reason: 'ScalingReplicaSet',
      message: `Scaled up replica set ${rs?.metadata.name} from 0 to 3`,
    });
    expect(it.events.filter((e) => e.reason === 'SuccessfulCreate')).toHaveLength(3);
  });

  it('rolls out a new template, keeps the old ReplicaSet, and goes back to it', async () => {
    const it = await start();
    await it.client.create(deployments, web());
    await complete(it);
    await it.client.patch(
      deployments,
      'web',
      { spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:2' }] } } } },
      { type: 'application/strategic-merge-patch+json', namespace: 'default' },
    );
    const second = await complete(it);
    expect(second.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
    const sets = (await it.client.list(replicasets, { namespace: 'default' })).items;
    expect(sets.map((rs) => rs.spec?.replicas).sort()).toEqual([0, 3]);
    await it.client.patch(
      deployments,
      'web',
      { spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:1' }] } } } },
      { type: 'application/strategic-merge-patch+json', namespace: 'default' },
    );
    const third = await complete(it);
    expect(third.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
    const back = (await it.client.list(replicasets, { namespace: 'default' })).items.find(
      (rs) => rs.spec?.replicas === 3,
    );
    expect(back?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
    const running = (await it.client.list(pods, { namespace: 'default' })).items;
    expect(running.every((pod) => pod.spec?.containers[0]?.image === 'nginx:1')).toBe(true);
  });

  it('waits for the old pods where the strategy is Recreate', async () => {
    const it = await start();
    await it.client.create(deployments, web({ strategy: { type: 'Recreate' } }));
    await complete(it);
    await it.client.patch(
      deployments,
      'web',
      { spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx:2' }] } } } },
      { type: 'application/strategic-merge-patch+json', namespace: 'default' },
    );
    await complete(it);
    const scaled = it.events
      .filter((e) => e.reason === 'ScalingReplicaSet')
      .map((e) => e.message.replace(/web-\w+/, 'RS'));
    expect(scaled).toEqual([
      'Scaled up replica set RS from 0 to 3',
      'Scaled down replica set RS from 3 to 0',
      'Scaled up replica set RS from 0 to 3',
    ]);
  });

  it('does nothing while paused but scale', async () => {
    const it = await start();
    await it.client.create(deployments, web());
    await complete(it);
    const patch = (body: unknown) =>
      it.client.patch(deployments, 'web', body, { type: 'application/merge-patch+json', namespace: 'default' });
    await patch({ spec: { paused: true, replicas: 5 } });
    await it.until('it is scaled', async () => (await get(it)).status?.replicas === 5);
    const paused = await it.until('it is marked', async () => {
      const condition = (await get(it)).status?.conditions?.find((c) => c.type === 'Progressing');
      return condition?.reason === 'DeploymentPaused' && condition;
    });
    expect(paused).toMatchObject({ status: 'Unknown', message: 'Deployment is paused' });
  });
});
