import { posix } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { NodeFiles } from '../../runtime/node-files.ts';

/** Upstream's defaults: containerLogMaxSize 10Mi, containerLogMaxFiles 5. */
const maxSize = 10 * 1024 * 1024;
const maxFiles = 5;
const compress = promisify(gzip);

/**
 * Rotates one container's log when it is too large: moves it aside, has the runtime open a new one, compresses the ones before
 * and drops the oldest. True when it did. Upstream: pkg/kubelet/logs/container_log_manager.go.
 */
export async function rotateLog(
  files: NodeFiles,
  path: string,
  now: number,
  reopen: () => Promise<void>,
): Promise<boolean> {
  const stat = await files.stat(path);
  if (!stat || stat.size < maxSize) return false;
  const directory = posix.dirname(path);
  const base = posix.basename(path);
  const rotated = (await files.list(directory)).filter((it) => it.startsWith(`${base}.`)).sort();
  // The current one and the one that is made of it now count too.
  for (const name of rotated.splice(0, Math.max(0, rotated.length - (maxFiles - 2))))
    await files.remove(posix.join(directory, name));
  for (const name of rotated) {
    if (name.endsWith('.gz')) continue;
    const plain = posix.join(directory, name);
    await files.write(`${plain}.gz`, await compress(await files.read(plain)), 0o640);
    await files.remove(plain);
  }
  const stamp = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const aside = `${path}.${stamp}`;
  await files.rename(path, aside);
  try {
    await reopen();
  } catch (error) {
    await files.rename(aside, path);
    throw error;
  }
  return true;
}
