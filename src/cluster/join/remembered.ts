import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Discovered } from './discovery.ts';

const fileOf = (dataDir: string): string => join(dataDir, 'cluster.json');

/** The cluster that this machine has joined before; undefined where it has not. */
export async function rememberedCluster(dataDir: string): Promise<Discovered | undefined> {
  try {
    const { server, authority } = JSON.parse(await readFile(fileOf(dataDir), 'utf8')) as Discovered;
    return { server, authority };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function rememberCluster(dataDir: string, cluster: Discovered): Promise<void> {
  await writeFile(`${fileOf(dataDir)}.new`, `${JSON.stringify(cluster)}\n`, { mode: 0o600 });
  await rename(`${fileOf(dataDir)}.new`, fileOf(dataDir));
}
