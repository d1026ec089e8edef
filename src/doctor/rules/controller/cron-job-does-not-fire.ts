import { cronjobs } from '../../../api/generated/resources.ts';
import { fromEvent, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

const reasons: Readonly<Record<string, string>> = {
  UnparseableSchedule: 'its schedule cannot be read',
  InvalidSchedule: 'its schedule cannot be read',
  UnparseableCronJobSchedule: 'its schedule cannot be read',
  UnknownTimeZone: 'its time zone is unknown',
  TooManyMissedTimes: 'it has missed more than a hundred starts, and gives up until startingDeadlineSeconds is set',
  JobAlreadyActive: 'the run before is still going on, and concurrencyPolicy is Forbid',
  MissSchedule: 'it missed its time',
};

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of snapshot.all(cronjobs)) {
    const namespace = it.metadata?.namespace ?? 'default';
    const ref = { kind: 'CronJob', namespace, name: it.metadata?.name ?? '' };
    const event = snapshot.events(ref, it.metadata?.uid).find((e) => reasons[e.reason ?? '']);
    if (!event && !it.spec?.suspend) continue;
    yield {
      subject: ref,
      says: it.spec?.suspend
        ? `The CronJob ${ref.name} is suspended: it starts nothing.`
        : `The CronJob ${ref.name} does not start: ${reasons[event?.reason ?? '']}.`,
      evidence: it.spec?.suspend ? [fromSpec(ref, 'suspend: true', 'spec.suspend')] : event ? [fromEvent(event)] : [],
      severity: it.spec?.suspend ? 'info' : event?.reason === 'JobAlreadyActive' ? 'warning' : 'error',
      field: { object: ref, path: it.spec?.suspend ? 'spec.suspend' : 'spec.schedule' },
      remedy: {
        says: it.spec?.suspend ? 'Let it go on, if the pause is over.' : 'Correct what the event names.',
        commands: it.spec?.suspend
          ? [`kubectl patch cronjob ${ref.name} -n ${namespace} -p '{"spec":{"suspend":false}}'`]
          : [`kubectl describe cronjob ${ref.name} -n ${namespace}`],
      },
    };
  }
}

export const cronJobDoesNotFire: Rule = {
  id: 'cron-job-does-not-fire',
  title: 'The CronJob starts nothing',
  phase: 'controller',
  codes: ['CTL-23'],
  symptoms: ['UnparseableSchedule', 'UnknownTimeZone', 'TooManyMissedTimes', 'JobAlreadyActive', 'SUSPEND True'],
  severity: 'error',
  lint: 'manifest',
  rank: 85,
  meaning:
    'It is suspended, its schedule or time zone is wrong, its last run still goes on, or it has missed too many starts.',
  tell: '`kubectl describe cronjob` shows the event; `SUSPEND True` in the list.',
  fix: 'As the event says.',
  sick: [
    {
      when: 'too many starts were missed',
      yaml: '\nkind: CronJob\nmetadata: {name: nightly}\nspec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox:1.36}]}}}}}\n---\nkind: Event\non: CronJob/nightly\nreason: TooManyMissedTimes\nmessage: "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"\n',
      says: 'missed more than a hundred',
    },
    {
      when: 'it is suspended',
      yaml: '\nkind: CronJob\nmetadata: {name: nightly}\nspec: {suspend: true, schedule: "0 3 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox:1.36}]}}}}}\n',
      says: 'is suspended',
    },
  ],
  healthy: [],
  check,
};
