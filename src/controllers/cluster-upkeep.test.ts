import { afterEach, describe, expect, it } from 'vitest';
import { addNode, type Harness, startHarness } from '../../testing/controller-harness.ts';
import type { TestServerOptions } from '../../testing/test-server.ts';
import {
  configmaps,
  deployments,
  endpoints,
  endpointslices,
  leases,
  namespaces,
  nodes,
  pods,
  replicasets,
  secrets,
  serviceaccounts,
  services,
} from '../api/generated/resources.ts';
import type { V1Deployment, V1Pod } from '../api/generated/types.ts';
import { rfc3339, rfc3339Micro } from '../base/clock.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import type { Controller } from '../controller/controller.ts';
import { deploymentController } from './deployment/deployment.ts';
import { endpointSliceController, endpointsController } from './endpoint-slices.ts';
import { garbageCollector } from './garbage-collector.ts';
import { namespaceController } from './namespace.ts';
import { rootCaController, serviceAccountController } from './namespace-defaults.ts';
import { nodeIpamController, subnetAt } from './node-ipam.ts';
import { nodeLifecycleController } from './node-lifecycle.ts';
import { podGcController } from './pod-gc.ts';
import { replicaSetController } from './replica-set.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const start = async (controllers: readonly Controller[], options: TestServerOptions = {}): Promise<Harness> => {
  harness = await startHarness(controllers, options);
  return harness;
};
const namespace = 'default';
const served = () => [pods, deployments, replicasets, configmaps, secrets, serviceaccounts];
const web: V1Deployment = {
  metadata: { name: 'web', namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
  },
};
const count = async (it: Harness, resource: typeof pods | typeof replicasets | typeof deployments) =>
  (await it.client.list(resource as typeof pods, { namespace })).items.length;

describe('garbage collection', () => {
  const all = () => [garbageCollector(served), deploymentController, replicaSetController];
  const running = async (): Promise<Harness> => {
    const it = await start(all());
    await it.client.create(deployments, web);
    await it.until('two pods', async () => (await count(it, pods)) === 2);
    await it.until('it rests', () => it.running.idle);
    return it;
  };
  it('takes dependents along in the background', async () => {
    const it = await running();
    await it.client.delete(deployments, 'web', { namespace, propagationPolicy: 'Background' });
    expect(await count(it, deployments)).toBe(0);
    await it.until('all are gone', async () => (await count(it, pods)) + (await count(it, replicasets)) === 0);
  });
  it('takes dependents first in the foreground', async () => {
    const it = await running();
    await it.client.delete(deployments, 'web', { namespace, propagationPolicy: 'Foreground' });
    await it.until('all are gone', async () => (await count(it, pods)) + (await count(it, deployments)) === 0);
    expect(await count(it, replicasets)).toBe(0);
  });
  it('leaves orphans behind', async () => {
    const it = await running();
    await it.client.delete(deployments, 'web', { namespace, propagationPolicy: 'Orphan' });
    await it.until('the deployment is gone', async () => (await count(it, deployments)) === 0);
    const [rs] = (await it.client.list(replicasets, { namespace })).items;
    expect(rs?.metadata.ownerReferences ?? []).toEqual([]);
    expect(await count(it, pods)).toBe(2);
  });
  it('deletes what names an owner that never was', async () => {
    const it = await start([garbageCollector(served)]);
    await it.client.create(configmaps, {
      metadata: {
        name: 'lost',
        namespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 'nobody', uid: 'no-such-uid' }],
      },
    });
    await it.until('it is gone', async () => (await it.client.list(configmaps, { namespace })).items.length === 0);
  });
});

describe('namespaces', () => {
  it('get a service account and the authority, and are emptied before they go', async () => {
    const it = await start([namespaceController(served), serviceAccountController, rootCaController('PEM')]);
    await it.client.create(namespaces, { metadata: { name: 'team' } });
    const has = async (): Promise<boolean> => {
      const maps = await it.client.list(configmaps, { namespace: 'team' });
      const accounts = await it.client.list(serviceaccounts, { namespace: 'team' });
      return maps.items[0]?.data?.['ca.crt'] === 'PEM' && accounts.items[0]?.metadata.name === 'default';
    };
    await it.until('defaults', has);
    await it.client.create(secrets, { metadata: { name: 's', namespace: 'team' } });
    await it.client.delete(namespaces, 'team');
    await it.until(
      'it is gone',
      async () => !(await it.client.list(namespaces)).items.some((n) => n.metadata.name === 'team'),
    );
    expect((await it.client.list(secrets, { namespace: 'team' })).items).toEqual([]);
  });
  it('say what holds them up', async () => {
    const it = await start([namespaceController(served)]);
    await it.client.create(namespaces, { metadata: { name: 'team' } });
    await it.client.create(configmaps, {
      metadata: { name: 'kept', namespace: 'team', finalizers: ['example.com/keep'] },
    });
    await it.client.delete(namespaces, 'team');
    const conditions = await it.until('conditions', async () => {
      const found = await it.client.get(namespaces, 'team');
      return (
        found.status?.conditions?.some((c) => c.type === 'NamespaceContentRemaining' && c.status === 'True') &&
        found.status.conditions
      );
    });
    expect(conditions.find((c) => c.type === 'NamespaceFinalizersRemaining')?.message).toBe(
      'Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances',
    );
    expect(conditions.find((c) => c.type === 'NamespaceContentRemaining')?.message).toBe(
      'Some resources are remaining: configmaps. has 1 resource instances',
    );
  });
});

describe('nodes', () => {
  it('get ranges of their own', async () => {
    const it = await start([nodeIpamController('10.244.0.0/16')]);
    for (const name of ['a', 'b']) await addNode(it.client, name);
    const ranges = await it.until('ranges', async () => {
      const found = (await it.client.list(nodes)).items.map((node) => node.spec?.podCIDR);
      return found.every((range) => range !== undefined) && found;
    });
    expect([...ranges].sort()).toEqual(['10.244.0.0/24', '10.244.1.0/24']);
    expect([subnetAt('10.244.0.0/16', 24, 255), subnetAt('10.244.0.0/16', 24, 256)]).toEqual([
      '10.244.255.0/24',
      undefined,
    ]);
  });

  it('are not ready once their kubelet is silent, and their pods neither', async () => {
    const clock = virtualClock();
    const it = await start([nodeLifecycleController()], { clock, namespaces: ['default', 'kube-node-lease'] });
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      lastTransitionTime: rfc3339(clock.now()),
      lastHeartbeatTime: rfc3339(clock.now()),
    };
    for (const name of ['n1', 'n2']) {
      await addNode(it.client, name);
      const node = await it.client.get(nodes, name);
      await it.client.update(nodes, { ...node, status: { conditions: [ready] } }, { subresource: 'status' });
      await it.client.create(leases, {
        metadata: { name, namespace: 'kube-node-lease' },
        spec: { holderIdentity: name, renewTime: rfc3339Micro(clock.now()) },
      });
    }
    await it.client.create(pods, {
      metadata: { name: 'p', namespace },
      spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'nginx' }] },
    });
    for (let i = 0; i < 8; i++) {
      await clock.advance(10_000);
      const lease = await it.client.get(leases, 'n2', { namespace: 'kube-node-lease' });
      await it.client.update(leases, { ...lease, spec: { ...lease.spec, renewTime: rfc3339Micro(clock.now()) } });
    }
    const silent = await it.until('the taints', async () => {
      await clock.advance(100);
      const node = await it.client.get(nodes, 'n1');
      return node.spec?.taints?.some((t) => t.effect === 'NoExecute') && node;
    });
    expect(silent.status?.conditions?.[0]).toMatchObject({
      type: 'Ready',
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    });
    expect(silent.spec?.taints?.map((t) => `${t.key}:${t.effect}`).sort()).toEqual([
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/unreachable:NoSchedule',
    ]);
    expect((await it.client.get(nodes, 'n2')).spec?.taints ?? []).toEqual([]);
    await it.until('the pod is not ready', async () => {
      const pod = await it.client.get(pods, 'p', { namespace });
      return pod.status?.conditions?.find((c) => c.type === 'Ready')?.status === 'False';
    });
    expect(it.events).toContainEqual({
      about: 'Node/n1',
      type: 'Normal',
      reason: 'NodeNotReady',
      message: 'Node n1 status is now: NodeNotReady',
    });
  });

  it('leave no pods behind when they are gone', async () => {
    const clock = virtualClock();
    const it = await start([podGcController], { clock });
    await addNode(it.client, 'n1');
    await it.client.create(pods, {
      metadata: { name: 'p', namespace },
      spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'nginx' }] },
    });
    await it.client.delete(nodes, 'n1');
    await clock.advance(30_000);
    expect(await count(it, pods)).toBe(1);
    await it.until('it is gone', async () => {
      await clock.advance(5000);
      return (await count(it, pods)) === 0;
    });
  });
});

describe('endpoints of a Service', () => {
  const pod = (name: string, ip: string, ready: boolean): [V1Pod, V1Pod['status']] => [
    {
      metadata: { name, namespace, labels: { app: 'web' } },
      spec: {
        nodeName: 'n1',
        containers: [{ name: 'c', image: 'nginx', ports: [{ name: 'http', containerPort: 8080 }] }],
      },
    },
    {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  ];
  it('follow its pods in both forms', async () => {
    const it = await start([endpointSliceController, endpointsController]);
    const statuses = new Map<string, V1Pod['status']>();
    it.kubelet.fate = (one) => statuses.get(one.metadata.name);
    await it.client.create(services, {
      metadata: { name: 'web', namespace },
      spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    });
    for (const [spec, status] of [pod('a', '10.0.0.1', true), pod('b', '10.0.0.2', false)]) {
      statuses.set(spec.metadata?.name ?? '', status);
      await it.client.create(pods, spec);
    }
    const slice = await it.until('two endpoints', async () => {
      const [found] = (await it.client.list(endpointslices, { namespace })).items;
      return found?.endpoints?.length === 2 && found;
    });
    expect(slice.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    expect(slice.endpoints?.map((e) => [e.addresses[0], e.conditions?.ready, e.targetRef?.name])).toEqual([
      ['10.0.0.1', true, 'a'],
      ['10.0.0.2', false, 'b'],
    ]);
    expect(slice.metadata.labels).toMatchObject({
      'kubernetes.io/service-name': 'web',
      'service.kubernetes.io/headless': '',
    });
    const old = await it.until('the old form', async () => {
      const found = (await it.client.list(endpoints, { namespace })).items[0];
      return found?.subsets?.[0]?.notReadyAddresses && found;
    });
    expect(old.subsets?.[0]?.addresses?.map((a) => a.ip)).toEqual(['10.0.0.1']);
    expect(old.subsets?.[0]?.notReadyAddresses?.map((a) => a.ip)).toEqual(['10.0.0.2']);
  });
});
