import { posix } from 'node:path';
import type { V1Pod } from '../../api/generated/types.ts';
import type { ContainerStats } from '../../runtime/cri.ts';
import type { KubeletContext } from '../context.ts';
import { collectImages } from '../node/image-gc.ts';
import type { PodSet } from '../pod-set.ts';
import { containerNameLabel, podUidLabel } from '../pods/labels.ts';
import { podCgroup } from '../pods/resources.ts';
import { podLogDirectory } from '../pods/sandbox-config.ts';
import { type EvictionManager, evictionManager } from './eviction-manager.ts';
import { measurePod, type PodUsage } from './pod-usage.ts';
import { defaultThresholds, type Observation, type Observations, type Signal, type Threshold } from './thresholds.ts';

/** Upstream's default evictionPressureTransitionPeriod. */
const transitionMs = 300_000;

/** What the node has left of memory, processes and disk. */
export async function observeNode(context: KubeletContext): Promise<Observations> {
  const { node, machine } = context;
  const [usage, nodeFs, image] = await Promise.all([
    node.usage(),
    node.files.capacity(context.rootDir),
    node.images.imageFsInfo(),
  ]);
  const imageFs = await node.files.capacity(image.mountpoint);
  const seen = new Map<Signal, Observation>([
    ['memory.available', { available: usage.memoryAvailableBytes, capacity: machine.memoryBytes }],
    ['nodefs.available', { available: nodeFs.freeBytes, capacity: nodeFs.totalBytes }],
    ['imagefs.available', { available: imageFs.freeBytes, capacity: imageFs.totalBytes }],
  ]);
  // A file system without a fixed number of inodes reports none.
  if (nodeFs.totalInodes > 0)
    seen.set('nodefs.inodesFree', { available: nodeFs.freeInodes, capacity: nodeFs.totalInodes });
  if (imageFs.totalInodes > 0)
    seen.set('imagefs.inodesFree', { available: imageFs.freeInodes, capacity: imageFs.totalInodes });
  if (machine.maxPids > 0)
    seen.set('pid.available', { available: machine.maxPids - usage.pids, capacity: machine.maxPids });
  return seen;
}

/** What these pods hold of the node, by uid; one whose containers are not made yet holds what is in its volumes. */
export async function measurePods(
  context: KubeletContext,
  pods: readonly V1Pod[],
): Promise<ReadonlyMap<string, PodUsage>> {
  const byPod = new Map<string, ContainerStats[]>();
  for (const it of await context.node.runtime.containerStats()) {
    const uid = it.labels[podUidLabel] ?? '';
    byPod.set(uid, [...(byPod.get(uid) ?? []), it]);
  }
  const out = new Map<string, PodUsage>();
  for (const pod of pods) {
    const uid = pod.metadata?.uid ?? '';
    const stats = byPod.get(uid) ?? [];
    const sources = {
      files: context.node.files,
      volumePath: context.volumes.volumePath,
      logDirectory: (it: V1Pod, container: string) => posix.join(podLogDirectory(context.podLogsDir, it), container),
      containerName: (it: ContainerStats) => it.labels[containerNameLabel] ?? it.metadata.name,
    };
    out.set(
      uid,
      await measurePod(
        sources,
        pod,
        stats,
        (await context.node.cgroups?.processes(podCgroup(context.cgroupRoot, pod)))?.length ?? 0,
      ),
    );
  }
  return out;
}

/** The eviction manager of a kubelet. */
export function nodeEviction(
  context: KubeletContext,
  set: PodSet,
  thresholds: readonly Threshold[] = defaultThresholds,
): EvictionManager {
  const { runtime } = context.node;
  return evictionManager({
    clock: context.clock,
    log: context.log,
    thresholds,
    transitionMs,
    softGrace: 0,
    observe: () => observeNode(context),
    pods: () =>
      set
        .workers()
        .filter((it) => it.phase() === 'sync')
        .map((it) => ({ pod: it.granted(), evict: (eviction) => it.evict(eviction) })),
    measure: (pods) => measurePods(context, pods),
    reclaim: async () => {
      for (const container of await runtime.listContainers({ state: 'EXITED' })) {
        const worker = set.worker(container.labels[podUidLabel] ?? '');
        if (worker?.phase() === 'finished') await runtime.removeContainer(container.id);
      }
      await collectImages(context.node, context.images.lastUsed, context.log, { all: true });
    },
    nodeEvent: (reason, message) =>
      context.events.event(
        { apiVersion: 'v1', kind: 'Node', metadata: { name: context.nodeName, uid: context.nodeName } },
        'Warning',
        reason,
        message,
      ),
  });
}
