import { goPrint } from '../../../api/go-format.ts';
import { type Describer, labelsAndAnnotations } from './describer.ts';
import { ownEvents } from './events.ts';
import type { Page } from './page.ts';

const acronyms = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);

/** `lastTransitionTime` becomes `Last Transition Time`; names with other characters than letters stay as they are. */
export function smartLabel(field: string): string {
  if (!/^[\p{L}-]*$/u.test(field)) return field;
  const words = field.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|[^\p{Lu}\p{Ll}]+/gu) ?? [];
  return words
    .map((word) => {
      const upper = word.toUpperCase();
      return acronyms.has(upper) ? upper : word.charAt(0).toUpperCase() + word.slice(1);
    })
    .join(' ');
}

const shownAbove = new Set([
  '.metadata.managedFields',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
]);

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function content(page: Page, level: number, map: Readonly<Record<string, unknown>>, path: string): void {
  for (const field of Object.keys(map).sort()) {
    const at = `${path}.${field}`;
    if (shownAbove.has(at)) continue;
    const value = map[field];
    if (isMap(value)) {
      page.line(level, `${smartLabel(field)}:`);
      content(page, level + 1, value, at);
    } else if (Array.isArray(value)) {
      page.line(level, `${smartLabel(field)}:`);
      for (const child of value) {
        if (isMap(child)) content(page, level + 1, child, at);
        else page.line(level + 1, goPrint(child));
      }
    } else page.line(level, `${smartLabel(field)}:`, goPrint(value));
  }
}

/** Any object whose kind has no page of its own: custom resources, events, leases. */
export const describeAny: Describer = async (page, object, around) => {
  page.line(0, 'Name:', object.metadata.name);
  page.line(0, 'Namespace:', object.metadata.namespace ?? '');
  labelsAndAnnotations(page, object.metadata);
  content(page, 0, object as unknown as Readonly<Record<string, unknown>>, '');
  await ownEvents(page, object, around);
};
