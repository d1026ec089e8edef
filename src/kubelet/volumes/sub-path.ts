import { posix } from 'node:path';
import type { NodeFiles } from '../../runtime/node-files.ts';

/** Follows every link of a path below `root`; throws where one leads out of it. */
async function resolveBelow(files: NodeFiles, root: string, relative: string): Promise<string> {
  let at = root;
  let rest = relative.split('/').filter((it) => it !== '' && it !== '.');
  for (let hops = 0; rest.length > 0; ) {
    const [head = '', ...tail] = rest;
    const next = posix.join(at, head);
    if (next !== root && !next.startsWith(`${root}/`)) throw new Error(`subpath ${relative} leaves the volume`);
    const stat = await files.stat(next, false);
    if (stat?.type === 'symlink') {
      if (++hops > 255) throw new Error(`too many links in subpath ${relative}`);
      const target = await files.readlink(next);
      if (target.startsWith('/')) {
        if (target !== root && !target.startsWith(`${root}/`)) throw new Error(`subpath ${relative} leaves the volume`);
        at = root;
        rest = [...target.slice(root.length).split('/').filter(Boolean), ...tail];
      } else rest = [...target.split('/').filter((it) => it !== '' && it !== '.'), ...tail];
      continue;
    }
    at = next;
    rest = tail;
  }
  return at;
}

/**
 * The path that a volume mount with this subPath shows; a missing one is made, with the volume's own mode. Throws with upstream's
 * texts (makeMounts in pkg/kubelet/kubelet_pods.go).
 */
export async function prepareSubPath(
  files: NodeFiles,
  volumePath: string,
  subPath: string,
  mountName: string,
  containerName: string,
): Promise<string> {
  if (subPath.startsWith('/')) throw new Error(`error SubPath \`${subPath}\` must not be an absolute path`);
  if (subPath.split('/').includes('..'))
    throw new Error(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
  const named = `subPath for volumeMount ${JSON.stringify(mountName)} of container ${JSON.stringify(containerName)}`;
  let real: string;
  try {
    real = await resolveBelow(files, volumePath, subPath);
  } catch {
    // The path itself stays out of the message, as upstream: it could tell of the node's files.
    throw new Error(`failed to prepare ${named}`);
  }
  if (!(await files.stat(real))) {
    const volume = await files.stat(volumePath);
    try {
      await files.mkdir(real, volume ? volume.mode & 0o7777 : 0o750);
      if (volume) await files.chmod(real, volume.mode & 0o7777);
    } catch {
      throw new Error(
        `failed to create subPath directory for volumeMount ${JSON.stringify(mountName)} of container ${JSON.stringify(containerName)}`,
      );
    }
  }
  return real;
}
