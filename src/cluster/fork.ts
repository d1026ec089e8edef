import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { lmdbStore } from '../store/lmdb/lmdb-store.ts';
import { prefixRange } from '../store/store.ts';
import { storeDirectory } from './open-store.ts';
import { UsageError } from './options.ts';
import { onStore, restoreStore } from './store-admin.ts';

/** What a cluster is begun from: a data directory or a snapshot file, and the revision wanted of a directory (0 = now). */
export interface ForkSource {
  readonly path: string;
  readonly revision: number;
}

/** Reads `PATH` or `PATH@REVISION`. */
export function parseForkSource(text: string): ForkSource {
  const match = /^(.+?)(?:@([1-9]\d{0,14}))?$/.exec(text);
  const path = resolve(match?.[1] ?? '');
  if (!match || !existsSync(path))
    throw new UsageError(`--fork-from wants a data directory or a snapshot, PATH or PATH@REVISION, not "${text}"`);
  return { path, revision: Number(match[2] ?? 0) };
}

/**
 * Fills the store of `dataDir`, which must have none yet, with the state of another cluster, whether that runs or not, and returns the
 * names of its nodes, which the new cluster simulates. The source is only read.
 */
export async function forkState(dataDir: string, source: ForkSource, clock: Clock): Promise<readonly string[]> {
  if (statSync(source.path).isFile()) {
    if (source.revision !== 0)
      throw new UsageError('a snapshot has one revision only; name the file without @REVISION');
    await restoreStore(dataDir, source.path);
  } else {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = join(dataDir, 'fork.snapshot');
    await onStore({ dataDir: source.path }, clock, { action: 'snapshot', file, revision: source.revision });
    try {
      await restoreStore(dataDir, file);
    } finally {
      rmSync(file, { force: true });
    }
  }
  const store = await lmdbStore(storeDirectory(dataDir), clock);
  try {
    const prefix = '/registry/minions/';
    const { entries } = await store.range(prefixRange(prefix), { keysOnly: true });
    return entries.map(({ key }) => key.slice(prefix.length));
  } finally {
    await store.close();
  }
}
