import type { Clock } from '../../../base/clock.ts';
import type { ContainerStats } from '../../cri.ts';
import { memoryOf, settleCpu } from '../kernel/cgroup.ts';
import { usageOf } from '../vfs/inode.ts';
import type { Container } from './container.ts';

/** What a container uses now. */
export function containerStats(container: Container, clock: Clock): ContainerStats {
  const { cgroup, space } = container.workload;
  const memory = memoryOf(cgroup);
  const disk = usageOf(space.root, (inode) => space.mounts.has(inode));
  return {
    id: container.id,
    metadata: container.config.metadata,
    labels: container.config.labels,
    timestamp: clock.now(),
    cpuUsageCoreNanoSeconds: Math.round(settleCpu(cgroup) * 1000),
    memoryWorkingSetBytes: memory,
    memoryUsageBytes: memory,
    memoryRssBytes: memory - cgroup.cache,
    rootfsUsedBytes: disk.bytes,
    rootfsUsedInodes: disk.inodes,
  };
}
