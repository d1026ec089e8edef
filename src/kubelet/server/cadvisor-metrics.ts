import type { ContainerStats } from '../../runtime/cri.ts';
import type { KubeletContext } from '../context.ts';
import type { PodSet } from '../pod-set.ts';
import { containerNameLabel } from '../pods/labels.ts';
import { containerSpec, findContainer } from '../pods/observed.ts';
import { podCgroup } from '../pods/resources.ts';
import { milliUnits, wholeUnits } from '../quantity.ts';
import { metricLabels, metricsText, type StatsReader } from './stats.ts';

/** The answer of /metrics/cadvisor: the container metrics that dashboards ask for, under cadvisor's names and labels. */
export async function cadvisorMetrics(context: KubeletContext, reader: StatsReader, set: PodSet): Promise<string> {
  const { pods } = await reader.read();
  const rows = pods.flatMap(({ pod, containers }) =>
    containers.map((stats) => {
      const name = stats.labels[containerNameLabel] ?? stats.metadata.name;
      const observed = set.worker(pod.metadata?.uid ?? '')?.observed();
      const container = observed && findContainer(observed, name);
      return {
        stats,
        container,
        spec: containerSpec(pod, name),
        labels: {
          container: name,
          id: `${podCgroup(context.cgroupRoot, pod)}/${stats.id}`,
          image: container?.image ?? '',
          name: stats.id,
          namespace: pod.metadata?.namespace,
          pod: pod.metadata?.name,
        },
      };
    }),
  );
  type Row = (typeof rows)[number];
  const each = (value: (row: Row) => number, more: Readonly<Record<string, string>> = {}): string[] =>
    rows.map((row) => `${metricLabels({ ...row.labels, ...more })} ${value(row)} ${Math.round(row.stats.timestamp)}`);
  const gauge = (name: string, help: string, value: (row: Row) => number) => ({
    name,
    help,
    type: 'gauge' as const,
    lines: each(value),
  });
  const memory =
    (read: (stats: ContainerStats) => number) =>
    (row: Row): number =>
      read(row.stats);
  return metricsText([
    {
      name: 'cadvisor_version_info',
      help: "A metric with a constant '1' value labeled by kernel version, OS version, docker version, cadvisor version & cadvisor revision.",
      type: 'gauge',
      lines: [
        `${metricLabels({ kernelVersion: context.machine.kernelVersion, osVersion: context.machine.osImage })} 1`,
      ],
    },
    {
      name: 'container_cpu_usage_seconds_total',
      help: 'Cumulative cpu time consumed in seconds.',
      type: 'counter',
      lines: each((row) => row.stats.cpuUsageCoreNanoSeconds / 1e9, { cpu: 'total' }),
    },
    gauge(
      'container_memory_usage_bytes',
      'Current memory usage in bytes, including all memory.',
      memory((it) => it.memoryUsageBytes),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set in bytes.',
      memory((it) => it.memoryWorkingSetBytes),
    ),
    gauge(
      'container_memory_rss',
      'Size of RSS in bytes.',
      memory((it) => it.memoryRssBytes),
    ),
    gauge(
      'container_fs_usage_bytes',
      'Number of bytes that are consumed by the container on this filesystem.',
      memory((it) => it.rootfsUsedBytes),
    ),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      (row) => (row.container?.startedAt ?? 0) / 1000,
    ),
    gauge('container_spec_memory_limit_bytes', 'Memory limit for the container.', (row) =>
      wholeUnits(row.spec?.resources?.limits?.['memory']),
    ),
    gauge('container_spec_cpu_shares', 'CPU share of the container.', (row) =>
      Math.max(2, Math.trunc((milliUnits(row.spec?.resources?.requests?.['cpu']) * 1024) / 1000)),
    ),
    {
      name: 'machine_cpu_cores',
      help: 'Number of logical CPU cores.',
      type: 'gauge',
      lines: [
        `${metricLabels({ boot_id: context.machine.bootId, machine_id: context.machine.machineId, system_uuid: context.machine.systemUuid })} ${context.machine.cpus}`,
      ],
    },
    {
      name: 'machine_memory_bytes',
      help: 'Amount of memory installed on the machine.',
      type: 'gauge',
      lines: [
        `${metricLabels({ boot_id: context.machine.bootId, machine_id: context.machine.machineId, system_uuid: context.machine.systemUuid })} ${context.machine.memoryBytes}`,
      ],
    },
  ]);
}
