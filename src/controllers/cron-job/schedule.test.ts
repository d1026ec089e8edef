import { describe, expect, it } from 'vitest';
import { inZone } from './cron-job.ts';
import { missedTimes, parseSchedule, ScheduleError, untilNext } from './schedule.ts';

const at = (text: string): number => Date.parse(text);

describe('parseSchedule', () => {
  it.each([
    ['*/5 * * * *', undefined, '2026-01-01T00:01:00Z', '2026-01-01T00:05:00Z'],
    ['@hourly', undefined, '2026-01-01T00:01:00Z', '2026-01-01T01:00:00Z'],
    ['@every 1h30m', undefined, '2026-01-01T00:00:00Z', '2026-01-01T01:30:00Z'],
    ['0 9 * * *', 'Europe/Berlin', '2026-01-01T00:00:00Z', '2026-01-01T08:00:00Z'],
    ['TZ=Asia/Tokyo 0 9 * * *', undefined, '2026-01-01T12:00:00Z', '2026-01-02T00:00:00Z'],
    ['0 0 ? * 1', undefined, '2026-01-01T00:00:00Z', '2026-01-05T00:00:00Z'],
    ['0 0 13 * 5', undefined, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ])('%s in %s', (text, zone, after, next) => {
    expect(parseSchedule(text, zone).next(at(after))).toBe(at(next));
  });
  it.each(['', '* * * *', '61 * * * *', '@every soon', '* * * * * *'])('refuses %j', (text) => {
    expect(() => parseSchedule(text, undefined)).toThrow(ScheduleError);
  });
});

describe('missedTimes', () => {
  const schedule = parseSchedule('0 * * * *', undefined);
  const created = at('2026-01-01T00:30:00Z');
  it.each([
    ['before the first', '2026-01-01T00:50:00Z', 'none', undefined],
    ['one', '2026-01-01T01:10:00Z', 'none', '2026-01-01T01:00:00Z'],
    ['three', '2026-01-01T03:59:00Z', 'few', '2026-01-01T03:00:00Z'],
    ['hundreds', '2026-01-20T03:59:00Z', 'many', '2026-01-20T03:00:00Z'],
  ])('%s', (_, now, count, latest) => {
    const missed = missedTimes(schedule, { created, now: at(now) });
    expect(missed.count).toBe(count);
    expect(missed.latest).toBe(latest && at(latest));
  });
  it('looks again a little after the next time', () => {
    expect(untilNext(schedule, { created, now: at('2026-01-01T00:59:00Z') })).toBe(60_100);
  });
});

describe('inZone', () => {
  it.each([
    [undefined, '2026-07-01T00:00:00Z'],
    ['America/New_York', '2026-06-30T20:00:00-04:00'],
    ['Asia/Kolkata', '2026-07-01T05:30:00+05:30'],
  ])('%s', (zone, shown) => {
    expect(inZone(at('2026-07-01T00:00:00Z'), zone)).toBe(shown);
  });
});
