import { jobs } from '../../api/generated/resources.ts';
import type { V1Job, V1JobSpec } from '../../api/generated/types.ts';
import { dns1123Label } from '../../api/names.ts';
import { randomUuid } from '../../base/random.ts';
import { templateColumns } from '../apps/workload.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { podTemplateWarnings } from '../core/pod-warnings.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { humanDuration } from '../human-duration.ts';
import { formatSelector } from '../labels.ts';
import {
  controllerUidLabel,
  jobNameLabel,
  legacyControllerUidLabel,
  legacyJobNameLabel,
  validateJob,
  validateJobStatus,
  validateJobUpdate,
} from './job-validation.ts';

type Job = Loose<V1Job>;

const maxInt32 = 2 ** 31 - 1;

/** Defaults of what stands in templates of cron jobs too: those of the pods. */
export function defaultJobTemplate(spec: Loose<V1JobSpec>): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
  }
  defaultPodTemplate(spec.template);
}

function defaultJob(job: Job): void {
  job.spec ??= {};
  job.status ??= {};
  const { spec } = job;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : maxInt32;
  const labels = spec.template?.metadata?.labels;
  if (labels && Object.keys(job.metadata?.labels ?? {}).length === 0) {
    job.metadata ??= {};
    job.metadata.labels = { ...labels };
  }
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  spec.manualSelector ??= false;
  defaultJobTemplate(spec);
}

/** Labels the template with the job's identity and selects by it, unless the user selects. */
function generateSelector(job: Job): void {
  const spec = job.spec ?? {};
  if (spec.manualSelector || !spec.template) return;
  const { uid = '', name = '' } = job.metadata ?? {};
  spec.template.metadata ??= {};
  const labels: Record<string, string | undefined> = { ...spec.template.metadata.labels };
  // A label that is there already is left for validation to refuse.
  labels[controllerUidLabel] ??= uid;
  labels[jobNameLabel] ??= name;
  labels[legacyControllerUidLabel] ??= uid;
  labels[legacyJobNameLabel] ??= name;
  spec.template.metadata.labels = labels as Record<string, string>;
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels };
  spec.selector.matchLabels[controllerUidLabel] ??= uid;
}

const isTrue = (job: Job, type: string): boolean =>
  job.status?.conditions?.find((it) => it.type === type)?.status === 'True';

/** `Complete`, `Failed`, `Running` … as `kubectl get jobs` shows it. */
export function jobStatusText(job: Job): string {
  if (isTrue(job, 'Complete')) return 'Complete';
  if (isTrue(job, 'Failed')) return 'Failed';
  if (job.metadata?.deletionTimestamp) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) if (isTrue(job, type)) return type;
  return 'Running';
}

function completions({ spec = {}, status = {} }: Job): string {
  const done = status.succeeded ?? 0;
  if (spec.completions !== undefined) return `${done}/${spec.completions}`;
  return (spec.parallelism ?? 0) > 1 ? `${done}/1 of ${spec.parallelism}` : `${done}/1`;
}

function duration({ status = {} }: Job, now: number): string {
  if (!status.startTime) return '';
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}

const { column, wide } = columnsOf<V1Job>();

export const jobKind = defineKind(jobs, {
  defaults: defaultJob,
  hasGeneration: true,
  onCreate(job, { random }) {
    job.metadata ??= {};
    job.metadata.uid ||= randomUuid(random);
    generateSelector(job);
  },
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  validateStatus: validateJobStatus,
  warnings(job, old) {
    const reasons = old ? [] : dns1123Label(job.metadata?.name ?? '');
    const { completions: wanted = 0, parallelism = 0, completionMode } = job.spec ?? {};
    const huge =
      completionMode === 'Indexed' && wanted > 100_000 && parallelism > 10_000
        ? [
            'spec.completions: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
          ]
        : [];
    const hostname =
      reasons.length > 0
        ? [
            `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${reasons.join(' ')}]`,
          ]
        : [];
    return [...hostname, ...huge, ...(old ? [] : podTemplateWarnings(job.spec?.template, 'spec.template'))];
  },
  defaultDeletion: 'Orphan',
  selectableFields: { 'status.successful': (it) => String(it.status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    column('Status', 'Status of the job.', jobStatusText),
    column('Completions', 'The number of pods which reached phase Succeeded.', completions),
    column('Duration', 'Time required to complete the job.', duration),
    ageColumn,
    ...templateColumns<V1Job>((it) => it.spec?.template),
    wide('Selector', 'A label query over pods.', (it) => formatSelector(it.spec?.selector)),
  ],
});
