import { describe, expect, it } from 'vitest';
import type { WatchEvent } from '../../api/handler.ts';
import type { Live } from '../../api/resource.ts';
import { systemClock } from '../../base/clock.ts';
import { type ResourceCache, resourceCache, type WatchStart } from './resource-cache.ts';
import type { Watcher, WatchScope } from './watcher.ts';

const object = (namespace: string, name: string, revision: number): Live =>
  ({ metadata: { name, namespace, uid: name, resourceVersion: String(revision), creationTimestamp: '' } }) as Live;

const cacheOf = (): ResourceCache => resourceCache(systemClock, () => undefined);
const watch = (cache: ResourceCache, start: WatchStart, scope: Partial<WatchScope> = {}): Watcher =>
  cache.watch({ bookmarks: false, ...scope }, start, () => 0);

/** Adds `count` objects of a namespace, the first at revision `from`. */
function add(cache: ResourceCache, namespace: string, from: number, count: number): void {
  for (let at = from; at < from + count; at++) {
    cache.apply({ type: 'ADDED', object: object(namespace, `o-${at}`, at), revision: at });
  }
}

async function next(watcher: Watcher): Promise<readonly WatchEvent[] | undefined> {
  const { value } = await watcher[Symbol.asyncIterator]().next();
  return value;
}

describe('watching a cache', () => {
  it('gives watchers of the same things the very same batch, so that its bytes are made once', async () => {
    const cache = cacheOf();
    const [a, b] = [1, 2].map(() => watch(cache, { type: 'after', revision: 0 }));
    const [c, d] = [1, 2].map(() => watch(cache, { type: 'after', revision: 0 }, { namespace: 'x' }));
    add(cache, 'x', 1, 2);
    add(cache, 'y', 3, 1);
    const [all, mine] = [await next(a as Watcher), await next(c as Watcher)];
    expect(all).toHaveLength(3);
    expect(mine?.map((it) => 'object' in it && it.object.metadata.name)).toEqual(['o-1', 'o-2']);
    expect(await next(b as Watcher)).toBe(all);
    expect(await next(d as Watcher)).toBe(mine);
    expect(Object.isFrozen(mine)).toBe(true);
  });

  it('cuts a reader who falls too far behind, and keeps nothing for it', async () => {
    const cache = cacheOf();
    const slow = watch(cache, { type: 'after', revision: 0 });
    for (let batch = 0; batch < 17; batch++) {
      add(cache, 'x', 1 + batch * 1000, 1000);
      await Promise.resolve();
    }
    expect(slow.ended).toBe(true);
    expect(cache.watchers).toBe(0);
    expect(await next(slow)).toBeUndefined();
  });

  it('remembers a bounded past, and says so to those who want more', async () => {
    const cache = cacheOf();
    add(cache, 'x', 1, 40_000);
    const late = watch(cache, { type: 'after', revision: 39_990 });
    expect(await next(late)).toHaveLength(10);
    const tooLate = watch(cache, { type: 'after', revision: 5 });
    expect(await next(tooLate)).toMatchObject([
      { type: 'ERROR', error: { code: 410, message: expect.stringMatching(/^too old resource version: 5 \(\d+\)$/) } },
    ]);
    expect(tooLate.ended).toBe(true);
  });

  it('starts anew after a load: what came before is gone', async () => {
    const cache = cacheOf();
    add(cache, 'x', 1, 10);
    const open = watch(cache, { type: 'after', revision: 10 });
    cache.load([object('x', 'only', 20)], 20);
    expect(open.ended).toBe(true);
    expect(await next(watch(cache, { type: 'after', revision: 10 }))).toMatchObject([{ type: 'ERROR' }]);
    expect(await next(watch(cache, { type: 'now', endBookmark: false }))).toMatchObject([
      { type: 'ADDED', object: { metadata: { name: 'only' } } },
    ]);
  });
});
