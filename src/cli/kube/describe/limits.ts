import type { V1LimitRange, V1ResourceQuota } from '../../../api/generated/types.ts';
import { formatQuantity, parseQuantity, quantityOf, quantityValue } from '../../../api/quantity.ts';
import { type Describer, heading } from './describer.ts';
import type { Page } from './page.ts';

const scopeMeaning: Readonly<Record<string, string>> = {
  Terminating:
    'Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.',
  NotTerminating:
    'Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.',
  BestEffort:
    'Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.',
  NotBestEffort:
    'Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.',
};

/** Used amounts are written in the suffixes of the hard ones. */
function usedText(used: string, hard: string): string {
  const [a, b] = [parseQuantity(used), parseQuantity(hard)];
  return a.format === b.format ? used : formatQuantity(quantityOf(quantityValue(a), b.format));
}

function scopes(page: Page, quota: V1ResourceQuota, level: number, bullet: string): void {
  if (!quota.spec?.scopes?.length) return;
  const all = [...quota.spec.scopes].sort();
  page.line(level, 'Scopes:', all.join(', '));
  for (const scope of all) if (scopeMeaning[scope]) page.line(level, `${bullet}${scopeMeaning[scope]}`);
}

const amounts = (quota: V1ResourceQuota): readonly (readonly [string, string, string])[] =>
  Object.entries(quota.status?.hard ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => [name, quota.status?.used?.[name] ?? '0', hard]);

export const describeResourceQuota: Describer<V1ResourceQuota> = (page, object) => {
  heading(page, object.metadata);
  scopes(page, object, 0, ' * ');
  page.line(0, 'Resource', 'Used', 'Hard');
  page.line(0, '--------', '----', '----');
  for (const [name, used, hard] of amounts(object)) page.line(0, name, usedText(used, hard), hard);
};

function limitRows(page: Page, range: V1LimitRange, indent: string): void {
  for (const { type, max, min, default: limit, defaultRequest, maxLimitRequestRatio: ratio } of range.spec?.limits ??
    []) {
    const names = new Set([max, min, limit, defaultRequest, ratio].flatMap((map) => Object.keys(map ?? {})));
    for (const name of [...names].sort()) {
      const shown = [min, max, defaultRequest, limit, ratio].map((map) => map?.[name] ?? '-');
      page.line(0, `${indent}${type}`, name, ...shown);
    }
  }
}

const limitHead = ['Type', 'Resource', 'Min', 'Max', 'Default Request', 'Default Limit', 'Max Limit/Request Ratio'];
const underlined = (titles: readonly string[]): readonly string[] => titles.map((title) => '-'.repeat(title.length));
const indented = (cells: readonly string[]): readonly string[] => cells.map((cell, i) => (i === 0 ? ` ${cell}` : cell));

export const describeLimitRange: Describer<V1LimitRange> = (page, object) => {
  heading(page, object.metadata);
  page.line(0, ...limitHead);
  page.line(0, ...underlined(limitHead));
  limitRows(page, object, '');
};

/** The quotas of a namespace on its page. */
export function namespaceQuotas(page: Page, quotas: readonly V1ResourceQuota[]): void {
  if (quotas.length === 0) {
    page.line(0, 'No resource quota.');
    return;
  }
  page.line(0, 'Resource Quotas');
  const name = (quota: V1ResourceQuota): string => quota.metadata?.name ?? '';
  for (const quota of [...quotas].sort((a, b) => (name(a) < name(b) ? -1 : 1))) {
    page.line(1, 'Name:', name(quota));
    scopes(page, quota, 1, '* ');
    page.line(1, 'Resource', 'Used', 'Hard');
    page.line(1, '--------', '---', '---');
    for (const [resource, used, hard] of amounts(quota)) page.line(1, resource, used, hard);
  }
}

/** The limit ranges of a namespace on its page. */
export function namespaceLimits(page: Page, ranges: readonly V1LimitRange[]): void {
  if (ranges.length === 0) {
    page.line(0, 'No LimitRange resource.');
    return;
  }
  page.line(0, 'Resource Limits');
  page.line(0, ...indented(limitHead));
  page.line(0, ...indented(underlined(limitHead)));
  for (const range of ranges) limitRows(page, range, ' ');
}
