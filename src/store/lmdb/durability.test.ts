import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { virtualClock } from '../../base/virtual-clock.ts';
import { prefixRange, type Store, StoreCorruptError, StoreUnavailableError } from '../store.ts';
import { frameMagic } from './frame.ts';
import { lmdbStore } from './lmdb-store.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'coracle-durability-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const put = (store: Store, key: string, value: string | Uint8Array) =>
  store.commit({ compares: [], operations: [{ type: 'put', key, value: Buffer.from(value) }] });
const keysOf = async (store: Store) => (await store.range(prefixRange('/'))).entries.map(({ key }) => key);

/** The files as a kill at this moment would leave them. */
async function crashed(store: Store, from: string): Promise<string> {
  const copy = `${from}-crashed`;
  cpSync(from, copy, { recursive: true });
  await store.close();
  return copy;
}
const walOf = (path: string): string => join(path, readdirSync(path).find((name) => name.startsWith('wal-')) ?? 'none');

async function threeWrites(): Promise<string> {
  // The clock stands still, so nothing leaves the log for the tables.
  const store = await lmdbStore(join(dir, 's'), virtualClock());
  for (const key of ['/a', '/b', '/c']) await put(store, key, `value of ${key}`);
  return crashed(store, join(dir, 's'));
}

describe('the embedded store after a crash', () => {
  it('has every acknowledged write, from the log and from the tables', async () => {
    const path = await threeWrites();
    const clock = virtualClock();
    const store = await lmdbStore(path, clock);
    expect(await keysOf(store)).toEqual(['/a', '/b', '/c']);
    await put(store, '/d', 'x');
    await clock.advance(2_000);
    await put(store, '/a', 'y');
    const again = await lmdbStore(await crashed(store, path), virtualClock());
    expect(await keysOf(again)).toEqual(['/a', '/b', '/c', '/d']);
    expect((await again.verify()).faults).toEqual([]);
    await again.close();
  });

  it('drops the torn end of the log, which nobody was told of', async () => {
    const path = await threeWrites();
    const file = walOf(path);
    const bytes = readFileSync(file);
    const last = bytes.lastIndexOf(frameMagic);
    bytes.fill(0, last + 40);
    writeFileSync(file, bytes);
    const store = await lmdbStore(path, virtualClock());
    expect(await keysOf(store)).toEqual(['/a', '/b']);
    await put(store, '/e', 'after');
    await store.close();
    const again = await lmdbStore(path, virtualClock());
    expect(await keysOf(again)).toEqual(['/a', '/b', '/e']);
    await again.close();
  });

  it.each([
    ['a damaged frame before sound ones', (file: string) => flip(file, readFileSync(file).indexOf(frameMagic) + 60)],
    ['a damaged head', (file: string) => flip(file, 3)],
    ['a foreign file', (file: string) => writeFileSync(file, 'somebody else was here')],
  ])('refuses a log with %s', async (_what, damage) => {
    const path = await threeWrites();
    damage(walOf(path));
    await expect(lmdbStore(path, virtualClock())).rejects.toBeInstanceOf(StoreCorruptError);
  });

  it('refuses foreign, torn and damaged tables', async () => {
    const path = join(dir, 't');
    const store = await lmdbStore(path, virtualClock());
    const marked = randomBytes(3000);
    for (let i = 0; i < 300; i++) await put(store, `/k/${i}`, i === 77 ? marked : randomBytes(3000));
    await store.close();
    const file = join(path, 'store.lmdb');
    const sound = readFileSync(file);
    truncateSync(file, 400_000);
    await expect(openAndRead(path)).rejects.toThrow();
    writeFileSync(file, 'not a store at all, but a text that is long enough to be looked at'.repeat(10));
    await expect(lmdbStore(path, virtualClock())).rejects.toBeInstanceOf(StoreCorruptError);
    // Every copy of it: LMDB leaves old ones in pages that it no longer uses.
    const part = marked.subarray(500, 600);
    const damaged = Buffer.from(sound);
    for (let at = damaged.indexOf(part); at >= 0; at = damaged.indexOf(part)) damaged[at] = (damaged[at] ?? 0) ^ 0x55;
    expect(damaged.equals(sound)).toBe(false);
    writeFileSync(file, damaged);
    await expect(openAndRead(path)).rejects.toThrow();
  });
});

async function openAndRead(path: string): Promise<readonly string[]> {
  const store = await lmdbStore(path, virtualClock());
  try {
    return await keysOf(store);
  } finally {
    await store.close();
  }
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  writeFileSync(file, bytes);
}

const canMount = (() => {
  const probe = mkdtempSync(join(tmpdir(), 'coracle-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
})();

describe.skipIf(!canMount)('the embedded store on a full disk (needs root, to mount a small one)', () => {
  it('refuses writes, goes on reading, and writes again when there is room', async () => {
    const disk = join(dir, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk]);
    try {
      const clock = virtualClock();
      const store = await lmdbStore(join(disk, 's'), clock);
      const written: string[] = [];
      let refusal: unknown;
      for (let i = 0; i < 2000 && !refusal; i++) {
        const value = randomBytes(100_000);
        await put(store, `/k/${i}`, value).then(
          () => written.push(`/k/${i}`),
          (error: unknown) => {
            refusal = error;
          },
        );
      }
      expect(refusal).toBeInstanceOf(StoreUnavailableError);
      expect(written.length).toBeGreaterThan(50);
      expect((await keysOf(store)).sort()).toEqual([...written].sort());
      execFileSync('mount', ['-o', 'remount,size=160m', disk]);
      await clock.advance(5_000);
      await put(store, '/later', 'x');
      const again = await lmdbStore(await crashedElsewhere(store, join(disk, 's')), virtualClock());
      expect((await keysOf(again)).sort()).toEqual([...written, '/later'].sort());
      expect((await again.verify()).faults).toEqual([]);
      await again.close();
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  }, 60_000);
});

async function crashedElsewhere(store: Store, from: string): Promise<string> {
  const copy = join(dir, 'elsewhere');
  cpSync(from, copy, { recursive: true });
  await store.close();
  return copy;
}
