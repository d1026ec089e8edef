import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/log.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import { memoryStore } from '../../store/memory/memory-store.ts';
import { parseMoment, startTimeline } from './timeline.ts';

async function world() {
  const clock = virtualClock();
  const store = memoryStore(clock);
  let newest = 0;
  const timeline = startTimeline(store, clock, silentLogger, () => newest);
  const write = async (): Promise<number> => {
    const operations = [{ type: 'put', key: '/registry/a', value: Buffer.from('x') }] as const;
    newest = (await store.commit({ compares: [], operations })).revision;
    return newest;
  };
  return { clock, store, timeline, write };
}

describe('the timeline', () => {
  it('finds the revision of a moment to the second, and says when it is gone', async () => {
    const { clock, store, timeline, write } = await world();
    const times: [number, number][] = [];
    for (let i = 0; i < 20; i++) {
      const revision = await write();
      await clock.advance(1000);
      times.push([clock.now(), revision]);
      await clock.advance(i * 500);
    }
    for (const [time, revision] of times) {
      const found = await timeline.revisionAt(time);
      expect(found).toBeGreaterThanOrEqual(revision);
      expect(found).toBeLessThanOrEqual(revision + 2);
    }
    // A change long after a moment is not part of it.
    const quiet = clock.now();
    await clock.advance(30_000);
    const late = await write();
    await clock.advance(3000);
    expect(await timeline.revisionAt(quiet + 10_000)).toBeLessThan(late);
    expect(await timeline.revisionAt(clock.now() + 5000)).toBe((await store.stats()).revision);
    await expect(timeline.revisionAt(clock.now() - 1_000_000)).rejects.toMatchObject({ reason: 'Expired' });
    await store.compact(times[10]?.[1] ?? 0);
    await expect(timeline.revisionAt(times[3]?.[0] ?? 0)).rejects.toMatchObject({ reason: 'Expired' });
    expect(await timeline.revisionAt(times[15]?.[0] ?? 0)).toBeGreaterThanOrEqual(times[15]?.[1] ?? 0);
    timeline.stop();
  });

  it('writes nothing while nothing changes', async () => {
    const { clock, store, write, timeline } = await world();
    await write();
    await clock.advance(2000);
    const { revision } = await store.stats();
    await clock.advance(60_000);
    expect((await store.stats()).revision).toBe(revision);
    timeline.stop();
  });

  it.each([
    ['17', { revision: 17 }],
    ['5m', { time: 700_000 }],
    ['1970-01-01T00:00:30Z', { time: 30_000 }],
  ])('reads %s', (text, moment) => expect(parseMoment(text, 1_000_000)).toEqual(moment));
  it.each(['', '0', 'yesterday', '5 m', '2020'.repeat(5)])('refuses %j', (text) =>
    expect(() => parseMoment(text, 0)).toThrow(/is not a revision/),
  );
});
