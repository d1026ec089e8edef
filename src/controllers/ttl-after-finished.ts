import { jobs } from '../api/generated/resources.ts';
import type { V1Job } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { finishedCondition } from './job/facts.ts';
import { mayRecord, read, rule } from './support/access.ts';

/** When a finished Job is to be deleted, epoch milliseconds; undefined where it stays. Pure. */
export function expiryOf(job: Live<V1Job>): number | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  const end = finishedCondition(job)?.lastTransitionTime;
  if (ttl === undefined || !end || job.metadata.deletionTimestamp) return undefined;
  return Date.parse(end) + ttl * 1000;
}

/** Deletes Jobs some time after they finished. Upstream: pkg/controller/ttlafterfinished. */
export const ttlAfterFinishedController: Controller = {
  name: 'ttl-after-finished-controller',
  watches: [
    watched({
      resource: jobs,
      keys: (job, { gone }) => (!gone && expiryOf(job) !== undefined ? [keyOf(job)] : []),
    }),
  ],
  access: [rule('batch', 'jobs', `${read} delete`), ...mayRecord],
  async reconcile(key, context) {
    const job = context.informers.informer(jobs).get(key);
    const at = job && expiryOf(job);
    if (!job || at === undefined) return undefined;
    const left = at - context.clock.now();
    if (left > 0) return { again: left };
    const { name, namespace = '' } = job.metadata;
    try {
      // The copy may be old, and a deletion is for good.
      const fresh = await context.client.get(jobs, name, { namespace });
      const then = expiryOf(fresh);
      if (then === undefined || then > context.clock.now()) return undefined;
      await context.client.delete(jobs, name, {
        namespace,
        propagationPolicy: 'Foreground',
        preconditions: { uid: fresh.metadata.uid },
      });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    return undefined;
  },
};
