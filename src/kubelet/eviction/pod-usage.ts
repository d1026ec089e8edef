import { posix } from 'node:path';
import type { V1Pod, V1Volume } from '../../api/generated/types.ts';
import type { ContainerStats } from '../../runtime/cri.ts';
import type { NodeFiles } from '../../runtime/node-files.ts';

/** What one container holds of the node. Bytes. */
export interface ContainerUsage {
  readonly name: string;
  readonly memory: number;
  readonly rootfs: number;
  readonly logs: number;
}

/** What one pod holds of the node. Bytes, inodes, processes. */
export interface PodUsage {
  readonly containers: readonly ContainerUsage[];
  /** Disk below each volume that counts as the pod's own. */
  readonly volumes: ReadonlyMap<string, number>;
  readonly volumeInodes: number;
  readonly rootfsInodes: number;
  readonly pids: number;
}

/** Volumes whose bytes are the pod's local ephemeral storage. Upstream: LocalEphemeralVolumeNames. */
export function isLocalEphemeral(volume: V1Volume): boolean {
  if (volume.emptyDir) return volume.emptyDir.medium !== 'Memory';
  return volume.configMap !== undefined || volume.downwardAPI !== undefined;
}

export interface UsageSources {
  readonly files: NodeFiles;
  readonly volumePath: (pod: V1Pod, volume: V1Volume) => string;
  /** The directory of a container's logs. */
  readonly logDirectory: (pod: V1Pod, container: string) => string;
  readonly containerName: (stats: ContainerStats) => string;
}

const absent = { bytes: 0, inodes: 0 };

/** Measures a pod: what the runtime says of its containers, and how much lies in its volumes and logs. */
export async function measurePod(
  sources: UsageSources,
  pod: V1Pod,
  stats: readonly ContainerStats[],
  pids: number,
): Promise<PodUsage> {
  const { files } = sources;
  const below = async (path: string): Promise<{ readonly bytes: number; readonly inodes: number }> =>
    (await files.stat(path)) ? files.usage(path) : absent;
  const containers = await Promise.all(
    stats.map(async (it): Promise<ContainerUsage> => {
      const name = sources.containerName(it);
      return {
        name,
        memory: it.memoryWorkingSetBytes,
        rootfs: it.rootfsUsedBytes,
        logs: (await below(posix.normalize(sources.logDirectory(pod, name)))).bytes,
      };
    }),
  );
  const volumes = new Map<string, number>();
  let volumeInodes = 0;
  for (const volume of pod.spec?.volumes ?? []) {
    if (!isLocalEphemeral(volume)) continue;
    const { bytes, inodes } = await below(sources.volumePath(pod, volume));
    volumes.set(volume.name, bytes);
    volumeInodes += inodes;
  }
  return {
    containers,
    volumes,
    volumeInodes,
    rootfsInodes: stats.reduce((sum, it) => sum + it.rootfsUsedInodes, 0),
    pids,
  };
}

export const memoryOf = (usage: PodUsage): number => usage.containers.reduce((sum, it) => sum + it.memory, 0);
export const diskOf = (usage: PodUsage): number =>
  usage.containers.reduce((sum, it) => sum + it.rootfs + it.logs, 0) +
  [...usage.volumes.values()].reduce((sum, it) => sum + it, 0);
export const inodesOf = (usage: PodUsage): number => usage.rootfsInodes + usage.volumeInodes;
