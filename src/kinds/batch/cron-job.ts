import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { cronjobs } from '../../api/generated/resources.ts';
import type { V1CronJob } from '../../api/generated/types.ts';
import { dns1123Label } from '../../api/names.ts';
import { templateColumns } from '../apps/workload.ts';
import { nonNegative, oneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { podTemplateWarnings } from '../core/pod-warnings.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { ageOf } from '../human-duration.ts';
import { formatSelector } from '../labels.ts';
import { cronScheduleReason, isTimeZone } from './cron-schedule.ts';
import { defaultJobTemplate } from './job.ts';
import { validateJobSpec } from './job-validation.ts';

type CronJob = Loose<V1CronJob>;

function defaultCronJob(job: CronJob): void {
  job.spec ??= {};
  job.status ??= {};
  const { spec } = job;
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  spec.jobTemplate ??= {};
  spec.jobTemplate.metadata ??= {};
  spec.jobTemplate.spec ??= {};
  defaultJobTemplate(spec.jobTemplate.spec);
}

function validateTimeZone(zone: string, path: string): FieldError[] {
  if (zone === '') return [invalid(path, zone, 'timeZone must be nil or non-empty string')];
  const malformed = zone
    .split('/')
    .some((part) => part === '.' || part === '..' || part.startsWith('-') || !/^[A-Za-z.\-_0-9+]{1,14}$/.test(part));
  if (malformed) return [invalid(path, zone, `unknown time zone ${zone}`)];
  const errors: FieldError[] = [];
  if (zone.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    errors.push(invalid(path, zone, detail));
  }
  if (!isTimeZone(zone)) errors.push(invalid(path, zone, `unknown time zone ${zone}`));
  return errors;
}

function validateSpec(job: CronJob, old: CronJob | undefined): FieldError[] {
  const { spec = {} } = job;
  const errors: FieldError[] = [];
  const { schedule = '', timeZone, jobTemplate } = spec;
  if (schedule === '') errors.push(required('spec.schedule'));
  else {
    const reason = cronScheduleReason(schedule);
    if (reason) errors.push(invalid('spec.schedule', schedule, reason));
    const hadZone = old?.spec?.schedule?.includes('TZ') ?? false;
    if (schedule.includes('TZ')) {
      if (!hadZone) {
        const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
        errors.push(invalid('spec.schedule', schedule, detail));
      } else if (timeZone !== undefined) {
        const detail = 'cannot use both timeZone field and TZ or CRON_TZ in schedule';
        errors.push(invalid('spec.schedule', schedule, detail));
      }
    }
  }
  errors.push(...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds));
  if (timeZone !== undefined && old?.spec?.timeZone !== timeZone) {
    errors.push(...validateTimeZone(timeZone, 'spec.timeZone'));
  }
  const template = jobTemplate?.spec ?? {};
  errors.push(
    ...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']),
    ...validateJobSpec(template, 'spec.jobTemplate.spec'),
  );
  if (template.selector) {
    errors.push(invalid('spec.jobTemplate.spec.selector', template.selector, '`selector` will be auto-generated'));
  }
  if (template.manualSelector) {
    errors.push(notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  }
  return [
    ...errors,
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  ];
}

const { column, wide } = columnsOf<V1CronJob>();

export const cronJobKind = defineKind(cronjobs, {
  defaults: defaultCronJob,
  hasGeneration: true,
  validate(job) {
    const errors = validateSpec(job, undefined);
    const name = job.metadata?.name ?? '';
    if (name.length > 52) errors.push(invalid('metadata.name', name, 'must be no more than 52 characters'));
    return errors;
  },
  validateUpdate: validateSpec,
  warnings(job, old) {
    const reasons = old ? [] : dns1123Label(job.metadata?.name ?? '');
    const schedule = job.spec?.schedule ?? '';
    return [
      ...(reasons.length > 0
        ? [
            `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${reasons.join(' ')}]`,
          ]
        : []),
      ...podTemplateWarnings(job.spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template'),
      ...(schedule.includes('TZ') ? ['spec.schedule: cannot use TZ or CRON_TZ in schedule, use timeZone instead'] : []),
    ];
  },
  columns: [
    nameColumn,
    column('Schedule', 'The schedule in Cron format.', (it) => it.spec?.schedule ?? ''),
    column('Timezone', 'The time zone name for the given schedule.', (it) => it.spec?.timeZone ?? '<none>'),
    column(
      'Suspend',
      'Whether subsequent executions are suspended.',
      (it) => (it.spec?.suspend === undefined ? '<unset>' : it.spec.suspend ? 'True' : 'False'),
      'boolean',
    ),
    column('Active', 'Jobs that are running.', (it) => it.status?.active?.length ?? 0, 'integer'),
    column('Last Schedule', 'When the job was last scheduled.', (it, now) =>
      it.status?.lastScheduleTime ? ageOf(it.status.lastScheduleTime, now) : '<none>',
    ),
    ageColumn,
    ...templateColumns<V1CronJob>((it) => it.spec?.jobTemplate?.spec?.template),
    wide('Selector', 'A label query over pods.', (it) => formatSelector(it.spec?.jobTemplate?.spec?.selector)),
  ],
});
