import { Cron } from 'croner';

/** When a CronJob is due. Times in epoch milliseconds. */
export interface Schedule {
  /** The first time after `after`; undefined where there is none. */
  next(after: number): number | undefined;
}

/** The schedule or time zone cannot be understood. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, ns: 0.000001 };

function everyMs(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)/g)];
  if (parts.length === 0 || parts.map((it) => it[0]).join('') !== text) {
    throw new ScheduleError(`failed to parse duration @every ${text}: time: invalid duration "${text}"`);
  }
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0);
  // Whole seconds, at least one, as robfig/cron rounds them.
  return Math.max(1000, Math.floor(ms / 1000) * 1000);
}

/** Reads a schedule of five fields, `@hourly` and its kin, or `@every 1h30m`, with an optional `TZ=` before it. */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const prefix = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(text);
  const zone = timeZone ?? prefix?.[1] ?? 'UTC';
  const pattern = (prefix?.[2] ?? text).trim();
  const every = /^@every\s+(\S+)$/.exec(pattern);
  if (every) {
    const ms = everyMs(every[1] ?? '');
    return { next: (after) => Math.floor(after / 1000) * 1000 + ms };
  }
  const fields = pattern.split(/\s+/).length;
  if (!pattern.startsWith('@') && fields !== 5) {
    throw new ScheduleError(`expected exactly 5 fields, found ${fields}: [${pattern}]`);
  }
  let cron: Cron;
  try {
    // `?` is `*` in the fields of days, as robfig/cron reads it.
    cron = new Cron(pattern.replaceAll('?', '*'), { timezone: zone, paused: true });
  } catch (error) {
    throw new ScheduleError(error instanceof Error ? error.message : String(error));
  }
  return { next: (after) => cron.nextRun(new Date(after))?.getTime() };
}

export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** Times that were due and not used. */
export interface Missed {
  /** The last of them. */
  readonly latest?: number;
  readonly count: 'none' | 'few' | 'many';
  /** Where the search began. */
  readonly from: number;
}

/** The newest time that was due since the last one used, found without walking through all of them (mostRecentScheduleTime). */
export function missedTimes(
  schedule: Schedule,
  it: { readonly created: number; readonly last?: number; readonly deadlineMs?: number; readonly now: number },
): Missed {
  const { now } = it;
  let from = it.last ?? it.created;
  if (it.deadlineMs !== undefined) from = Math.max(from, now - it.deadlineMs);
  const first = schedule.next(from);
  if (first === undefined || now < first) return { count: 'none', from };
  const second = schedule.next(first);
  if (second === undefined || now < second) return { latest: first, count: 'none', from };
  const step = Math.round((second - first) / 1000) * 1000;
  if (step < 1000) throw new ScheduleError('time difference between two schedules is less than 1 second');
  const missed = Math.floor((now - first) / step) + 1;
  let latest: number | undefined;
  for (let at = schedule.next(first + (missed - 2) * step); at !== undefined && at <= now; at = schedule.next(at)) {
    latest = at;
  }
  const count = missed > 100 ? 'many' : 'few';
  return { ...(latest !== undefined && { latest }), count, from };
}

/** Milliseconds until the CronJob is to be looked at again, with upstream's tenth of a second for good measure. */
export function untilNext(schedule: Schedule, it: Parameters<typeof missedTimes>[1]): number {
  const { deadlineMs: _, ...rest } = it;
  const missed = missedTimes(schedule, rest);
  const base = missed.latest ?? (missed.count === 'none' ? missed.from : it.now);
  return Math.max(0, (schedule.next(base) ?? it.now + 3_600_000) + 100 - it.now);
}
