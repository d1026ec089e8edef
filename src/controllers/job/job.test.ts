import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../../../testing/controller-harness.ts';
import { jobs, pods } from '../../api/generated/resources.ts';
import type { V1Job, V1Pod } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import { jobController } from './job.ts';

const work = (spec: Partial<V1Job['spec']> = {}): V1Job => ({
  metadata: { name: 'work', namespace: 'default' },
  spec: {
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } },
    ...spec,
  },
});

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const ended = (exitCode: number): V1Pod['status'] => ({
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  containerStatuses: [
    {
      name: 'c',
      image: 'busybox',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode, finishedAt: '2020-01-01T00:00:00Z' } },
    },
  ],
});
const start = async (fate: (pod: Live<V1Pod>) => V1Pod['status']): Promise<Harness> => {
  harness = await startHarness([jobController()]);
  harness.kubelet.fate = fate;
  return harness;
};
const finished = (it: Harness) =>
  it.until('the job ends', async () => {
    const job = await it.client.get(jobs, 'work', { namespace: 'default' });
    return job.status?.conditions?.some((c) => c.type === 'Complete' || c.type === 'Failed') && job;
  });
const conditions = (job: V1Job) => job.status?.conditions?.map((c) => [c.type, c.reason]);

describe('a Job', () => {
  it('completes, counts its pods once and frees them', async () => {
    const it = await start(() => ended(0));
    await it.client.create(jobs, work({ completions: 5, parallelism: 2 }));
    const job = await finished(it);
    expect(job.status).toMatchObject({ succeeded: 5, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    expect(conditions(job)).toEqual([
      ['SuccessCriteriaMet', 'CompletionsReached'],
      ['Complete', 'CompletionsReached'],
    ]);
    expect(job.status?.completionTime).toBeDefined();
    const left = (await it.client.list(pods, { namespace: 'default' })).items;
    expect(left).toHaveLength(5);
    expect(left.every((pod) => !pod.metadata.finalizers?.length)).toBe(true);
    expect(it.events.at(-1)).toMatchObject({ reason: 'Completed', message: 'Job completed' });
  });

  it('fails beyond the back-off limit', async () => {
    const it = await start(() => ended(1));
    await it.client.create(jobs, work({ backoffLimit: 0 }));
    const job = await finished(it);
    expect(job.status?.failed).toBe(1);
    expect(job.status?.conditions?.at(-1)).toMatchObject({
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    });
  });

  it('runs each index once and says which are done', async () => {
    const it = await start(() => ended(0));
    await it.client.create(jobs, work({ completionMode: 'Indexed', completions: 4, parallelism: 4 }));
    const job = await finished(it);
    expect(job.status).toMatchObject({ succeeded: 4, completedIndexes: '0-3' });
    const [pod] = (await it.client.list(pods, { namespace: 'default' })).items.filter((p) =>
      p.metadata.name.startsWith('work-2-'),
    );
    expect(pod).toMatchObject({
      metadata: { labels: { 'batch.kubernetes.io/job-completion-index': '2' } },
      spec: { hostname: 'work-2' },
    });
    expect(pod?.spec?.containers[0]?.env?.[0]?.name).toBe('JOB_COMPLETION_INDEX');
  });

  it('fails at once where the pod failure policy says so', async () => {
    const it = await start(() => ended(42));
    await it.client.create(
      jobs,
      work({
        backoffLimit: 6,
        podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] },
      }),
    );
    const job = await finished(it);
    expect(job.status?.conditions?.at(-1)?.message).toMatch(
      /^Container c for pod default\/work-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
    );
  });

  it('fails single indexes and goes on with the others', async () => {
    const it = await start((pod) => ended(pod.metadata.name.startsWith('work-1-') ? 1 : 0));
    await it.client.create(
      jobs,
      work({ completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimitPerIndex: 0 }),
    );
    const job = await finished(it);
    expect(job.status).toMatchObject({ completedIndexes: '0,2', failedIndexes: '1' });
    expect(job.status?.conditions?.at(-1)).toMatchObject({ type: 'Failed', reason: 'FailedIndexes' });
  });

  it('stops its pods while suspended', async () => {
    const it = await start(() => ({ phase: 'Running' }));
    await it.client.create(jobs, work({ parallelism: 2 }));
    await it.until(
      'two run',
      async () => (await it.client.get(jobs, 'work', { namespace: 'default' })).status?.active === 2,
    );
    await it.client.patch(
      jobs,
      'work',
      { spec: { suspend: true } },
      { type: 'application/merge-patch+json', namespace: 'default' },
    );
    await it.until(
      'none is left',
      async () => (await it.client.list(pods, { namespace: 'default' })).items.length === 0,
    );
    const job = await it.until('it says so', async () => {
      const found = await it.client.get(jobs, 'work', { namespace: 'default' });
      return found.status?.conditions?.[0]?.type === 'Suspended' && found;
    });
    expect(job.status?.startTime).toBeUndefined();
  });
});

describe('index lists', () => {
  it.each([
    ['', []],
    ['1', [1]],
    ['0,1', [0, 1]],
    ['1,3-5,7', [1, 3, 4, 5, 7]],
  ])('%s', (text, numbers) => {
    expect(formatIndexes(new Set(numbers))).toBe(text);
    expect([...parseIndexes(text, 10)]).toEqual(numbers);
  });
});
