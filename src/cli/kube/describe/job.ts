import type { V1CronJob, V1Job } from '../../../api/generated/types.ts';
import { humanDuration } from '../../../kinds/human-duration.ts';
import { controllerOf, type Describer, heading, labelsAndAnnotations, selectorText } from './describer.ts';
import { ownEvents } from './events.ts';
import { moment, orUnset, type Page, trueFalseUnset } from './page.ts';
import { podTemplate } from './pod-parts.ts';

/** Indexes are cut at the first comma past this length. */
const indexesShown = 50;

function indexesText(indexes: string | undefined): string {
  if (!indexes) return '<none>';
  const cut = indexes.indexOf(',', indexesShown);
  return cut < 0 ? indexes : `${indexes.slice(0, cut + 1)}...`;
}

/** A line for each of these that is there. */
function present(page: Page, ...lines: readonly (readonly [string, string | number | boolean | undefined])[]): void {
  for (const [title, value] of lines) if (value !== undefined) page.line(0, `${title}:`, value);
}

export const describeJob: Describer<V1Job> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(page, metadata, ['Selector', selectorText(spec?.selector)]);
  labelsAndAnnotations(page, metadata);
  present(page, ['Controlled By', controllerOf(metadata)], ['Parallelism', spec?.parallelism]);
  page.line(0, 'Completions:', orUnset(spec?.completions));
  const { startTime, completionTime } = status ?? {};
  present(
    page,
    ['Completion Mode', spec?.completionMode],
    ['Suspend', spec?.suspend],
    ['Backoff Limit', spec?.backoffLimit],
    ['TTL Seconds After Finished', spec?.ttlSecondsAfterFinished],
    ['Start Time', startTime && moment(startTime)],
    ['Completed At', completionTime && moment(completionTime)],
  );
  if (startTime && completionTime)
    page.line(0, 'Duration:', humanDuration(Date.parse(completionTime) - Date.parse(startTime)));
  if (spec?.activeDeadlineSeconds !== undefined)
    page.line(0, 'Active Deadline Seconds:', `${spec.activeDeadlineSeconds}s`);
  const ready = status?.ready === undefined ? '' : ` (${status.ready} Ready)`;
  page.line(
    0,
    'Pods Statuses:',
    `${status?.active ?? 0} Active${ready} / ${status?.succeeded ?? 0} Succeeded / ${status?.failed ?? 0} Failed`,
  );
  if (spec?.completionMode === 'Indexed') page.line(0, 'Completed Indexes:', indexesText(status?.completedIndexes));
  podTemplate(page, spec?.template);
  await ownEvents(page, object, around);
};

export const describeCronJob: Describer<V1CronJob> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(page, metadata);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Schedule:', spec?.schedule);
  page.line(0, 'Concurrency Policy:', spec?.concurrencyPolicy ?? '');
  page.line(0, 'Suspend:', trueFalseUnset(spec?.suspend));
  page.line(0, 'Successful Job History Limit:', orUnset(spec?.successfulJobsHistoryLimit));
  page.line(0, 'Failed Job History Limit:', orUnset(spec?.failedJobsHistoryLimit));
  const deadline = spec?.startingDeadlineSeconds;
  page.line(0, 'Starting Deadline Seconds:', deadline === undefined ? '<unset>' : `${deadline}s`);
  const job = spec?.jobTemplate.spec;
  page.line(0, 'Selector:', job?.selector ? selectorText(job.selector) : '<unset>');
  page.line(0, 'Parallelism:', orUnset(job?.parallelism));
  page.line(0, 'Completions:', orUnset(job?.completions));
  if (job?.activeDeadlineSeconds !== undefined)
    page.line(0, 'Active Deadline Seconds:', `${job.activeDeadlineSeconds}s`);
  podTemplate(page, job?.template);
  page.line(0, 'Last Schedule Time:', status?.lastScheduleTime ? moment(status.lastScheduleTime) : '<unset>');
  page.line(0, 'Active Jobs:', status?.active?.map((one) => one.name).join(', ') || '<none>');
  await ownEvents(page, object, around);
};
