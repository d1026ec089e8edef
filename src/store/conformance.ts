import { describe, expect, it } from 'vitest';
import type { VirtualClock } from '../base/virtual-clock.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import { CompactedError, FutureRevisionError, prefixRange, type Store, type StoreEvent } from './store.ts';

/** How the suite gets a fresh, empty store of a driver, and the same one opened again (drivers that last). */
export interface StoreDriver {
  readonly name: string;
  open(clock: VirtualClock): Promise<Store>;
  /** Closes the store and opens it again on the same data. Absent for drivers that do not last. */
  reopen?(store: Store, clock: VirtualClock): Promise<Store>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();

async function put(store: Store, key: string, value: string, modRevision?: number): Promise<number> {
  const result = await store.commit({
    compares: modRevision === undefined ? [] : [{ key, modRevision }],
    operations: [{ type: 'put', key, value: bytes(value) }],
  });
  expect(result.succeeded).toBe(true);
  return result.revision;
}

const remove = (store: Store, key: string) => store.commit({ compares: [], operations: [{ type: 'delete', key }] });

/** Collects what a watch tells and resolves when a condition on it holds. */
function record(store: Store, prefix: string, from: number) {
  const events: StoreEvent[] = [];
  const progress: number[] = [];
  let error: Error | undefined;
  let wake: (() => void) | undefined;
  const rouse = (): void => wake?.();
  const watch = store.watch(prefixRange(prefix), from, {
    events(batch) {
      events.push(...batch);
      rouse();
    },
    progress(revision) {
      progress.push(revision);
      rouse();
    },
    closed(reason) {
      error = reason;
      rouse();
    },
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { watch, events, progress, until, failure: () => error };
}

/** What every driver of the store must do. */
export function storeConformance(driver: StoreDriver): void {
  const withStore = (title: string, body: (store: Store, clock: VirtualClock) => Promise<void>): void => {
    it(title, async () => {
      const clock = virtualClock();
      const store = await driver.open(clock);
      try {
        await body(store, clock);
      } finally {
        await store.close();
      }
    });
  };

  describe(`store driver ${driver.name}`, () => {
    withStore('counts revisions of the store, lives and versions of keys', async (store) => {
      const first = await put(store, '/a', '1');
      const second = await put(store, '/b', '1');
      const third = await put(store, '/a', '2');
      expect([second - first, third - second]).toEqual([1, 1]);
      expect((await store.get('/a')).entry).toMatchObject({ createRevision: first, modRevision: third, version: 2 });
      await remove(store, '/a');
      const again = await put(store, '/a', '3');
      expect((await store.get('/a')).entry).toMatchObject({ createRevision: again, modRevision: again, version: 1 });
      expect((await store.get('/nothing')).entry).toBeUndefined();
    });

    withStore('commits only when every compare holds, and tells what is there otherwise', async (store) => {
      const revision = await put(store, '/a', '1', 0);
      const refused = await store.commit({
        compares: [
          { key: '/a', modRevision: 0 },
          { key: '/b', modRevision: 0 },
        ],
        operations: [{ type: 'put', key: '/b', value: bytes('x') }],
      });
      expect(refused.succeeded).toBe(false);
      expect(refused.current.map((entry) => text(entry?.value))).toEqual(['1', undefined]);
      expect((await store.get('/b')).entry).toBeUndefined();
      expect(await put(store, '/a', '2', revision)).toBe(revision + 1);
    });

    withStore('lets exactly one of many racing writers win', async (store) => {
      await put(store, '/n', '0');
      const tries = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const { entry } = await store.get('/n');
          const result = await store.commit({
            compares: [{ key: '/n', modRevision: entry?.modRevision ?? 0 }],
            operations: [{ type: 'put', key: '/n', value: bytes(String(index)) }],
          });
          return result.succeeded;
        }),
      );
      expect(tries.filter(Boolean)).toHaveLength(1);
    });

    withStore('changes nothing and takes no revision when there is nothing to change', async (store) => {
      const revision = await put(store, '/a', '1');
      const result = await remove(store, '/absent');
      expect(result).toMatchObject({ succeeded: true, revision });
    });

    withStore('ranges in byte order, with limits, counts and keys only', async (store) => {
      for (const key of ['/p/b', '/p/a', '/q/a', '/p/a/x', '/p/c']) await put(store, key, key);
      const all = await store.range(prefixRange('/p/'));
      expect(all.entries.map((entry) => entry.key)).toEqual(['/p/a', '/p/a/x', '/p/b', '/p/c']);
      expect(all).toMatchObject({ more: false, count: 4 });
      const some = await store.range(prefixRange('/p/'), { limit: 2, keysOnly: true });
      expect(some).toMatchObject({ more: true, count: 4 });
      expect(some.entries.map((entry) => entry.value.length)).toEqual([0, 0]);
      const rest = await store.range({ start: '/p/a/x\0', end: '/p0' });
      expect(rest.entries.map((entry) => entry.key)).toEqual(['/p/b', '/p/c']);
    });

    withStore('reads as of a past revision', async (store) => {
      const r1 = await put(store, '/p/a', '1');
      const r2 = await put(store, '/p/b', '1');
      const r3 = await put(store, '/p/a', '2');
      await remove(store, '/p/b');
      const r5 = await put(store, '/p/b', '2');
      const at = async (revision: number) =>
        (await store.range(prefixRange('/p/'), { revision })).entries.map(
          (entry) => `${entry.key}=${text(entry.value)}`,
        );
      expect(await at(r1)).toEqual(['/p/a=1']);
      expect(await at(r2)).toEqual(['/p/a=1', '/p/b=1']);
      expect(await at(r3)).toEqual(['/p/a=2', '/p/b=1']);
      expect(await at(r3 + 1)).toEqual(['/p/a=2']);
      expect(await at(r5)).toEqual(['/p/a=2', '/p/b=2']);
      expect(text((await store.get('/p/a', r2)).entry?.value)).toBe('1');
      expect((await store.get('/p/b', r3 + 1)).entry).toBeUndefined();
      await expect(store.get('/p/a', r5 + 1)).rejects.toBeInstanceOf(FutureRevisionError);
    });

    withStore('watches from now on, only its range, in order', async (store) => {
      await put(store, '/p/old', '1');
      const seen = record(store, '/p/', 0);
      const r1 = await put(store, '/p/a', '1');
      await put(store, '/q/a', '1');
      await put(store, '/p/a', '2');
      await remove(store, '/p/a');
      await seen.until(() => seen.events.length >= 3);
      expect(seen.events.map((event) => [event.type, event.entry.modRevision - r1])).toEqual([
        ['put', 0],
        ['put', 2],
        ['delete', 3],
      ]);
      expect(text(seen.events[1]?.entry.value)).toBe('2');
      seen.watch.cancel();
      await put(store, '/p/b', '1');
      expect(seen.events).toHaveLength(3);
    });

    withStore('watches from the past and goes on live without gap or repeat', async (store) => {
      const first = await put(store, '/p/0', '0');
      for (let i = 1; i < 30; i++) await put(store, `/p/${i % 7}`, String(i));
      const seen = record(store, '/p/', first);
      const more = Promise.all(Array.from({ length: 30 }, (_, i) => put(store, `/p/${i % 5}`, String(30 + i))));
      await more;
      await seen.until(() => seen.events.length >= 60);
      expect(seen.events.map((event) => event.entry.modRevision)).toEqual(
        Array.from({ length: 60 }, (_, i) => first + i),
      );
      // Which of several writers at once comes first is the driver's own affair.
      const values = seen.events.map((event) => Number(text(event.entry.value)));
      expect(values.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect(values.slice(30).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => 30 + i));
      seen.watch.cancel();
    });

    withStore('gives all changes of one revision in one batch', async (store) => {
      const batches: number[] = [];
      const watch = store.watch(prefixRange('/p/'), 0, {
        events: (batch) => void batches.push(batch.length),
        closed: () => undefined,
      });
      await store.commit({
        compares: [],
        operations: [
          { type: 'put', key: '/p/a', value: bytes('1') },
          { type: 'put', key: '/p/b', value: bytes('1') },
        ],
      });
      await put(store, '/p/c', '1');
      const seen = record(store, '/p/', 0);
      seen.watch.requestProgress();
      await seen.until(() => seen.progress.length > 0);
      expect(batches).toEqual([2, 1]);
      watch.cancel();
      seen.watch.cancel();
    });

    withStore('tells progress that covers everything committed before', async (store) => {
      const seen = record(store, '/p/', 0);
      const revision = await put(store, '/elsewhere', '1');
      seen.watch.requestProgress();
      await seen.until(() => (seen.progress.at(-1) ?? 0) >= revision);
      seen.watch.cancel();
    });

    withStore('compacts: the present stays, the past is refused, late watchers are told', async (store) => {
      const r1 = await put(store, '/p/a', '1');
      const r2 = await put(store, '/p/a', '2');
      await put(store, '/p/gone', '1');
      await remove(store, '/p/gone');
      const r5 = await put(store, '/p/a', '3');
      await store.compact(r5);
      expect(text((await store.get('/p/a')).entry?.value)).toBe('3');
      expect(text((await store.get('/p/a', r5)).entry?.value)).toBe('3');
      await expect(store.get('/p/a', r2)).rejects.toBeInstanceOf(CompactedError);
      await expect(store.range(prefixRange('/p/'), { revision: r1 })).rejects.toBeInstanceOf(CompactedError);
      const late = record(store, '/p/', r1);
      await late.until(() => late.failure() !== undefined);
      expect(late.failure()).toBeInstanceOf(CompactedError);
      expect(late.failure()).toMatchObject({ compactedRevision: r5 });
      const r6 = await put(store, '/p/a', '4');
      const fresh = record(store, '/p/', r6);
      await fresh.until(() => fresh.events.length === 1);
      fresh.watch.cancel();
      await expect(store.compact(r6 + 10)).rejects.toBeInstanceOf(FutureRevisionError);
    });

    withStore('keeps values byte for byte', async (store) => {
      const value = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256);
      await store.commit({ compares: [], operations: [{ type: 'put', key: '/bin', value }] });
      await store.commit({ compares: [], operations: [{ type: 'put', key: '/empty', value: new Uint8Array(0) }] });
      expect(Buffer.compare((await store.get('/bin')).entry?.value ?? new Uint8Array(0), value)).toBe(0);
      expect((await store.get('/empty')).entry?.value).toHaveLength(0);
    });

    withStore('takes many writers at once', async (store) => {
      const revisions = await Promise.all(Array.from({ length: 500 }, (_, i) => put(store, `/w/${i}`, String(i))));
      expect(new Set(revisions).size).toBe(500);
      expect((await store.range(prefixRange('/w/'))).count).toBe(500);
      expect((await store.stats()).revision).toBe(Math.max(...revisions));
    });

    const { reopen } = driver;
    if (!reopen) return;
    it('has everything again after it is closed and opened', async () => {
      const clock = virtualClock();
      let store = await driver.open(clock);
      const r1 = await put(store, '/a', '1');
      const r2 = await put(store, '/a', '2');
      await remove(store, '/a');
      const r4 = await put(store, '/b', '1');
      store = await reopen(store, clock);
      const reopened = (await store.stats()).revision;
      expect(reopened).toBeGreaterThanOrEqual(r4);
      expect(text((await store.get('/a', r2)).entry?.value)).toBe('2');
      const seen = record(store, '/', r1);
      await seen.until(() => seen.events.length === 4);
      expect(await put(store, '/c', '1')).toBe(reopened + 1);
      seen.watch.cancel();
      await store.close();
    });
  });
}
