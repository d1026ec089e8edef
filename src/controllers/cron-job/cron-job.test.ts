import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../../../testing/controller-harness.ts';
import { cronjobs, jobs } from '../../api/generated/resources.ts';
import type { V1CronJob, V1Pod } from '../../api/generated/types.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import { jobController } from '../job/job.ts';
import { cronJobController } from './cron-job.ts';

const hourly = (spec: Partial<V1CronJob['spec']> = {}): V1CronJob => ({
  metadata: { name: 'tick', namespace: 'default' },
  spec: {
    schedule: '0 * * * *',
    jobTemplate: {
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } } },
    },
    ...spec,
  },
});

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const hour = 3_600_000;
const start = async (phase: string) => {
  const clock = virtualClock(Date.UTC(2026, 0, 1, 0, 30));
  harness = await startHarness([cronJobController, jobController()], { clock });
  harness.kubelet.fate = (): V1Pod['status'] => ({ phase });
  return { clock, it: harness };
};
const names = async (it: Harness) =>
  (await it.client.list(jobs, { namespace: 'default' })).items.map((job) => job.metadata.name);

describe('a CronJob', () => {
  it('makes a Job when it is due, and keeps three that succeeded', async () => {
    const { clock, it } = await start('Succeeded');
    await it.client.create(cronjobs, hourly());
    for (let i = 0; i < 6; i++) await clock.advance(hour);
    const kept = await it.until('three are left', async () => {
      await clock.advance(200);
      const found = await names(it);
      return found.length === 3 && found;
    });
    expect(kept).toContain(`tick-${Date.UTC(2026, 0, 1, 6) / 60_000}`);
    const cron = await it.client.get(cronjobs, 'tick', { namespace: 'default' });
    expect(cron.status).toMatchObject({ lastScheduleTime: '2026-01-01T06:00:00Z' });
    expect(it.events.filter((e) => e.reason === 'SuccessfulCreate' && e.about === 'CronJob/tick')).toHaveLength(6);
    expect(it.events.some((e) => e.reason === 'SawCompletedJob')).toBe(true);
  });

  it('skips a run while one is active where concurrency is forbidden', async () => {
    const { clock, it } = await start('Running');
    await it.client.create(cronjobs, hourly({ concurrencyPolicy: 'Forbid' }));
    for (let i = 0; i < 3; i++) await clock.advance(hour);
    expect(await names(it)).toHaveLength(1);
    expect(it.events.some((e) => e.reason === 'JobAlreadyActive')).toBe(true);
  });

  it('does nothing while suspended', async () => {
    const { clock, it } = await start('Succeeded');
    await it.client.create(cronjobs, hourly({ suspend: true }));
    await clock.advance(3 * hour);
    expect(await names(it)).toEqual([]);
  });
});
