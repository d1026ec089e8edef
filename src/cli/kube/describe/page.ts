import { ageOf } from '../../../kinds/human-duration.ts';
import { alignTabs } from './tab-writer.ts';

export type StringMap = Readonly<Record<string, string>> | undefined;

/** A describe page that is being written: indented lines whose cells are lined up at the end. */
export interface Page {
  /** One line: two blanks a level, cells side by side. */
  line(level: number, ...cells: readonly unknown[]): void;
  /** `Title:` with one line a value, `<none>` for no value. `indent` stands before the title and before further lines. */
  list(title: string, values: readonly string[], indent?: string, inner?: string): void;
  text(): string;
}

/** Escapes what could drive the reader's terminal. */
const harmless = (text: string): string => text.replaceAll('\u001b', '^[').replaceAll('\r', '\\r');

/** A page; `aligned` false leaves the cells apart by tabs, as kubectl does where it shows a template alone. */
export function createPage(aligned = true): Page {
  const lines: string[] = [];
  return {
    line: (level, ...cells) => {
      lines.push('  '.repeat(level) + cells.map(String).join('\t'));
    },
    list: (title, values, indent = '', inner = '') => {
      const shown = values.length === 0 ? ['<none>'] : values;
      shown.forEach((value, i) => {
        lines.push(i === 0 ? `${indent}${title}:\t${value}` : `${inner}\t${value}`);
      });
    },
    text: () => {
      const all = harmless(`${lines.join('\n')}\n`);
      return aligned ? alignTabs(all) : all;
    },
  };
}

const byKey = (map: StringMap): readonly (readonly [string, string])[] =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

/** `key=value`, sorted. */
export const pairs = (map: StringMap): readonly string[] => byKey(map).map(([key, value]) => `${key}=${value}`);

/** Longer annotations are cut. */
const longest = 140;
const shorten = (text: string, limit: number): string => (text.length > limit ? `${text.slice(0, limit)}...` : text);

/** Annotations as lines: short ones as `key: value`, long or many-lined ones below their key. */
export function annotationLines(map: StringMap): readonly string[] {
  return byKey(map)
    .filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration')
    .flatMap(([key, full]) => {
      const value = full.replace(/\n$/, '');
      if (value.length + key.length + 2 <= longest && !value.includes('\n')) return [`${key}: ${value}`];
      return [`${key}:`, ...value.split('\n').map((line) => `  ${shorten(line, longest - 2)}`)];
    });
}

/** `a=b,c=d` on one line, `<none>` for none (labels.FormatLabels). */
export const inline = (map: StringMap): string => pairs(map).join(',') || '<none>';

export const orNone = (text: string | undefined): string => text || '<none>';
export const orUnset = (value: unknown): string =>
  value === undefined || value === null || value === '' ? '<unset>' : String(value);
/** Go's `%v` of a list. */
export const goList = (values: readonly unknown[] | undefined): string => `[${(values ?? []).join(' ')}]`;
export const trueFalse = (value: boolean | undefined): string => (value ? 'True' : 'False');
export const trueFalseUnset = (value: boolean | undefined): string =>
  value === undefined ? '<unset>' : trueFalse(value);

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

function offsetOf(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}${two(size % 60)}`;
}

/** `Mon, 02 Jan 2006 15:04:05 +0000` in the local zone (Go's RFC1123Z); the year 1 for none. */
export function moment(timestamp: string | undefined): string {
  if (!timestamp) return 'Mon, 01 Jan 0001 00:00:00 +0000';
  const date = new Date(timestamp);
  const day = `${weekdays[date.getDay()]}, ${two(date.getDate())} ${months[date.getMonth()]} ${date.getFullYear()}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${offsetOf(date)}`;
}

/** `2006-01-02 15:04:05 +0000 UTC`: Go's own form of a time, in the local zone. */
export function goTime(timestamp: string | undefined): string {
  const date = new Date(timestamp ?? 0);
  const zone = /\(?([A-Z]{2,5})\)?$/.exec(date.toLocaleTimeString('en-US', { timeZoneName: 'short' }))?.[1] ?? 'UTC';
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${offsetOf(date)} ${zone}`;
}

export const since = (timestamp: string | undefined, now: number): string => ageOf(timestamp, now);
