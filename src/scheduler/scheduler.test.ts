import { describe, expect, it } from 'vitest';
import { nodes, pods } from '../api/generated/resources.ts';
import type { V1Binding, V1Pod } from '../api/generated/types.ts';
import type { KubeObject, Live, Resource } from '../api/resource.ts';
import { notFound } from '../api/status.ts';
import { noSpans } from '../api/trace.ts';
import { startLifetime } from '../base/lifetime.ts';
import { silentLogger } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import type { Client } from '../client/client.ts';
import type { Informer, InformerHandler, InformerSet } from '../client/informer.ts';
import { testNode, testPod } from './fixtures.ts';
import { startScheduler } from './scheduler.ts';

/** A cluster of maps: enough of client and informers to see what the scheduler reads and writes. */
function fakeCluster() {
  const stores = new Map<string, ReturnType<typeof storeOf>>();
  const events: string[] = [];
  let revision = 0;
  function storeOf<T extends KubeObject>(resource: Resource<T>) {
    const objects = new Map<string, Live<T>>();
    const handlers = new Set<InformerHandler<T>>();
    const keyOf = (it: T): string =>
      it.metadata?.namespace ? `${it.metadata.namespace}/${it.metadata.name}` : `${it.metadata?.name}`;
    const informer: Informer<T> = {
      resource,
      get: (key) => objects.get(key),
      list: () => [...objects.values()],
      byIndex: (_, value) => [...objects.values()].filter((it) => it.metadata.namespace === value),
      addIndex: () => undefined,
      subscribe(handler) {
        handlers.add(handler);
        for (const object of objects.values()) handler.add?.(object);
        return () => void handlers.delete(handler);
      },
      synced: true,
      whenSynced: () => Promise.resolve(),
      get resourceVersion() {
        return String(revision);
      },
    };
    return {
      informer,
      put(object: T) {
        const next = {
          ...object,
          metadata: { ...object.metadata, resourceVersion: String(++revision) },
        } as Live<T>;
        const old = objects.get(keyOf(object));
        objects.set(keyOf(object), next);
        for (const handler of handlers) {
          if (old) handler.update?.(next, old);
          else handler.add?.(next);
        }
        return next;
      },
      remove(key: string) {
        const old = objects.get(key);
        if (!old) throw notFound({ group: '', resource: resource.plural }, key);
        objects.delete(key);
        for (const handler of handlers) handler.remove?.(old);
      },
    };
  }
  const store = <T extends KubeObject>(resource: Resource<T>) => {
    let found = stores.get(resource.plural);
    if (!found) {
      found = storeOf(resource) as unknown as ReturnType<typeof storeOf>;
      stores.set(resource.plural, found);
    }
    return found as unknown as ReturnType<typeof storeOf<T>>;
  };
  const podStore = store(pods);
  const unused = (): never => {
    throw new Error('not used by the scheduler');
  };
  const client: Client = {
    get: unused,
    list: unused,
    watch: unused,
    create: unused,
    update: unused,
    deleteCollection: unused,
    async createSubresource(_resource, name, subresource, body, options) {
      expect(subresource).toBe('binding');
      const { target } = body as unknown as V1Binding;
      const pod = podStore.informer.get(`${options?.namespace}/${name}`) as V1Pod;
      podStore.put({
        ...pod,
        spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName: target.name ?? '' },
      });
      return body as never;
    },
    async patch(_resource, name, patch, options) {
      const pod = podStore.informer.get(`${options.namespace}/${name}`) as V1Pod;
      const { status } = patch as { status: NonNullable<V1Pod['status']> };
      return podStore.put({ ...pod, status: { ...pod.status, ...status } }) as never;
    },
    async delete(_resource, name, options) {
      podStore.remove(`${options?.namespace}/${name}`);
    },
  };
  const informers: InformerSet = {
    client,
    informer: (resource) => store(resource).informer,
    whenSynced: () => Promise.resolve(),
  };
  const clock = virtualClock();
  const lifetime = startLifetime((error) => {
    throw error;
  });
  return {
    store,
    clock,
    lifetime,
    events,
    podStore,
    start: () =>
      startScheduler({
        client,
        informers,
        clock,
        lifetime,
        events: {
          event: (object, type, reason, message) =>
            void events.push(`${object.metadata?.name} ${type} ${reason} ${message}`),
          flush: () => Promise.resolve(),
        },
        random: seededRandom(7),
        log: silentLogger,
        spans: noSpans,
      }),
    /** Lets everything happen that can happen without time passing. */
    async settle() {
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    },
    nodeOf: (name: string) => podStore.informer.get(`default/${name}`)?.spec?.nodeName,
    pod: (name: string) => podStore.informer.get(`default/${name}`),
  };
}

describe('startScheduler', () => {
  it('binds a pod and says so', async () => {
    const it = fakeCluster();
    it.store(nodes).put(testNode('a'));
    it.start();
    it.podStore.put(testPod('web'));
    await it.settle();
    expect(it.nodeOf('web')).toBe('a');
    expect(it.events).toEqual(['web Normal Scheduled Successfully assigned default/web to a']);
    await it.lifetime.end();
  });

  it('leaves pods of other schedulers and gated pods alone', async () => {
    const it = fakeCluster();
    it.store(nodes).put(testNode('a'));
    const scheduler = it.start();
    it.podStore.put(testPod('other', { schedulerName: 'mine' }));
    const gated = it.podStore.put(testPod('gated', { schedulingGates: [{ name: 'wait' }] }));
    await it.settle();
    expect([it.nodeOf('other'), it.nodeOf('gated')]).toEqual([undefined, undefined]);
    expect(scheduler.sizes.gated).toBe(1);
    it.podStore.put({ ...gated, spec: { containers: gated.spec?.containers ?? [], schedulingGates: [] } });
    await it.settle();
    expect(it.nodeOf('gated')).toBe('a');
    await it.lifetime.end();
  });

  it('reports a pod that fits nowhere, and tries again only when a change can help', async () => {
    const it = fakeCluster();
    it.store(nodes).put(testNode('a', { allocatable: { cpu: '1' } }));
    const scheduler = it.start();
    it.podStore.put(testPod('big', {}, { requests: { cpu: '2' } }));
    await it.settle();
    const message =
      '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    expect(it.events).toEqual([`big Warning FailedScheduling ${message}`]);
    expect(it.pod('big')?.status?.conditions?.[0]).toMatchObject({
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
    });
    it.store(nodes).put(testNode('b', { allocatable: { cpu: '1' } }));
    await it.settle();
    expect(scheduler.sizes.unschedulable).toBe(1);
    it.store(nodes).put(testNode('b', { allocatable: { cpu: '4' } }));
    await it.settle();
    expect(it.nodeOf('big')).toBe('b');
    await it.lifetime.end();
  });

  it('takes higher priorities first', async () => {
    const it = fakeCluster();
    it.start();
    it.podStore.put(testPod('low', { priority: 1 }));
    it.podStore.put(testPod('high', { priority: 9 }));
    await it.settle();
    it.events.length = 0;
    it.store(nodes).put(testNode('a', { allocatable: { pods: '1' } }));
    await it.settle();
    expect(it.nodeOf('high')).toBe('a');
    await it.lifetime.end();
  });

  it('preempts, promises the node, and uses it', async () => {
    const it = fakeCluster();
    it.store(nodes).put(testNode('a', { allocatable: { cpu: '2' } }));
    it.podStore.put(testPod('low', { nodeName: 'a', priority: 0 }, { requests: { cpu: '2' } }));
    it.start();
    it.podStore.put(testPod('high', { priority: 100 }, { requests: { cpu: '2' } }));
    await it.settle();
    expect(it.events).toContain('low Normal Preempted Preempted by pod uid-high on node a');
    expect(it.pod('low')).toBeUndefined();
    expect(it.nodeOf('high')).toBe('a');
    await it.lifetime.end();
  });

  it('places 5,000 pods on 500 nodes', async () => {
    const it = fakeCluster();
    for (let i = 0; i < 500; i++) {
      it.store(nodes).put(testNode(`n${i}`, { labels: { 'topology.kubernetes.io/zone': `z${i % 3}` } }));
    }
    const owner = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'rs', controller: true }];
    const { replicasets } = await import('../api/generated/resources.ts');
    it.store(replicasets).put({
      metadata: { name: 'rs', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'web' } } },
    });
    it.start();
    const began = performance.now();
    for (let i = 0; i < 5000; i++) {
      const pod = testPod(`p${i}`, {}, { labels: { app: 'web' }, requests: { cpu: '100m', memory: '64Mi' } });
      it.podStore.put({ ...pod, metadata: { ...pod.metadata, ownerReferences: owner } });
    }
    const placed = (): number => it.podStore.informer.list().filter((pod) => pod.spec?.nodeName).length;
    while (placed() < 5000) await it.settle();
    expect(performance.now() - began).toBeLessThan(30_000);
    const perNode = new Map<string, number>();
    for (const pod of it.podStore.informer.list()) {
      const name = pod.spec?.nodeName ?? '';
      perNode.set(name, (perNode.get(name) ?? 0) + 1);
    }
    expect(Math.max(...perNode.values())).toBeLessThanOrEqual(20);
    await it.lifetime.end();
  }, 60_000);
});
