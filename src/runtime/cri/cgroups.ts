import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LinuxResources } from '../cri.ts';

/** The kernel's control groups, in hierarchies of version 1 or in the one of version 2. Paths begin with a slash below the mount. */
export interface Cgroups {
  /** Makes the group with its parents and holds it to these resources; what the kernel cannot hold is left out. */
  ensure(path: string, resources: LinuxResources): Promise<void>;
  /** Removes the group and all below it; one in which something runs stays. Absent is fine. */
  remove(path: string): Promise<void>;
  /** Processes in the group and below. */
  processes(path: string): Promise<readonly number[]>;
}

const code = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
const absent = new Set(['ENOENT', 'ENODEV']);
/** Still in use: somebody else's processes are not ours to end. */
const busy = new Set(['EBUSY', 'ENOTEMPTY', 'EPERM']);

/** CPU shares (2…262144) as a weight of version 2 (1…10000): cm.CpuSharesToCpuWeight. */
export function cpuWeight(shares: number): number {
  return Math.trunc(1 + ((Math.max(2, shares) - 2) * 9999) / 262_142);
}

const controllersV1 = ['cpu', 'memory', 'pids'] as const;

/** The files and what is written to them, for one version. */
function settings(
  version: 1 | 2,
  it: LinuxResources,
): readonly (readonly [controller: string, file: string, value: string])[] {
  const quota = it.cpuQuota ?? 0;
  const period = it.cpuPeriod ?? 100_000;
  const memory = it.memoryLimitInBytes ?? 0;
  if (version === 2)
    return [
      ...(it.cpuShares ? [['cpu', 'cpu.weight', `${cpuWeight(it.cpuShares)}`] as const] : []),
      ['cpu', 'cpu.max', quota > 0 ? `${quota} ${period}` : `max ${period}`],
      ['memory', 'memory.max', memory > 0 ? `${memory}` : 'max'],
    ];
  return [
    ...(it.cpuShares ? [['cpu', 'cpu.shares', `${it.cpuShares}`] as const] : []),
    ['cpu', 'cpu.cfs_period_us', `${period}`],
    ['cpu', 'cpu.cfs_quota_us', quota > 0 ? `${quota}` : '-1'],
    ['memory', 'memory.limit_in_bytes', memory > 0 ? `${memory}` : '-1'],
  ];
}

/** `root` is where the kernel's groups are mounted. */
export function cgroups(root = '/sys/fs/cgroup'): Cgroups {
  let known: Promise<1 | 2> | undefined;
  /** What each group was last held to: groups of QoS classes are asked for with every pod. */
  const held = new Map<string, string>();
  const version = (): Promise<1 | 2> => {
    known ??= stat(join(root, 'cgroup.controllers')).then(
      () => 2 as const,
      () => 1 as const,
    );
    return known;
  };
  /** Every hierarchy that may hold a group. */
  const hierarchies = async (): Promise<readonly string[]> => {
    if ((await version()) === 2) return [root];
    const names = await readdir(root, { withFileTypes: true });
    return names.filter((it) => it.isDirectory()).map((it) => join(root, it.name));
  };
  const put = async (file: string, value: string): Promise<void> => {
    try {
      await writeFile(file, value);
    } catch (error) {
      // EBUSY: more memory is in use than the new limit allows; EINVAL, EACCES: a parent does not give so much.
      if (![...absent, 'EBUSY', 'EINVAL', 'EACCES'].includes(code(error))) throw error;
    }
  };
  const removeTree = async (directory: string): Promise<void> => {
    let entries: readonly string[];
    try {
      entries = (await readdir(directory, { withFileTypes: true })).flatMap((it) =>
        it.isDirectory() ? [it.name] : [],
      );
    } catch (error) {
      if (absent.has(code(error))) return;
      throw error;
    }
    for (const name of entries) await removeTree(join(directory, name));
    await rmdir(directory).catch((error: unknown) => {
      if (!absent.has(code(error)) && !busy.has(code(error))) throw error;
    });
  };
  const processesBelow = async (directory: string): Promise<readonly number[]> => {
    try {
      const own = (await readFile(join(directory, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean).map(Number);
      const below = (await readdir(directory, { withFileTypes: true })).filter((it) => it.isDirectory());
      return [...own, ...(await Promise.all(below.map((it) => processesBelow(join(directory, it.name))))).flat()];
    } catch (error) {
      if (absent.has(code(error))) return [];
      throw error;
    }
  };
  return {
    async ensure(path, resources) {
      const wanted = JSON.stringify(resources);
      if (held.get(path) === wanted) return;
      const kind = await version();
      if (kind === 2) {
        const directory = join(root, path);
        await mkdir(directory, { recursive: true });
        // A group may hold its children to something only where its parents pass the controller on.
        const parents: string[] = [];
        for (let at = dirname(directory); at.startsWith(root); at = dirname(at)) parents.unshift(at);
        for (const parent of parents) await put(join(parent, 'cgroup.subtree_control'), '+cpu +memory +pids');
      } else {
        for (const controller of controllersV1) await mkdir(join(root, controller, path), { recursive: true });
      }
      for (const [controller, file, value] of settings(kind, resources))
        await put(join(root, kind === 2 ? '' : controller, path, file), value);
      held.set(path, wanted);
    },
    async remove(path) {
      for (const one of held.keys()) if (one === path || one.startsWith(`${path}/`)) held.delete(one);
      for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, path));
    },
    async processes(path) {
      return processesBelow(join(root, (await version()) === 2 ? '' : 'pids', path));
    },
  };
}
