import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CriError } from '../cri.ts';

const run = promisify(execFile);

/** Image volumes for runtimes whose CRI cannot mount images itself (containerd before 2.1). */
export interface ImageVolumes {
  /** A read-only view of the image's files, mounted once a sandbox and image. Rejects with CriError. */
  mount(sandboxId: string, image: string): Promise<string>;
  /** Takes the sandbox's views away; none is fine. */
  release(sandboxId: string): Promise<void>;
}

/** Views made by containerd's own client, below `dir`. */
export function imageVolumes(options: {
  readonly ctr: string;
  readonly socket: string;
  readonly dir: string;
}): ImageVolumes {
  const ctr = (...args: readonly string[]): Promise<unknown> =>
    run(options.ctr, ['--address', options.socket, '-n', 'k8s.io', 'images', ...args]);
  const mounted = new Map<string, Promise<string>>();
  return {
    mount(sandboxId, image) {
      const target = join(options.dir, sandboxId, createHash('sha256').update(image).digest('hex').slice(0, 16));
      const known = mounted.get(target);
      if (known) return known;
      const work = (async () => {
        await mkdir(target, { recursive: true, mode: 0o755 });
        if ((await readdir(target)).length > 0) return target;
        await ctr('mount', image, target).catch((error: Error) => {
          throw new CriError('Unknown', `failed to mount image ${JSON.stringify(image)}: ${error.message}`);
        });
        return target;
      })();
      mounted.set(target, work);
      work.catch(() => mounted.delete(target));
      return work;
    },
    async release(sandboxId) {
      const directory = join(options.dir, sandboxId);
      const targets = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (!targets) return;
      for (const target of targets) {
        await ctr('unmount', '--rm', join(directory, target));
        mounted.delete(join(directory, target));
      }
      await rm(directory, { recursive: true });
    },
  };
}
