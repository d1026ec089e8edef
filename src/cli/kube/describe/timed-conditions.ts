import { moment, type Page } from './page.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

/** Conditions with the time of their last change, as namespaces and service ranges show them. */
export function timedConditions(page: Page, conditions: readonly Condition[] | undefined): void {
  if (!conditions?.length) return;
  page.line(0, 'Conditions:');
  page.line(1, 'Type', 'Status', 'LastTransitionTime', 'Reason', 'Message');
  page.line(1, '----', '------', '------------------', '------', '-------');
  for (const { type, status, lastTransitionTime, reason, message } of conditions)
    page.line(1, type, status, moment(lastTransitionTime), reason ?? '', message ?? '');
}
