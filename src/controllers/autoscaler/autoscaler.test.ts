import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../../../testing/controller-harness.ts';
import { deployments, horizontalpodautoscalers } from '../../api/generated/resources.ts';
import type { V1Pod } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { autoscalerController } from './autoscaler.ts';
import { decide, noMemory } from './behavior.ts';
import { proposeReplicas } from './replicas.ts';

const now = Date.UTC(2026, 0, 1);
const pod = (name: string, phase = 'Running'): Live<V1Pod> => ({
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2025-12-31T00:00:00Z' },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }] },
  status: {
    phase,
    startTime: '2025-12-31T00:00:00Z',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-12-31T00:01:00Z' }],
  },
});
const use = (values: Record<string, number>) =>
  new Map(Object.entries(values).map(([name, milli]) => [name, { milli, at: now, window: 30_000 }]));

describe('proposeReplicas', () => {
  const tolerances = { up: 0.1, down: 0.1 };
  it.each([
    ['on target', { a: 50, b: 50 }, 50, 2],
    ['within tolerance', { a: 54, b: 54 }, 50, 2],
    ['twice too much', { a: 100, b: 100 }, 50, 4],
    ['half', { a: 25, b: 25 }, 50, 1],
    ['one not measured, scaling down is held', { a: 10 }, 50, 2],
    ['one not measured, scaling up is careful', { a: 150 }, 50, 3],
  ])('%s', (_, usage, utilization, replicas) => {
    const found = proposeReplicas({
      current: 2,
      pods: [pod('a'), pod('b')],
      usage: use(usage as Record<string, number>),
      resource: 'cpu',
      target: { utilization: utilization as number },
      tolerances,
      now,
    });
    expect(found.replicas).toBe(replicas);
  });
  it('needs requests', () => {
    const bare = { ...pod('a'), spec: { containers: [{ name: 'c', image: 'i' }] } };
    expect(() =>
      proposeReplicas({
        current: 1,
        pods: [bare],
        usage: use({ a: 1 }),
        resource: 'cpu',
        target: { utilization: 50 },
        tolerances,
        now,
      }),
    ).toThrow('missing request for cpu in container c of Pod a');
  });
});

describe('decide', () => {
  const base = { min: 1, max: 20, behavior: undefined, memory: noMemory, now };
  it.each([
    ['in range', 3, 5, 5, 'DesiredWithinRange'],
    ['faster than the rate', 2, 20, 6, 'ScaleUpLimit'],
    ['above the maximum', 18, 30, 20, 'TooManyReplicas'],
    ['below the minimum', 3, 0, 1, 'TooFewReplicas'],
  ])('%s', (_, current, desired, replicas, reason) => {
    const found = decide({ ...base, current, desired });
    expect([found.replicas, found.limited.reason]).toEqual([replicas, reason]);
  });
  it('holds a scale down for five minutes', () => {
    const memory = { ...noMemory, recommendations: [{ at: now - 60_000, value: 8 }] };
    const held = decide({ ...base, current: 8, desired: 2, memory });
    expect([held.replicas, held.able.reason]).toEqual([8, 'ScaleDownStabilized']);
    expect(decide({ ...base, current: 8, desired: 2, memory, now: now + 300_000 }).replicas).toBe(2);
  });
});

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});

describe('an autoscaler without a metrics server', () => {
  it('says what it lacks, and still keeps the bounds', async () => {
    harness = await startHarness([autoscalerController(() => [deployments])]);
    const { client } = harness;
    const namespace = 'default';
    await client.create(deployments, {
      metadata: { name: 'web', namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
      },
    });
    await client.create(horizontalpodautoscalers, {
      metadata: { name: 'web', namespace },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        maxReplicas: 5,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
    });
    const failed = await harness.until('a condition', async () => {
      const found = await client.get(horizontalpodautoscalers, 'web', { namespace });
      return found.status?.conditions?.find((c) => c.type === 'ScalingActive');
    });
    expect(failed).toMatchObject({
      status: 'False',
      reason: 'FailedGetResourceMetric',
      message:
        'the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
    });
    await client.patch(
      horizontalpodautoscalers,
      'web',
      { spec: { minReplicas: 2 } },
      { type: 'application/merge-patch+json', namespace },
    );
    await harness.until(
      'it is scaled',
      async () => (await client.get(deployments, 'web', { namespace })).spec?.replicas === 2,
    );
    expect(
      harness.events.some(
        (e) => e.message === 'New size: 2; reason: Current number of replicas below Spec.MinReplicas',
      ),
    ).toBe(true);
  });
});
