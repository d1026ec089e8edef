import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { virtualClock } from '../base/virtual-clock.ts';
import { lmdbStore } from './lmdb/lmdb-store.ts';
import { defragment, restoreSnapshot } from './lmdb/restore.ts';
import { memoryStore } from './memory/memory-store.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { CompactedError, prefixRange, type Store, StoreCorruptError } from './store.ts';

const dir = mkdtempSync(join(tmpdir(), 'coracle-snapshot-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const clock = virtualClock();
const put = async (store: Store, key: string, value: string): Promise<number> =>
  (await store.commit({ compares: [], operations: [{ type: 'put', key, value: Buffer.from(value) }] })).revision;
const contents = async (store: Store) => {
  const { entries } = await store.range(prefixRange('/'));
  return entries.map(({ key, value, ...rest }) => ({ key, value: Buffer.from(value).toString(), ...rest }));
};

async function filled(): Promise<{ store: Store; middle: number }> {
  const store = memoryStore(clock);
  for (let i = 0; i < 1200; i++) await put(store, `/k/${i % 700}`, `value ${i}`);
  const middle = (await store.stats()).revision;
  await put(store, '/k/0', 'later');
  await store.commit({ compares: [], operations: [{ type: 'delete', key: '/k/1' }] });
  return { store, middle };
}

describe('snapshots', () => {
  it('hold a store as of a revision, and make the same store again', async () => {
    const { store, middle } = await filled();
    const file = join(dir, 'a.snap');
    expect(await writeSnapshot(store, file, clock, middle)).toEqual({ revision: middle, entries: 700 });
    expect(await restoreSnapshot(join(dir, 'a'), file)).toEqual({ revision: middle, entries: 700 });
    const again = await lmdbStore(join(dir, 'a'), clock);
    const before = (await store.range(prefixRange('/'), { revision: middle })).entries;
    expect(await contents(again)).toEqual(
      before.map(({ key, value, ...rest }) => ({ key, value: Buffer.from(value).toString(), ...rest })),
    );
    expect(await again.verify()).toMatchObject({ revision: middle, keys: 700, faults: [] });
    await expect(again.get('/k/0', middle - 1)).rejects.toBeInstanceOf(CompactedError);
    expect(await put(again, '/k/0', 'x')).toBe(middle + 1);
    await again.close();
    await store.close();
  });

  it('are refused when damaged or cut off, and leave nothing behind', async () => {
    const { store } = await filled();
    const file = join(dir, 'b.snap');
    await writeSnapshot(store, file, clock);
    const sound = readFileSync(file);
    for (const [name, bytes] of [
      ['cut', sound.subarray(0, sound.length - 100)],
      ['flipped', Buffer.from(sound.map((byte, i) => (i === 9000 ? byte ^ 1 : byte)))],
      ['foreign', Buffer.from('something else\n')],
    ] as const) {
      const path = join(dir, `${name}.snap`);
      writeFileSync(path, bytes);
      await expect(restoreSnapshot(join(dir, name), path)).rejects.toBeInstanceOf(StoreCorruptError);
      expect(() => readFileSync(join(dir, name, 'store.lmdb'))).toThrow();
    }
    expect((await readSnapshot(file, () => undefined)).entries).toBe(699);
    await store.close();
  });

  it('a store is smaller after its file is rewritten, and the same', async () => {
    const path = join(dir, 'd');
    const store = await lmdbStore(path, clock);
    for (let i = 0; i < 300; i++) await put(store, `/k/${i}`, 'x'.repeat(20_000));
    for (let i = 0; i < 290; i++)
      await store.commit({ compares: [], operations: [{ type: 'delete', key: `/k/${i}` }] });
    await store.compact((await store.stats()).revision);
    await store.close();
    const { before, after } = await defragment(path, clock);
    expect(after).toBeLessThan(before / 2);
    const again = await lmdbStore(path, clock);
    expect((await again.range(prefixRange('/'))).count).toBe(10);
    expect((await again.verify()).faults).toEqual([]);
    await again.close();
  });
});
