interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const fields: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];
const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

function number(text: string, bounds: Bounds): number | string {
  const name = bounds.names?.indexOf(text.toLowerCase()) ?? -1;
  if (name >= 0) return name + bounds.min;
  if (!/^[+-]?\d+$/.test(text)) {
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  }
  const value = Number(text);
  return value < 0 ? `negative number (${value}) not allowed: ${text}` : value;
}

function rangeReason(range: string, bounds: Bounds): string | undefined {
  const [span = '', step, ...more] = range.split('/');
  const [low = '', high, ...rest] = span.split('-');
  let start: number | string;
  let end: number | string;
  if (low === '*' || low === '?') {
    start = bounds.min;
    end = bounds.max;
  } else {
    start = number(low, bounds);
    if (typeof start === 'string') return start;
    end = high === undefined ? start : number(high, bounds);
    if (rest.length > 0) return `too many hyphens: ${range}`;
  }
  if (typeof end === 'string') return end;
  if (more.length > 0) return `too many slashes: ${range}`;
  if (step !== undefined) {
    const size = number(step, { min: 0, max: 0 });
    if (typeof size === 'string') return size;
    if (size === 0) return `step of range should be a positive number: ${range}`;
    if (high === undefined) end = bounds.max;
  }
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${range}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${range}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${range}`;
  return undefined;
}

const duration = /^(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/;

function everyReason(text: string, schedule: string): string | undefined {
  let rest = text;
  const sign = /^[+-]/.exec(rest);
  if (sign) rest = rest.slice(1);
  if (rest === '0') return undefined;
  let parsed = rest !== '';
  while (parsed && rest !== '') {
    const match = duration.exec(rest);
    if (!match) parsed = false;
    else rest = rest.slice(match[0].length);
  }
  return parsed ? undefined : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(text)}`;
}

/** Why the text is no cron schedule, in the words of robfig/cron v3's standard parser; undefined for a good one. */
export function cronScheduleReason(schedule: string): string | undefined {
  let spec = schedule;
  if (spec.startsWith('TZ=') || spec.startsWith('CRON_TZ=')) {
    const space = spec.indexOf(' ');
    const zone = spec.slice(spec.indexOf('=') + 1, space < 0 ? undefined : space);
    if (space < 0 || !isTimeZone(zone)) return `provided bad location ${zone}: unknown time zone ${zone}`;
    spec = spec.slice(space).trim();
  }
  if (spec === '') return 'empty spec string';
  if (spec.startsWith('@')) {
    if (descriptors.has(spec)) return undefined;
    if (spec.startsWith('@every ')) return everyReason(spec.slice('@every '.length), spec);
    return `unrecognized descriptor: ${spec}`;
  }
  const parts = spec.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`;
  }
  for (const [i, part] of parts.entries()) {
    const bounds = fields[i];
    for (const range of part.split(',')) {
      const reason = range === '' || !bounds ? undefined : rangeReason(range, bounds);
      if (reason) return reason;
    }
  }
  return undefined;
}

/** Whether the name is one of the IANA time zones. */
export function isTimeZone(name: string): boolean {
  if (name === 'UTC' || name === 'Local') return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return !/^[+-]/.test(name);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
