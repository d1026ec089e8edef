import { cronjobs, jobs } from '../../api/generated/resources.ts';
import type { V1CronJob, V1CronJobStatus, V1Job } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import { keyOf } from '../../client/informer.ts';
import { referenceTo } from '../../client/recorder.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { finishedCondition } from '../job/facts.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import { controllerKey, controllerOf, controllerReference } from '../support/owners.ts';
import { isNamespaceTerminating } from '../support/pod-control.ts';
import { writeStatus } from '../support/status.ts';
import { isTimeZone, missedTimes, parseSchedule, type Schedule, ScheduleError, untilNext } from './schedule.ts';

type CronJob = Live<V1CronJob>;
type Job = Live<V1Job>;
type Active = NonNullable<V1CronJobStatus['active']>;

/** The state of one reconcile: the status as it becomes. */
interface Scene {
  readonly cron: CronJob;
  active: Active;
  lastSuccessfulTime: string | undefined;
  lastScheduleTime: string | undefined;
}

/** Makes Jobs on a schedule. Upstream: pkg/controller/cronjob. */
export const cronJobController: Controller = {
  name: 'cronjob-controller',
  watches: [
    watched({ resource: cronjobs, keys: (cron) => [keyOf(cron)] }),
    watched({ resource: jobs, keys: (job) => controllerKey(job, cronjobs) }),
  ],
  access: [
    rule('batch', 'cronjobs', `${read} update`),
    rule('batch', 'cronjobs/status cronjobs/finalizers', 'update'),
    rule('batch', 'jobs', `${read} create delete patch update`),
    rule('', 'pods', 'list delete'),
    ...mayRecord,
  ],
  async reconcile(key, context) {
    const cron = context.informers.informer(cronjobs).get(key);
    if (!cron) return undefined;
    const scene: Scene = {
      cron,
      active: cron.status?.active ?? [],
      lastSuccessfulTime: cron.status?.lastSuccessfulTime,
      lastScheduleTime: cron.status?.lastScheduleTime,
    };
    const children = context.informers
      .informer(jobs)
      .byIndex('owner', cron.metadata.uid)
      .filter((job) => controllerOf(job)?.uid === cron.metadata.uid);
    let problem: unknown;
    let outcome: Outcome;
    await cleanUp(context, scene, children);
    try {
      outcome = await sync(context, scene, children);
    } catch (error) {
      problem = error;
    }
    await writeStatus(context, cronjobs, cron, {
      ...(scene.active.length > 0 && { active: scene.active }),
      ...(scene.lastScheduleTime && { lastScheduleTime: scene.lastScheduleTime }),
      ...(scene.lastSuccessfulTime && { lastSuccessfulTime: scene.lastSuccessfulTime }),
    });
    if (problem !== undefined) throw problem;
    return outcome;
  },
};

const forget = (scene: Scene, uid: string | undefined): void => {
  scene.active = scene.active.filter((it) => it.uid !== uid);
};

async function deleteJob(context: ControllerContext, scene: Scene, job: Job): Promise<boolean> {
  const { name, namespace = '' } = job.metadata;
  try {
    await context.client.delete(jobs, name, { namespace, propagationPolicy: 'Background' });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    context.events.event(scene.cron, 'Warning', 'FailedDelete', `Deleted job: ${why}`);
    return false;
  }
  forget(scene, job.metadata.uid);
  context.events.event(scene.cron, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  return true;
}

/** The finished Jobs beyond the history limits, oldest first. */
export function excess(
  children: readonly Job[],
  type: 'Complete' | 'Failed',
  limit: number | undefined,
): readonly Job[] {
  if (limit === undefined) return [];
  const done = children.filter((job) => finishedCondition(job)?.type === type && !job.metadata.deletionTimestamp);
  const start = (job: Job): string => job.status?.startTime ?? '9';
  const sorted = [...done].sort((a, b) => (start(a) + a.metadata.name < start(b) + b.metadata.name ? -1 : 1));
  return sorted.slice(0, Math.max(0, sorted.length - limit));
}

async function cleanUp(context: ControllerContext, scene: Scene, children: readonly Job[]): Promise<void> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = scene.cron.spec ?? {};
  for (const job of [
    ...excess(children, 'Complete', successfulJobsHistoryLimit),
    ...excess(children, 'Failed', failedJobsHistoryLimit),
  ]) {
    await deleteJob(context, scene, job);
  }
}

async function noteJobs(context: ControllerContext, scene: Scene, children: readonly Job[]): Promise<void> {
  const { cron } = scene;
  for (const job of children) {
    const known = scene.active.some((it) => it.uid === job.metadata.uid);
    const finished = finishedCondition(job);
    if (!finished) {
      if (!known) {
        const message = `Saw a job that the controller did not create or forgot: ${job.metadata.name}`;
        context.events.event(cron, 'Warning', 'UnexpectedJob', message);
      }
      continue;
    }
    if (known) {
      forget(scene, job.metadata.uid);
      const message = `Saw completed job: ${job.metadata.name}, condition: ${finished.type}`;
      context.events.event(cron, 'Normal', 'SawCompletedJob', message);
    }
    const end = job.status?.completionTime;
    if (finished.type === 'Complete' && end && (scene.lastSuccessfulTime ?? '') < end) scene.lastSuccessfulTime = end;
  }
  const uids = new Set(children.map((job) => job.metadata.uid));
  for (const reference of scene.active) {
    if (uids.has(reference.uid ?? '')) continue;
    try {
      await context.client.get(jobs, reference.name ?? '', { namespace: reference.namespace ?? '' });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      context.events.event(cron, 'Normal', 'MissingJob', `Active job went missing: ${reference.name}`);
      forget(scene, reference.uid);
    }
  }
}

async function sync(context: ControllerContext, scene: Scene, children: readonly Job[]): Promise<Outcome> {
  const { cron } = scene;
  const { spec } = cron;
  await noteJobs(context, scene, children);
  if (cron.metadata.deletionTimestamp || !spec) return undefined;
  if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
    const message = `invalid timeZone: "${spec.timeZone}": unknown time zone ${spec.timeZone}`;
    context.events.event(cron, 'Warning', 'UnknownTimeZone', message);
    return undefined;
  }
  if (spec.suspend) return undefined;
  const now = context.clock.now();
  const when = {
    created: Date.parse(cron.metadata.creationTimestamp),
    ...(scene.lastScheduleTime && { last: Date.parse(scene.lastScheduleTime) }),
    now,
  };
  const deadline = spec.startingDeadlineSeconds;
  let schedule: Schedule;
  try {
    schedule = parseSchedule(spec.schedule, spec.timeZone);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    const message = `unparseable schedule: "${spec.schedule}" : ${error.message}`;
    context.events.event(cron, 'Warning', 'UnparseableSchedule', message);
    return undefined;
  }
  const missed = missedTimes(schedule, { ...when, ...(deadline !== undefined && { deadlineMs: deadline * 1000 }) });
  const later = (): Outcome => ({ again: untilNext(schedule, { ...when, now: context.clock.now() }) });
  if (missed.latest === undefined) return later();
  if (missed.count === 'many') {
    const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    context.events.event(cron, 'Warning', 'TooManyMissedTimes', message);
  }
  const due = missed.latest;
  if (deadline !== undefined && due + deadline * 1000 < now) {
    // RFC 1123, as Go prints it.
    const shown = new Date(due).toUTCString().replace('GMT', 'UTC');
    context.events.event(cron, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${shown}`);
    return later();
  }
  const name = `${cron.metadata.name}-${Math.floor(due / 60_000)}`;
  if (scene.active.some((it) => it.name === name) || scene.lastScheduleTime === rfc3339(due)) return later();
  if (spec.concurrencyPolicy === 'Forbid' && scene.active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    context.events.event(cron, 'Normal', 'JobAlreadyActive', message);
    return later();
  }
  if (spec.concurrencyPolicy === 'Replace') await replace(context, scene);
  const job = await createJob(context, scene, name, due);
  if (!job) return later();
  scene.active = [...scene.active, referenceTo(job)];
  scene.lastScheduleTime = rfc3339(due);
  return { again: untilNext(schedule, { ...when, last: due, now: context.clock.now() }) };
}

async function replace(context: ControllerContext, scene: Scene): Promise<void> {
  for (const reference of scene.active) {
    const { namespace = '', name = '' } = reference;
    let job: Job;
    try {
      job = await context.client.get(jobs, name, { namespace });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      context.events.event(scene.cron, 'Warning', 'FailedGet', `Get job: ${why}`);
      throw error;
    }
    if (!(await deleteJob(context, scene, job))) throw new Error(`could not replace job ${namespace}/${name}`);
  }
}

/** RFC 3339 in the CronJob's time zone. */
export function inZone(ms: number, zone: string | undefined): string {
  if (!zone || zone === 'UTC') return rfc3339(ms);
  const part = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(new Date(ms))
    .find((it) => it.type === 'timeZoneName');
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(part?.value ?? '');
  if (!match) return rfc3339(ms);
  const offset = (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000;
  return `${rfc3339(ms + offset).slice(0, -1)}${match[1]}${match[2]}:${match[3]}`;
}

async function createJob(
  context: ControllerContext,
  scene: Scene,
  name: string,
  due: number,
): Promise<Job | undefined> {
  const { cron } = scene;
  const namespace = cron.metadata.namespace ?? '';
  const template = cron.spec?.jobTemplate;
  try {
    const job = await context.client.create(jobs, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace,
        labels: template?.metadata?.labels ?? {},
        annotations: {
          ...template?.metadata?.annotations,
          'batch.kubernetes.io/cronjob-scheduled-timestamp': inZone(due, cron.spec?.timeZone),
        },
        ownerReferences: [controllerReference(cronjobs, cron)],
      },
      ...(template?.spec && { spec: template.spec }),
    });
    context.events.event(cron, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
    return job;
  } catch (error) {
    if (hasReason(error, 'AlreadyExists')) {
      const there = await context.client.get(jobs, name, { namespace });
      const mine = controllerOf(there)?.uid === cron.metadata.uid;
      return mine && !scene.active.some((it) => it.uid === there.metadata.uid) ? there : undefined;
    }
    if (!isNamespaceTerminating(error)) {
      const why = error instanceof Error ? error.message : String(error);
      context.events.event(cron, 'Warning', 'FailedCreate', `Error creating job: ${why}`);
    }
    throw error;
  }
}
