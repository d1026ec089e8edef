import { afterEach, describe, expect, it } from 'vitest';
import { addNode, type Harness, startHarness } from '../../testing/controller-harness.ts';
import {
  clusterroles,
  jobs,
  nodes,
  poddisruptionbudgets,
  pods,
  replicasets,
  resourcequotas,
} from '../api/generated/resources.ts';
import type { V1Pod } from '../api/generated/types.ts';
import { inScope } from '../apiserver/admission/resource-quota/scopes.ts';
import { evaluatorFor } from '../apiserver/admission/resource-quota/usage.ts';
import type { Controller } from '../controller/controller.ts';
import { clusterRoleAggregationController } from './cluster-role-aggregation.ts';
import { disruptionController } from './disruption.ts';
import { jobController } from './job/job.ts';
import { nodeTtlController, stepFor } from './node-ttl.ts';
import { replicaSetController } from './replica-set.ts';
import { resourceQuotaController } from './resource-quota.ts';
import { stayUnder, taintEvictionController } from './taint-eviction.ts';
import { ttlAfterFinishedController } from './ttl-after-finished.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const start = async (...controllers: Controller[]): Promise<Harness> => {
  harness = await startHarness(controllers);
  return harness;
};
const namespace = 'default';
const pod = (name: string, spec: Partial<V1Pod['spec']> = {}): V1Pod => ({
  metadata: { name, namespace, labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec },
});

describe('stayUnder', () => {
  const taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
  const forever = { key: taint.key, operator: 'Exists', effect: 'NoExecute' };
  it.each([
    ['no toleration', [], 0],
    ['one without a limit', [forever], undefined],
    ['one with a limit', [{ ...forever, tolerationSeconds: 300 }], 300_000],
    ['another key', [{ ...forever, key: 'other' }], 0],
    ['a limit of nothing', [{ ...forever, tolerationSeconds: -1 }], 0],
  ])('%s', (_, tolerations, ms) => {
    expect(stayUnder([taint], tolerations)).toBe(ms);
  });
});

describe('taint eviction', () => {
  it('drives out what does not tolerate, and says so', async () => {
    const it = await start(taintEvictionController());
    await addNode(it.client, 'n1');
    await it.client.create(pods, pod('stays', { nodeName: 'n1', tolerations: [{ operator: 'Exists' }] }));
    await it.client.create(pods, pod('goes', { nodeName: 'n1', tolerations: [] }));
    await it.client.patch(
      nodes,
      'n1',
      { spec: { taints: [{ key: 'maintenance', value: 'now', effect: 'NoExecute' }] } },
      { type: 'application/merge-patch+json' },
    );
    await it.until('one is gone', async () => (await it.client.list(pods, { namespace })).items.length === 1);
    expect(it.events.filter((e) => e.reason === 'TaintManagerEviction')).toEqual([
      {
        about: 'Pod/goes',
        type: 'Normal',
        reason: 'TaintManagerEviction',
        message: 'Marking for deletion Pod default/goes',
      },
    ]);
  });
});

describe('a PodDisruptionBudget', () => {
  it.each([
    [{ maxUnavailable: 1 }, { desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 1 }],
    [{ minAvailable: 3 }, { desiredHealthy: 3, expectedPods: 3, disruptionsAllowed: 0 }],
    [{ minAvailable: '50%' }, { desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 1 }],
  ])('%j', async (spec, wanted) => {
    const it = await start(
      disruptionController(() => []),
      replicaSetController,
    );
    await it.client.create(poddisruptionbudgets, {
      metadata: { name: 'web', namespace },
      spec: { selector: { matchLabels: { app: 'web' } }, ...spec } as never,
    });
    await it.client.create(replicasets, {
      metadata: { name: 'web', namespace },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
      },
    });
    const budget = await it.until('all are healthy', async () => {
      const found = await it.client.get(poddisruptionbudgets, 'web', { namespace });
      return found.status?.currentHealthy === 3 && found;
    });
    expect(budget.status).toMatchObject(wanted);
    const allowed = wanted.disruptionsAllowed > 0;
    expect(budget.status?.conditions?.[0]).toMatchObject({
      type: 'DisruptionAllowed',
      status: allowed ? 'True' : 'False',
      reason: allowed ? 'SufficientPods' : 'InsufficientPods',
    });
  });
});

describe('a ResourceQuota', () => {
  it('says what is used, and less once pods are gone', async () => {
    const measure = {
      counts: (resource: Parameters<typeof evaluatorFor>[0], name: string) => evaluatorFor(resource).counts(name),
      usage: (resource: Parameters<typeof evaluatorFor>[0], object: object) => evaluatorFor(resource).usage(object),
      inScope,
    };
    const it = await start(resourceQuotaController(measure, () => [pods, jobs]));
    const container = { name: 'c', image: 'nginx', resources: { requests: { cpu: '250m' } } };
    await it.client.create(pods, pod('a', { containers: [container] }));
    await it.client.create(pods, pod('b', { containers: [container] }));
    await it.client.create(resourcequotas, {
      metadata: { name: 'q', namespace },
      spec: { hard: { pods: '5', 'requests.cpu': '1', 'count/jobs.batch': '2' } },
    });
    const used = (cpu: string) =>
      it.until(`${cpu} are used`, async () => {
        const found = await it.client.get(resourcequotas, 'q', { namespace });
        return found.status?.used?.['requests.cpu'] === cpu && found.status;
      });
    expect(await used('500m')).toMatchObject({ used: { pods: '2', 'count/jobs.batch': '0' }, hard: { pods: '5' } });
    await it.client.delete(pods, 'a', { namespace, gracePeriodSeconds: 0 });
    await used('250m');
  });
});

describe('smaller controllers', () => {
  it('deletes finished Jobs when their time is over', async () => {
    const it = await start(jobController(), ttlAfterFinishedController);
    it.kubelet.fate = () => ({ phase: 'Succeeded' });
    await it.client.create(jobs, {
      metadata: { name: 'once', namespace },
      spec: {
        ttlSecondsAfterFinished: 0,
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } },
      },
    });
    await it.until('it is being deleted', async () => {
      const [job] = (await it.client.list(jobs, { namespace })).items;
      return !job || job.metadata.deletionTimestamp !== undefined;
    });
  });

  it('fills aggregating roles', async () => {
    const it = await start(clusterRoleAggregationController);
    await it.client.create(clusterroles, {
      metadata: { name: 'all' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'all' } }] },
    });
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    await it.client.create(clusterroles, { metadata: { name: 'part', labels: { to: 'all' } }, rules });
    await it.until('it is filled', async () => (await it.client.get(clusterroles, 'all')).rules?.length === 1);
  });

  it('notes on nodes how long they may cache', async () => {
    const it = await start(nodeTtlController());
    await addNode(it.client, 'n1');
    await it.until(
      'noted',
      async () => (await it.client.get(nodes, 'n1')).metadata.annotations?.['node.alpha.kubernetes.io/ttl'] === '0',
    );
    expect([stepFor(101, 0), stepFor(95, 1), stepFor(89, 1), stepFor(5000, 0)]).toEqual([1, 1, 0, 4]);
  });
});
