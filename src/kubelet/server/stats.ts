import type { V1Pod } from '../../api/generated/types.ts';
import { rfc3339 } from '../../base/clock.ts';
import { type ContainerStats, CriError } from '../../runtime/cri.ts';
import type { MachineUsage } from '../../runtime/node-runtime.ts';
import type { KubeletContext } from '../context.ts';
import { measurePods } from '../eviction/node-eviction.ts';
import { diskOf, inodesOf } from '../eviction/pod-usage.ts';
import type { PodSet } from '../pod-set.ts';
import { containerNameLabel, podUidLabel } from '../pods/labels.ts';

interface Sample {
  readonly at: number;
  readonly cpu: number;
  rate: number;
}

/** Computes CPU rates between one reading and the next. */
export interface StatsReader {
  read(): Promise<{
    readonly node: MachineUsage;
    readonly nodeRate: number;
    readonly pods: readonly {
      readonly pod: V1Pod;
      readonly containers: readonly (ContainerStats & { readonly rate: number })[];
      /** When a container began, epoch milliseconds; 0 = not known. */
      readonly startedAt: (containerId: string) => number;
    }[];
  }>;
}

const shortest = 1_000;

export function statsReader(context: KubeletContext, pods: PodSet): StatsReader {
  const samples = new Map<string, Sample>();
  const rateOf = (key: string, at: number, cpu: number): number => {
    const last = samples.get(key);
    if (last && at - last.at < shortest) return last.rate;
    const rate = last && cpu >= last.cpu ? Math.round(((cpu - last.cpu) * 1000) / (at - last.at)) : 0;
    samples.set(key, { at, cpu, rate });
    return rate;
  };
  return {
    async read() {
      const [node, all] = await Promise.all([context.node.usage(), context.node.runtime.containerStats()]);
      const known = new Set(['node', ...all.map((it) => it.id)]);
      for (const key of samples.keys()) if (!known.has(key)) samples.delete(key);
      const byPod = new Map<string, ContainerStats[]>();
      for (const it of all) {
        const uid = it.labels[podUidLabel] ?? '';
        byPod.set(uid, [...(byPod.get(uid) ?? []), it]);
      }
      return {
        node,
        nodeRate: rateOf('node', node.timestamp, node.cpuUsageCoreNanoSeconds),
        pods: pods.workers().flatMap((worker) => {
          // The runtime tells of ended containers too, which use nothing any more.
          const running = new Set(
            worker.observed().containers.flatMap((it) => (it.state === 'running' ? [it.id] : [])),
          );
          const containers = byPod.get(worker.uid)?.filter((it) => running.has(it.id));
          return containers && containers.length > 0
            ? [
                {
                  pod: worker.pod(),
                  startedAt: (id) => worker.observed().containers.find((it) => it.id === id)?.startedAt ?? 0,
                  containers: containers.map((it) => ({
                    ...it,
                    rate: rateOf(it.id, it.timestamp, it.cpuUsageCoreNanoSeconds),
                  })),
                },
              ]
            : [];
        }),
      };
    },
  };
}

const cpu = (time: string, rate: number, total: number): object => ({
  time,
  usageNanoCores: rate,
  usageCoreNanoSeconds: total,
});

/** The answer of /stats/summary (k8s.io/kubelet/pkg/apis/stats/v1alpha1). */
export async function statsSummary(context: KubeletContext, reader: StatsReader, startedAt: number): Promise<object> {
  const { node, nodeRate, pods } = await reader.read();
  const disk = await context.node.files.capacity(context.rootDir);
  const usage = await measurePods(
    context,
    pods.map((it) => it.pod),
  );
  const at = rfc3339(node.timestamp);
  const fs = {
    time: at,
    availableBytes: disk.freeBytes,
    capacityBytes: disk.totalBytes,
    usedBytes: disk.totalBytes - disk.freeBytes,
    inodesFree: disk.freeInodes,
    inodes: disk.totalInodes,
    inodesUsed: disk.totalInodes - disk.freeInodes,
  };
  const logsOf = (pod: V1Pod, it: ContainerStats): number =>
    usage
      .get(pod.metadata?.uid ?? '')
      ?.containers.find((one) => one.name === (it.labels[containerNameLabel] ?? it.metadata.name))?.logs ?? 0;
  const storageOf = (pod: V1Pod): object => {
    const own = usage.get(pod.metadata?.uid ?? '');
    if (!own) return {};
    return {
      volume: [...own.volumes].map(([name, bytes]) => ({ ...fs, name, usedBytes: bytes })),
      'ephemeral-storage': { ...fs, usedBytes: diskOf(own), inodesUsed: inodesOf(own) },
      process_stats: { process_count: own.pids },
    };
  };
  return {
    node: {
      nodeName: context.nodeName,
      startTime: rfc3339(startedAt),
      cpu: cpu(at, nodeRate, node.cpuUsageCoreNanoSeconds),
      memory: {
        time: at,
        availableBytes: node.memoryAvailableBytes,
        usageBytes: node.memoryWorkingSetBytes,
        workingSetBytes: node.memoryWorkingSetBytes,
      },
      fs,
      runtime: { imageFs: fs, containerFs: fs },
      rlimit: { time: at, maxpid: context.machine.maxPids, curproc: node.pids },
    },
    pods: pods.map(({ pod, containers, startedAt: began }) => ({
      podRef: { name: pod.metadata?.name, namespace: pod.metadata?.namespace, uid: pod.metadata?.uid },
      startTime: pod.status?.startTime ?? null,
      containers: containers.map((it) => {
        const time = rfc3339(it.timestamp);
        return {
          name: it.labels[containerNameLabel] ?? it.metadata.name,
          startTime: began(it.id) > 0 ? rfc3339(began(it.id)) : time,
          cpu: cpu(time, it.rate, it.cpuUsageCoreNanoSeconds),
          memory: {
            time,
            usageBytes: it.memoryUsageBytes,
            workingSetBytes: it.memoryWorkingSetBytes,
            rssBytes: it.memoryRssBytes,
          },
          rootfs: { ...fs, time, usedBytes: it.rootfsUsedBytes, inodesUsed: it.rootfsUsedInodes },
          logs: { ...fs, time, usedBytes: logsOf(pod, it) },
        };
      }),
      cpu: cpu(
        at,
        containers.reduce((sum, it) => sum + it.rate, 0),
        containers.reduce((sum, it) => sum + it.cpuUsageCoreNanoSeconds, 0),
      ),
      memory: {
        time: at,
        usageBytes: containers.reduce((sum, it) => sum + it.memoryUsageBytes, 0),
        workingSetBytes: containers.reduce((sum, it) => sum + it.memoryWorkingSetBytes, 0),
        rssBytes: containers.reduce((sum, it) => sum + it.memoryRssBytes, 0),
      },
      ...storageOf(pod),
    })),
  };
}

const escapeLabel = (text: string): string => text.replace(/[\\"\n]/g, (it) => (it === '\n' ? '\\n' : `\\${it}`));
/** The label set of a line: `{a="b"}`. */
export const metricLabels = (pairs: Readonly<Record<string, string | undefined>>): string =>
  `{${Object.entries(pairs)
    .map(([name, value]) => `${name}="${escapeLabel(value ?? '')}"`)
    .join(',')}}`;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly lines: readonly string[];
}

/** Prometheus' text format. */
export function metricsText(metrics: readonly Metric[]): string {
  return metrics
    .filter((it) => it.lines.length > 0)
    .map(
      ({ name, help, type, lines }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map((it) => `${name}${it}\n`).join('')}`,
    )
    .join('');
}

/** The answer of /metrics/resource (pkg/kubelet/metrics/collectors/resource_metrics.go). */
export async function resourceMetrics(reader: StatsReader): Promise<string> {
  const scrapeError = (value: 0 | 1): Metric => ({
    name: 'resource_scrape_error',
    help: '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise',
    type: 'gauge',
    lines: [` ${value}`],
  });
  // A container that ends while it is measured makes the runtime refuse the whole answer.
  const reading = await reader.read().catch((error: unknown) => {
    if (error instanceof CriError) return undefined;
    throw error;
  });
  if (!reading) return metricsText([scrapeError(1)]);
  const { node, pods } = reading;
  const each = (value: (it: ContainerStats) => number): string[] =>
    pods.flatMap(({ pod, containers }) =>
      containers.map(
        (it) =>
          `${metricLabels({ container: it.labels[containerNameLabel], namespace: pod.metadata?.namespace, pod: pod.metadata?.name })} ${value(it)} ${Math.round(it.timestamp)}`,
      ),
    );
  const eachPod = (value: (it: ContainerStats) => number): string[] =>
    pods.map(
      ({ pod, containers }) =>
        `${metricLabels({ namespace: pod.metadata?.namespace, pod: pod.metadata?.name })} ${containers.reduce((sum, it) => sum + value(it), 0)} ${Math.round(containers[0]?.timestamp ?? 0)}`,
    );
  const seconds = (it: ContainerStats): number => it.cpuUsageCoreNanoSeconds / 1e9;
  const memory = (it: ContainerStats): number => it.memoryWorkingSetBytes;
  return metricsText([
    {
      name: 'container_cpu_usage_seconds_total',
      help: '[STABLE] Cumulative cpu time consumed by the container in core-seconds',
      type: 'counter',
      lines: each(seconds),
    },
    {
      name: 'container_memory_working_set_bytes',
      help: '[STABLE] Current working set of the container in bytes',
      type: 'gauge',
      lines: each(memory),
    },
    {
      name: 'container_start_time_seconds',
      help: '[STABLE] Start time of the container since unix epoch in seconds',
      type: 'gauge',
      lines: pods.flatMap(({ pod, containers, startedAt }) =>
        containers.map(
          (it) =>
            `${metricLabels({ container: it.labels[containerNameLabel], namespace: pod.metadata?.namespace, pod: pod.metadata?.name })} ${startedAt(it.id) / 1000} ${Math.round(it.timestamp)}`,
        ),
      ),
    },
    {
      name: 'node_cpu_usage_seconds_total',
      help: '[STABLE] Cumulative cpu time consumed by the node in core-seconds',
      type: 'counter',
      lines: [` ${node.cpuUsageCoreNanoSeconds / 1e9} ${Math.round(node.timestamp)}`],
    },
    {
      name: 'node_memory_working_set_bytes',
      help: '[STABLE] Current working set of the node in bytes',
      type: 'gauge',
      lines: [` ${node.memoryWorkingSetBytes} ${Math.round(node.timestamp)}`],
    },
    {
      name: 'pod_cpu_usage_seconds_total',
      help: '[STABLE] Cumulative cpu time consumed by the pod in core-seconds',
      type: 'counter',
      lines: eachPod(seconds),
    },
    {
      name: 'pod_memory_working_set_bytes',
      help: '[STABLE] Current working set of the pod in bytes',
      type: 'gauge',
      lines: eachPod(memory),
    },
    scrapeError(0),
  ]);
}

/** The answer of /metrics: what this kubelet knows of itself. */
export function kubeletMetrics(context: KubeletContext, pods: PodSet): string {
  const workers = pods.workers();
  const running = workers.flatMap((it) => it.observed().containers);
  const byState = (state: string): number => running.filter((it) => it.state === state).length;
  return metricsText([
    {
      name: 'kubelet_node_name',
      help: "[ALPHA] The node's name. The count is always 1.",
      type: 'gauge',
      lines: [`${metricLabels({ node: context.nodeName })} 1`],
    },
    {
      name: 'kubelet_running_pods',
      help: '[BETA] Number of pods that have a running pod sandbox',
      type: 'gauge',
      lines: [` ${workers.filter((it) => it.observed().sandboxes.some((s) => s.ready)).length}`],
    },
    {
      name: 'kubelet_running_containers',
      help: '[BETA] Number of containers currently running',
      type: 'gauge',
      lines: ['created', 'exited', 'running', 'unknown'].map(
        (state) => `${metricLabels({ container_state: state })} ${byState(state)}`,
      ),
    },
  ]);
}
